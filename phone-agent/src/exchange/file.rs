//! Files of others, and for them.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use zeroize::Zeroizing;

use super::Error;
use super::buffer::Cleared;
use crate::defaults;

/// A whole file.
///
/// # Errors
/// [`Error::TooLarge`], and what the system says.
pub fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, crate::error::Error> {
    let failed = |cause: io::Error| {
        let what = format!("cannot read {}", path.display());
        crate::error::Error::Io { what, cause: cause.to_string() }
    };
    let mut file = File::open(path).map_err(failed)?;
    let read = Cleared::read(&mut file, defaults::MAX_EXCHANGE_FILE).map_err(failed)?;
    Ok(read.ok_or(Error::TooLarge)?)
}

/// Whether a file may be written there.
///
/// # Errors
/// [`Error::Exists`], unless it may be replaced.
pub fn check(path: &Path, replace: bool) -> Result<(), Error> {
    // A dangling link counts: something is meant to be there.
    if !replace && fs::symlink_metadata(path).is_ok() { Err(Error::Exists) } else { Ok(()) }
}

/// Writes a file for its owner alone: beside, forced to the disk, and then
/// under its name, so that there is never half of it.
///
/// # Errors
/// [`Error::Exists`], and what the system says.
pub fn write(path: &Path, bytes: &[u8], replace: bool) -> Result<(), crate::error::Error> {
    check(path, replace)?;
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    let new = path.with_file_name(name);
    // What a killed export left behind.
    let _ = fs::remove_file(&new);
    let written = write_beside(&new, path, bytes, replace);
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written.map_err(|cause| match cause.kind() {
        io::ErrorKind::AlreadyExists if !replace => Error::Exists.into(),
        _ => {
            let what = format!("cannot write {}", path.display());
            crate::error::Error::Io { what, cause: cause.to_string() }
        }
    })
}

fn write_beside(new: &Path, path: &Path, bytes: &[u8], replace: bool) -> io::Result<()> {
    let mut options = OpenOptions::new();
    // `create_new` does not follow a link that somebody laid here.
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    if replace {
        return fs::rename(new, path);
    }
    // A rename would replace what somebody put there just now; a second name
    // does not. Not every file system has second names.
    match fs::hard_link(new, path) {
        Ok(()) => fs::remove_file(new),
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => Err(cause),
        Err(_) if fs::symlink_metadata(path).is_ok() => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(new, path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_its_owners_and_replaced_only_on_request() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("export");
        write(&path, b"one", false).unwrap();
        let again = write(&path, b"two", false).unwrap_err();
        assert_eq!(again.advice().1, "export.exists");
        assert_eq!(fs::read(&path).unwrap(), b"one");
        write(&path, b"two", true).unwrap();
        assert_eq!(*read(&path).unwrap(), b"two");
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600);
            let link = folder.path().join("link");
            std::os::unix::fs::symlink(folder.path().join("nowhere"), &link).unwrap();
            assert_eq!(check(&link, false), Err(Error::Exists));
        }
        assert_eq!(
            fs::read_dir(folder.path())
                .unwrap()
                .filter(|entry| entry.as_ref().unwrap().file_name() == ".export.new")
                .count(),
            0
        );
    }

    #[test]
    fn a_file_that_is_too_large_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large");
        let file = File::create(&path).unwrap();
        file.set_len(u64::try_from(defaults::MAX_EXCHANGE_FILE).unwrap() + 1).unwrap();
        assert_eq!(read(&path).unwrap_err().advice().1, "import.too-large");
        assert_eq!(read(folder.path()).unwrap_err().advice().1, "system.io");
    }
}
