//! Lists a folder.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::AsFd;

use nix::dir::{Dir, Type};
use nix::errno::Errno;
use nix::fcntl::{self, AtFlags, OFlag};
use nix::sys::stat::{self, Mode, SFlag};

use super::status::is_kind;

const TO_LIST: OFlag = OFlag::O_RDONLY
    .union(OFlag::O_DIRECTORY)
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_NONBLOCK)
    .union(OFlag::O_CLOEXEC);

/// A folder that is open for listing.
pub(in crate::save) struct Listing(Dir);

/// A kind of directory entry other than a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::save) enum Listed {
    File,
    Link,
    /// A device, a pipe, a socket.
    Other,
}

/// The result of opening a folder that was listed.
pub(in crate::save) enum Opened {
    Folder(Listing),
    /// It does not exist any more.
    Gone,
    /// Something else has its name now.
    Replaced,
    /// It may be neither listed nor entered: nothing in it can be reached.
    Closed,
}

impl Listing {
    pub(super) fn of(folder: &impl AsFd) -> io::Result<Self> {
        Ok(Self(Dir::openat(folder, ".", TO_LIST, Mode::empty())?))
    }

    /// Calls `visit` for each name that is not a folder's, and returns the names of folders.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read, and the errors of `visit`.
    pub(in crate::save) fn read<E: From<io::Error>>(
        &mut self,
        mut visit: impl FnMut(&CStr, Listed) -> Result<(), E>,
    ) -> Result<Vec<CString>, E> {
        let (mut folders, mut unknown) = (Vec::new(), Vec::new());
        for entry in self.0.iter() {
            let entry = entry.map_err(io::Error::from)?;
            let name = entry.file_name();
            match entry.file_type() {
                _ if matches!(name.to_bytes(), b"." | b"..") => (),
                Some(Type::File) => visit(name, Listed::File)?,
                Some(Type::Symlink) => visit(name, Listed::Link)?,
                Some(Type::Directory) => folders.push(name.to_owned()),
                Some(_) => visit(name, Listed::Other)?,
                // Some file systems do not report the kind (readdir(3)).
                None => unknown.push(name.to_owned()),
            }
        }
        for name in unknown {
            match stat::fstatat(&self.0, name.as_c_str(), AtFlags::AT_SYMLINK_NOFOLLOW) {
                Err(Errno::ENOENT) => (),
                Err(error) => return Err(io::Error::from(error).into()),
                Ok(found) if is_kind(&found, SFlag::S_IFDIR) => folders.push(name),
                Ok(found) if is_kind(&found, SFlag::S_IFREG) => visit(&name, Listed::File)?,
                Ok(found) if is_kind(&found, SFlag::S_IFLNK) => visit(&name, Listed::Link)?,
                Ok(_) => visit(&name, Listed::Other)?,
            }
        }
        Ok(folders)
    }

    /// Opens the folder `name` in this one.
    ///
    /// # Errors
    ///
    /// When it may be entered but not listed, or the system does not allow it.
    pub(in crate::save) fn open(&self, name: &CStr) -> io::Result<Opened> {
        match fcntl::openat(&self.0, name, TO_LIST, Mode::empty()) {
            Ok(folder) => Ok(Opened::Folder(Self(Dir::from_fd(folder)?))),
            Err(Errno::ENOENT) => Ok(Opened::Gone),
            Err(Errno::ELOOP | Errno::ENOTDIR) => Ok(Opened::Replaced),
            Err(Errno::EACCES) if self.is_closed(name) => Ok(Opened::Closed),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the folder `name` may not be entered either.
    fn is_closed(&self, name: &CStr) -> bool {
        let path = [name.to_bytes(), b"/."].concat();
        stat::fstatat(&self.0, path.as_slice(), AtFlags::AT_SYMLINK_NOFOLLOW) == Err(Errno::EACCES)
    }
}
