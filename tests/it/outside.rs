//! The program writes nothing outside the output directory, even if links replace its folders.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::support::Place;
use crate::support::canned::{Canned, Reply, html};

/// Returns the folder of the host at `url` with the layout `tree`.
fn host(url: &str) -> String {
    url.split('/').nth(2).unwrap().replace(':', "%3A")
}

#[test]
fn a_link_planted_during_the_run_costs_its_pages_and_leads_nowhere() {
    for mode in ["sequential", "threads", "async", "processes"] {
        let place = Place::new();
        place.file("victim/mine", "mine");
        let (folder, victim) = (place.path("pages"), place.path("victim"));
        let server = Canned::start(move |request| {
            if request.path.starts_with("/docs/") {
                let folder = folder.join(request.header("host").unwrap().replace(':', "%3A"));
                fs::create_dir_all(&folder).unwrap();
                // Only the first run finds the place free.
                let _ = symlink(&victim, folder.join("docs"));
            }
            Reply::Raw(html(&request.path))
        });
        let urls = ["/docs/a", "/docs/deeper/b", "/other/c"].map(|path| server.url(path));
        let mut arguments: Vec<_> = urls.iter().map(String::as_str).collect();
        arguments.extend(["--layout", "tree", "--mode", mode, "--json"]);
        let summary = place.run(&arguments).code(3).json();
        assert_eq!(summary["saved"], 1, "{mode}");
        assert_eq!(summary["failures"]["save"], 2, "{mode}");
        let link = format!("pages/{}/docs is a symbolic link", host(&urls[0]));
        for page in place.pages().iter().filter(|page| page["state"] == "failed") {
            assert!(page["error"]["message"].as_str().unwrap().contains(&link), "{page:#}");
        }
        assert_eq!(place.names("victim"), ["mine"]);
        // The link exists before the next run, which then chooses another folder for the pages.
        let summary = place.run(&[&arguments[..], &["-c"]].concat()).code(0).json();
        assert_eq!([&summary["saved"], &summary["skipped"]], [2, 1], "{mode}");
        assert_eq!(place.names("victim"), ["mine"]);
    }
}

#[test]
fn a_folder_that_may_hide_a_link_is_named_and_one_that_nobody_enters_is_not() {
    let server = Canned::always(html("x"));
    let place = Place::new();
    place.file("victim/mine", "mine");
    let url = server.url("/docs/page");
    let run = [&url, "--layout", "tree"];
    place.run(&run).code(0);
    let folder = format!("pages/{}", host(&url));
    fs::remove_dir_all(place.path(&folder).join("docs")).unwrap();
    symlink(place.path("victim"), place.path(&folder).join("docs")).unwrap();
    let allow = |folder: &str, mode| {
        fs::set_permissions(place.path(folder), Permissions::from_mode(mode)).unwrap();
    };
    allow(&folder, 0o311);
    let said = format!("error: failed to list the folder {folder}");
    for arguments in [&run[..], &["verify", "pages"]] {
        place.run_unprivileged(arguments).code(1).says(&[
            &said,
            "caused by: Permission denied",
            "hint: allow it to be read (chmod u+rx), or move it out of the output directory",
        ]);
    }
    allow(&folder, 0o755);
    // For example the folder of a file system: no page can be saved in it.
    fs::create_dir(place.path("pages/lost+found")).unwrap();
    allow("pages/lost+found", 0);
    place.run_unprivileged(&run).code(0);
    allow("pages/lost+found", 0o755);
    assert_eq!(place.names("victim"), ["mine"]);
}

#[test]
fn a_pipe_in_the_place_of_the_manifest_blocks_nothing() {
    let server = Canned::always(html("x"));
    let place = Place::new();
    fs::create_dir(place.path("pages")).unwrap();
    let pipe = place.path("pages/manifest.jsonl");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    for arguments in [&[&*server.url("/a")][..], &["-c"], &["verify", "pages"]] {
        place.run(arguments).code(1).says(&["is not a manifest"]);
    }
}
