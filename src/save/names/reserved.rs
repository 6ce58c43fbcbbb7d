//! Names in an output that no page ever gets: the manifest's, and those of staged files.

/// The manifest's name in an output directory.
pub const MANIFEST_NAME: &str = "manifest.jsonl";

/// The beginning of the names of staged files.
const PREFIX: &str = ".fetchpages-";
/// The end of the names of staged files. No page's name ends like this, so a page never gets
/// the name of a staged file.
const SUFFIX: &str = ".part";

/// Returns the name of staged file `number` of this process.
pub(in crate::save) fn staged_name(number: u64) -> String {
    format!("{PREFIX}{}-{number}{SUFFIX}", std::process::id())
}

/// Returns the name under which this process stages a copy of a manifest. No page has its
/// number.
pub(in crate::save) fn staged_manifest_name() -> String {
    staged_name(u64::MAX)
}

/// Whether `name` is the name of a staged file.
pub fn is_staged(name: &str) -> bool {
    numbers(name).is_some()
}

/// Returns the number of the process that staged the file `name`.
pub(in crate::save) fn stager(name: &str) -> Option<u32> {
    numbers(name)?.0.parse().ok()
}

/// Returns the numbers of the process and of the file from the name of a staged file.
fn numbers(name: &str) -> Option<(&str, &str)> {
    let numbers = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    numbers.split_once('-').filter(|(process, number)| is_number(process) && is_number(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_a_stage_gives_are_staged() {
        assert!(is_staged(".fetchpages-123-0.part"));
        assert!(is_staged(&staged_name(7)) && is_staged(&staged_manifest_name()));
        assert_eq!(stager(&staged_name(7)), Some(std::process::id()));
        for name in ["notes", "-1", "1-", "1-2-3", "1-x", ""] {
            assert!(!is_staged(&format!(".fetchpages-{name}.part")), "{name}");
        }
    }
}
