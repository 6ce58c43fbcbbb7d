//! Outputs that lie in one directory each have a manifest of their own.

use crate::save::error::SaveError;
use crate::save::manifest::{ManifestPath, ManifestWriter, Reader, last_run};
use crate::save::names::reserved::MANIFEST_NAME;
use crate::save::sink::beneath::Root;

#[test]
fn archives_of_one_directory_are_written_at_the_same_time() {
    let directory = tempfile::tempdir().unwrap();
    let [one, other] =
        ["a.warc", "b.warc"].map(|name| ManifestPath::beside(&directory.path().join(name)));
    let root = Root::open(directory.path()).unwrap();
    let missing = Reader::at(&one).err().unwrap();
    let expected = format!("there is no a.warc.manifest.jsonl in {}", directory.path().display());
    assert_eq!(missing.to_string(), expected);

    let mut writer = ManifestWriter::open(&root, &one).unwrap();
    writer.record_unowned(&["of a".to_owned()], &[]).unwrap();
    drop(ManifestWriter::open(&root, &other).unwrap());
    let locked = ManifestWriter::open(&root, &one).err().unwrap();
    let SaveError::Locked { path } = locked else { panic!("{locked:?}") };
    assert_eq!(path, directory.path().join("a.warc"));
    drop(writer);

    let lengths = [&one, &other].map(|at| std::fs::read(at.path()).unwrap().len());
    assert!(lengths[0] > 0 && lengths[1] == 0, "{lengths:?}");
    assert_eq!(last_run(&other).unwrap(), None);
    assert!(!directory.path().join(MANIFEST_NAME).exists());

    // A copy takes the place of a file with another name, under the same name.
    std::fs::hard_link(one.path(), directory.path().join("copy")).unwrap();
    drop(ManifestWriter::open(&root, &one).unwrap());
    assert_eq!(std::fs::read(one.path()).unwrap().len(), lengths[0]);
}
