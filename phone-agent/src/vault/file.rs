use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::{Ends, Error, Exclusive, Medium, VaultId, Withdrawal, format};
use crate::defaults;

/// A vault in a file.
///
/// Written beside and renamed: the new bytes go to `.NAME.new` in the same
/// folder, are forced to the disk, take the name, and the folder is forced to
/// the disk. A kill at any moment leaves the old vault or the new one; a folder
/// that the disk does not take is [`Error::Unconfirmed`]. Writers
/// take turns through a lock on `NAME.lock`, which stays: removing it would
/// let two of them hold a lock on two files of the same name.
#[derive(Debug)]
pub(super) struct FileMedium {
    path: PathBuf,
    state_folder: Option<PathBuf>,
    /// Forces the folder of a file to the disk.
    sync_folder: fn(&Path) -> std::io::Result<()>,
}

impl FileMedium {
    pub(super) fn new(path: PathBuf, state_folder: Option<PathBuf>) -> Self {
        Self { path, state_folder, sync_folder }
    }

    /// The file itself, where the path is a link to it: the rename must hit
    /// the file and not the link. Links to folders on the way do no harm.
    fn resolved(&self) -> PathBuf {
        let is_link = fs::symlink_metadata(&self.path).is_ok_and(|found| found.is_symlink());
        let file = is_link.then(|| fs::canonicalize(&self.path).ok()).flatten();
        file.unwrap_or_else(|| self.path.clone())
    }

    fn anchor_path(&self, vault: &VaultId) -> Option<PathBuf> {
        let hex: String = vault.iter().map(|byte| format!("{byte:02x}")).collect();
        self.state_folder.as_ref().map(|folder| folder.join(format!("vault-{hex}.generation")))
    }
}

impl Medium for FileMedium {
    fn read(&self) -> Result<Vec<u8>, Error> {
        Ok(fs::read(&self.path)?)
    }

    fn ends(&self) -> Result<Ends, Error> {
        // A vault is never written in its place, so what is open stays whole.
        let mut file = File::open(&self.path)?;
        let up_to = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        let mut first = Vec::with_capacity(format::HEADER);
        (&file).take(up_to(format::HEADER)).read_to_end(&mut first)?;
        let length = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(length.saturating_sub(up_to(format::CLOSING_TAG))))?;
        let mut last = Vec::with_capacity(format::CLOSING_TAG);
        file.take(up_to(format::CLOSING_TAG)).read_to_end(&mut last)?;
        Ok(Ends { length, first, last })
    }

    fn lock(&self, withdrawal: &Withdrawal) -> Result<Box<dyn Exclusive + '_>, Error> {
        let path = self.resolved();
        let name = beside(&path, "", ".lock");
        let lock = with_folder(&name, || private(OpenOptions::new().create(true).write(true)).open(&name))?;
        for _ in 0..defaults::VAULT_LOCK_TRIES {
            match lock.try_lock() {
                Ok(()) => return Ok(Box::new(Writing { medium: self, path, _lock: lock })),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(error.into()),
            }
            withdrawal.check()?;
            std::thread::sleep(defaults::VAULT_LOCK_PAUSE);
        }
        Err(Error::InUse)
    }

    fn anchor(&self, vault: &VaultId) -> Option<u64> {
        fs::read_to_string(self.anchor_path(vault)?).ok()?.trim_end().parse().ok()
    }
}

struct Writing<'a> {
    medium: &'a FileMedium,
    path: PathBuf,
    /// Released when the file is closed, be it by the kernel after a kill.
    _lock: File,
}

impl Exclusive for Writing<'_> {
    fn exists(&self) -> bool {
        is_taken(&self.path)
    }

    fn replace(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let new = beside(&self.path, ".", ".new");
        write_beside(&new, bytes)?;
        if let Err(error) = fs::rename(&new, &self.path) {
            let _ = fs::remove_file(&new);
            return Err(error.into());
        }
        (self.medium.sync_folder)(&self.path).map_err(|_| Error::Unconfirmed)
    }

    fn set_anchor(&mut self, vault: &VaultId, generation: u64) {
        let Some(path) = self.medium.anchor_path(vault) else { return };
        // Not forced to the disk: an anchor that is too old, cut short or empty
        // does no harm. Over what is there rather than into an emptied file,
        // which some file systems write out at once.
        let _ = with_folder(&path, || write_over(&path, format!("{generation}\n").as_bytes()));
    }
}

/// Writes a file in its place.
fn write_over(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().create(true).write(true).truncate(false).open(path)?;
    file.write_all(bytes)?;
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if file.metadata()?.len() == length { Ok(()) } else { file.set_len(length) }
}

/// Writes a file that is not there, and leaves nothing where that fails.
fn write_beside(new: &Path, bytes: &[u8]) -> std::io::Result<()> {
    // What a killed writer left behind.
    let _ = fs::remove_file(new);
    // `create_new` does not follow a link that somebody laid here.
    let written = private(OpenOptions::new().create_new(true).write(true)).open(new).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    if written.is_err() {
        let _ = fs::remove_file(new);
    }
    written
}

/// A whole file for the owner alone, on the disk beside the name that it is
/// to have. Removed on drop, and left as `.NAME.new` by a kill.
#[derive(Debug)]
pub(super) struct Pending {
    new: PathBuf,
    path: PathBuf,
}

