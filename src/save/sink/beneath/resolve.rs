//! Opens and makes folders below a directory without following links.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::fcntl::{self, AtFlags, OFlag};
use nix::sys::stat::{self, Mode, SFlag};

use super::status::is_kind;

/// The flags for opening a folder to look up names in it. The user needs permission to enter
/// the folder, not to list it.
pub(super) const HANDLE: OFlag = system::TO_ENTER.union(OFlag::O_DIRECTORY).union(OFlag::O_CLOEXEC);
/// The permissions of a new folder, before the user's mask.
const NEW_FOLDER: Mode = Mode::from_bits_truncate(0o777);
/// The attempts at making a folder that another program removes each time.
const TRIES: usize = 8;

/// Opens folders.
#[derive(Debug)]
pub(super) struct Resolver {
    /// Whether the system can open a path of several parts without following links, as far as
    /// is known.
    opens_at_once: AtomicBool,
}

impl Resolver {
    pub(super) const fn new() -> Self {
        Self { opens_at_once: AtomicBool::new(true) }
    }

    /// Opens the folder `folder` below `root`.
    pub(super) fn open(&self, root: &OwnedFd, folder: &str) -> io::Result<OwnedFd> {
        if self.opens_at_once.load(Ordering::Relaxed) {
            match system::open(root, folder) {
                // Linux before 5.6 does not know the call, and some sandboxes forbid it.
                Err(Errno::ENOSYS | Errno::EPERM | Errno::EINVAL | Errno::E2BIG) => {
                    self.step_from_now_on();
                }
                // The system could not be sure, because folders were moved meanwhile (openat2(2)).
                Err(Errno::EAGAIN) => (),
                opened => return Ok(opened?),
            }
        }
        let mut parts = folder.split('/');
        let first = step(root, parts.next().unwrap_or_default())?;
        Ok(parts.try_fold(first, step)?)
    }

    /// Opens folders part by part from now on.
    pub(super) fn step_from_now_on(&self) {
        self.opens_at_once.store(false, Ordering::Relaxed);
    }
}

/// Opens the folder `part` in `at`.
fn step(at: impl AsFd, part: &str) -> nix::Result<OwnedFd> {
    fcntl::openat(at, part, HANDLE | OFlag::O_NOFOLLOW, Mode::empty())
}

/// Opens the folder `folder` below `root`, and makes the parts of it that are missing. An
/// error comes with the folder in question.
pub(super) fn make<'a>(root: &OwnedFd, folder: &'a str) -> Result<OwnedFd, (&'a str, io::Error)> {
    for _ in 0..TRIES {
        match make_parts(root, folder) {
            // The folder around it was removed meanwhile, so that one is made again too.
            Err((path, Errno::ENOENT)) if path.contains('/') => (),
            made => return made.map_err(|(path, error)| (path, error.into())),
        }
    }
    Err((folder, io::ErrorKind::ResourceBusy.into()))
}

fn make_parts<'a>(root: &OwnedFd, folder: &'a str) -> Result<OwnedFd, (&'a str, Errno)> {
    let mut made: Option<OwnedFd> = None;
    for (path, part) in parts(folder) {
        let at = made.as_ref().unwrap_or(root);
        made = Some(make_part(at, part).map_err(|error| (path, error))?);
    }
    Ok(made.expect("a text has a first part"))
}

fn make_part(at: &OwnedFd, part: &str) -> nix::Result<OwnedFd> {
    for _ in 0..TRIES {
        match step(at, part) {
            Err(Errno::ENOENT) => (),
            opened => return opened,
        }
        match stat::mkdirat(at, part, NEW_FOLDER) {
            Ok(()) | Err(Errno::EEXIST) => (),
            Err(error) => return Err(error),
        }
    }
    Err(Errno::EBUSY)
}

/// Each part of `folder` with the path up to it.
fn parts(folder: &str) -> impl Iterator<Item = (&str, &str)> {
    let ends = folder.match_indices('/').map(|(end, _)| end).chain([folder.len()]);
    ends.map(|end| (&folder[..end], folder[..end].rsplit('/').next().unwrap_or_default()))
}

/// Returns the first part of `folder` that exists and is not a folder, and whether it is a
/// link. For messages only, because another program may change it at any time.
pub(super) fn obstacle<'a>(root: &OwnedFd, folder: &'a str) -> Option<(&'a str, bool)> {
    let mut at: Option<OwnedFd> = None;
    for (path, part) in parts(folder) {
        let parent = at.as_ref().unwrap_or(root);
        let found = stat::fstatat(parent, part, AtFlags::AT_SYMLINK_NOFOLLOW).ok()?;
        if !is_kind(&found, SFlag::S_IFDIR) {
            return Some((path, is_kind(&found, SFlag::S_IFLNK)));
        }
        at = Some(step(parent, part).ok()?);
    }
    None
}

#[cfg(target_os = "linux")]
mod system {
    use nix::fcntl::{self, OFlag, OpenHow, ResolveFlag};

    use super::{HANDLE, OwnedFd};

    pub(super) const TO_ENTER: OFlag = OFlag::O_PATH;

    pub(super) fn open(root: &OwnedFd, folder: &str) -> nix::Result<OwnedFd> {
        let how = OpenHow::new()
            .flags(HANDLE)
            .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS);
        fcntl::openat2(root, folder, how)
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use nix::fcntl::OFlag;

    use super::{Errno, OwnedFd};

    pub(super) const TO_ENTER: OFlag = OFlag::O_RDONLY;

    pub(super) fn open(_: &OwnedFd, _: &str) -> nix::Result<OwnedFd> {
        Err(Errno::ENOSYS)
    }
}
