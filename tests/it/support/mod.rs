//! Shared by all tests: the program, run in a directory of its own, and servers.

pub mod canned;
pub mod encoders;
pub mod proxy;

use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, lchown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use fetchpages::origin::{Options, Origin};
use serde_json::Value;

/// A directory in which a test runs the program; removed at the end.
pub struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file and returns its path as text.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .unwrap();
        file.write_all(content.as_ref()).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        let path = self.path(name);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    /// The names in a folder, sorted, without the manifest.
    pub fn names(&self, folder: &str) -> Vec<String> {
        names_in(&self.path(folder))
    }

    /// Returns all records of the manifest in `pages`.
    pub fn records(&self) -> Vec<Value> {
        self.text("pages/manifest.jsonl")
            .lines()
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))
            })
            .collect()
    }

    /// Returns the page records of the manifest in `pages`.
    pub fn pages(&self) -> Vec<Value> {
        self.records().into_iter().filter(|record| record["kind"] == "page").collect()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fetchpages"));
        command.args(arguments);
        self.settle(&mut command);
        command
    }

    /// Makes `command` run in this directory, without the variables that the program reads.
    fn settle(&self, command: &mut Command) {
        command.current_dir(self.dir.path()).env_remove("FETCHPAGES_CONTACT");
        for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
            command.env_remove(name).env_remove(name.to_uppercase());
        }
    }

    /// Returns the program's command, with at most `files` open files.
    pub fn command_with_files(&self, files: u32, arguments: &[&str]) -> Command {
        let mut command = Command::new("sh");
        let limited = format!("ulimit -n {files} && exec \"$0\" \"$@\"");
        command.args(["-c", &limited, env!("CARGO_BIN_EXE_fetchpages")]).args(arguments);
        self.settle(&mut command);
        command
    }

    /// Runs the program to its end as the child of a shell. A process inherits the memory peak of
    /// the process that it is forked from, and the peak of the test program may be large.
    pub fn run_apart(&self, arguments: &[&str]) -> Ended {
        let mut command = Command::new("sh");
        // The second command keeps the shell from replacing itself by the program.
        let apart = "\"$0\" \"$@\"; exit $?";
        command.args(["-c", apart, env!("CARGO_BIN_EXE_fetchpages")]).args(arguments);
        self.settle(&mut command);
        Ended::of(command.stdin(Stdio::null()).output().unwrap())
    }

    /// Runs the program to its end with these variables set.
    pub fn run_in(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Ended {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied()).stdin(Stdio::null());
        Ended::of(command.output().unwrap())
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.command(arguments).stdin(Stdio::null()).output().unwrap())
    }

    /// Runs the program to its end as a user to whom permissions apply; they do not apply to root.
    /// The files of this directory belong to that user afterwards.
    pub fn run_unprivileged(&self, arguments: &[&str]) -> Ended {
        const NOBODY: u32 = 65534;
        let mut command = self.command(arguments);
        command.stdin(Stdio::null());
        // The owner of a new file shows which user runs the tests.
        if tempfile::tempfile().unwrap().metadata().unwrap().uid() != 0 {
            return Ended::of(command.output().unwrap());
        }
        give(self.dir.path(), NOBODY);
        match command.uid(NOBODY).gid(NOBODY).output() {
            // The program is in a folder that only root can read.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                let copy = self.path("fetchpages");
                std::fs::copy(env!("CARGO_BIN_EXE_fetchpages"), &copy).unwrap();
                let mut command = Command::new(copy);
                self.settle(command.args(arguments).stdin(Stdio::null()));
                Ended::of(command.uid(NOBODY).gid(NOBODY).output().unwrap())
            }
            output => Ended::of(output.unwrap()),
        }
    }

    /// Runs the program with `input` as standard input.
    pub fn run_with(&self, input: &[u8], arguments: &[&str]) -> Ended {
        let mut child = self.start(arguments);
        child.stdin.take().unwrap().write_all(input).unwrap();
        Ended::of(child.wait_with_output().unwrap())
    }

    /// Starts the program with pipes.
    pub fn start(&self, arguments: &[&str]) -> Child {
        Self::start_piped(&mut self.command(arguments))
    }

    /// Starts the program with pipes, as the first of a process group of its own.
    pub fn start_in_group(&self, arguments: &[&str]) -> Child {
        Self::start_piped(self.command(arguments).process_group(0))
    }

    fn start_piped(command: &mut Command) -> Child {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }
}

/// Makes `user` the owner of everything at `path`.
fn give(path: &Path, user: u32) {
    lchown(path, Some(user), Some(user)).unwrap();
    if !path.is_symlink() && path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            give(&entry.unwrap().path(), user);
        }
    }
}

pub fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "manifest.jsonl")
        .collect();
    names.sort();
    names
}

/// How a run of the program ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    pub fn of(output: Output) -> Self {
        let ended = Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
        ended
    }

    /// Checks the exit code, and returns the run.
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Checks that standard error contains all of these texts.
    #[track_caller]
    pub fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.stderr.contains(text), "{text:?} is not in {self:#?}");
        }
        self
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

/// The embedded site with `pages` pages.
pub fn origin(pages: usize) -> Origin {
    Origin::start(&Options { pages, ..Options::default() }).unwrap()
}