impl Pending {
    /// Writes it, where there is none of that name.
    pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<Self, Error> {
        if is_taken(path) {
            return Err(Error::Exists);
        }
        let new = beside(path, ".", ".new");
        write_beside(&new, bytes)?;
        Ok(Self { new, path: path.to_owned() })
    }

    /// Gives it its name. Never takes the place of another, not even of one
    /// that came up meanwhile.
    pub(super) fn place(self) -> Result<(), Error> {
        let Self { new, path } = &self;
        // A link does not replace, as a rename does. File systems without
        // links are not worth losing the backup.
        match fs::hard_link(new, path) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists && !is_taken(path) => {
                fs::rename(new, path)?;
            }
            linked => linked?,
        }
        sync_folder(path).map_err(|_| Error::Unconfirmed)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.new);
    }
}

/// A dangling link counts: something is meant to be there.
fn is_taken(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Without this the rename itself may be lost with the power.
#[cfg(unix)]
fn sync_folder(path: &Path) -> std::io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

/// Elsewhere a folder cannot be opened, and the rename is forced by itself.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// Readable and writable by the owner alone.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// What is done with a file, once more if its folder had to be made first.
fn with_folder<T>(path: &Path, work: impl Fn() -> std::io::Result<T>) -> std::io::Result<T> {
    match (work(), path.parent()) {
        (Err(error), Some(folder)) if error.kind() == std::io::ErrorKind::NotFound => {
            make_folder(folder)?;
            work()
        }
        (done, _) => done,
    }
}

/// The folder, made for the owner alone where it does not exist.
fn make_folder(folder: &Path) -> std::io::Result<()> {
    if folder.as_os_str().is_empty() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

/// A name in the same folder.
fn beside(path: &Path, before: &str, after: &str) -> PathBuf {
    let mut name = OsString::from(before);
    name.push(path.file_name().unwrap_or_default());
    name.push(after);
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_folder(folder: &Path, sync_folder: fn(&Path) -> std::io::Result<()>) -> FileMedium {
        FileMedium { path: folder.join("vault"), state_folder: None, sync_folder }
    }

    #[test]
    fn a_folder_that_cannot_be_forced_to_the_disk_is_told_and_the_new_bytes_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let sound = in_folder(folder.path(), sync_folder);
        assert_eq!(sound.lock(&Withdrawal::default()).unwrap().replace(b"old"), Ok(()));
        let unsound = in_folder(folder.path(), |_| Err(std::io::ErrorKind::Other.into()));
        assert_eq!(unsound.lock(&Withdrawal::default()).unwrap().replace(b"new"), Err(Error::Unconfirmed));
        assert_eq!(sound.read(), Ok(b"new".to_vec()));
    }

    #[test]
    fn a_rename_that_fails_leaves_the_old_bytes_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let medium = in_folder(folder.path(), sync_folder);
        let mut guard = medium.lock(&Withdrawal::default()).unwrap();
        // A folder cannot be replaced by a file.
        fs::create_dir(folder.path().join("vault")).unwrap();
        assert!(matches!(guard.replace(b"new"), Err(Error::Io(_))));
        drop(guard);
        let mut left: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["vault", "vault.lock"]);
    }

    #[test]
    fn the_ends_of_a_file_are_those_of_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let medium = in_folder(folder.path(), sync_folder);
        assert_eq!(medium.ends(), Err(Error::NotFound));
        let bytes: Vec<u8> = (0..=255).collect();
        for length in 0..=bytes.len() {
            fs::write(&medium.path, &bytes[..length]).unwrap();
            assert_eq!(medium.ends(), Ok(Ends::of(&bytes[..length])), "{length} bytes");
        }
        let ends = Ends::of(&bytes);
        assert_eq!((ends.first.as_slice(), ends.last.as_slice()), (&bytes[..94], &bytes[224..]));
    }

    #[test]
    fn an_anchor_is_the_last_that_was_written_however_long_the_others_were() {
        let folder = tempfile::tempdir().unwrap();
        let medium = FileMedium::new(folder.path().join("vault"), Some(folder.path().join("state")));
        let mut guard = medium.lock(&Withdrawal::default()).unwrap();
        assert_eq!(medium.anchor(&[7; 16]), None);
        for generation in [9, 10, 11, 123_456, 2, 1] {
            guard.set_anchor(&[7; 16], generation);
            assert_eq!(medium.anchor(&[7; 16]), Some(generation));
            let text = fs::read_to_string(medium.anchor_path(&[7; 16]).unwrap()).unwrap();
            assert_eq!(text, format!("{generation}\n"));
        }
    }

    #[test]
    fn a_new_file_takes_nobodys_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("backup");
        let write_new = |path: &Path, bytes: &[u8]| Pending::write(path, bytes)?.place();
        assert_eq!(write_new(&path, b"first"), Ok(()));
        assert_eq!(write_new(&path, b"second"), Err(Error::Exists));
        let dangling = folder.path().join("link");
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(folder.path().join("nowhere"), &dangling).unwrap();
            assert_eq!(write_new(&dangling, b"third"), Err(Error::Exists));
        }
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert!(!folder.path().join(".backup.new").exists());
    }
}
