//! The passphrase, and where it comes from.

use std::fs::File;
use std::future::Future;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::consent::terminal::in_thread;
use crate::defaults;

/// What opens the vault. Cleared on drop, never printed.
pub struct Passphrase(Zeroizing<Vec<u8>>);

/// Why there is no passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPassphrase {
    /// There is nobody, or no terminal, to ask.
    #[error("there is no terminal to ask for the passphrase")]
    CannotAsk,
    /// The person gave none.
    #[error("no passphrase was given")]
    Declined,
    /// The file cannot be read.
    #[error("the passphrase file cannot be read: {0}")]
    File(std::io::ErrorKind),
    /// Nothing in it, or nothing typed.
    #[error("the passphrase is empty")]
    Empty,
    /// More than any passphrase.
    #[error("the passphrase is longer than {} bytes", defaults::MAX_PASSPHRASE)]
    TooLong,
    /// Typed twice, differently.
    #[error("the two passphrases differ")]
    Differ,
}

impl Passphrase {
    /// The passphrase made of these bytes.
    ///
    /// # Errors
    /// [`NoPassphrase::Empty`], [`NoPassphrase::TooLong`].
    pub fn new(bytes: Vec<u8>) -> Result<Self, NoPassphrase> {
        let bytes = Zeroizing::new(bytes);
        match bytes.len() {
            0 => Err(NoPassphrase::Empty),
            1..=defaults::MAX_PASSPHRASE => Ok(Self(bytes)),
            _ => Err(NoPassphrase::TooLong),
        }
    }

    /// Reads a file up to its end, without the one line end there.
    ///
    /// # Errors
    /// [`NoPassphrase::File`], [`NoPassphrase::Empty`], [`NoPassphrase::TooLong`].
    pub fn from_file(path: &Path) -> Result<Self, NoPassphrase> {
        let failed = |error: std::io::Error| NoPassphrase::File(error.kind());
        // Room for the longest and its line end, so that nothing is moved
        // while it grows.
        let mut bytes = Zeroizing::new(Vec::with_capacity(defaults::MAX_PASSPHRASE + 3));
        let limit = u64::try_from(defaults::MAX_PASSPHRASE + 3).unwrap_or(u64::MAX);
        File::open(path).map_err(failed)?.take(limit).read_to_end(&mut bytes).map_err(failed)?;
        for end in [b'\n', b'\r'] {
            if bytes.last() == Some(&end) {
                bytes.pop();
            } else if end == b'\n' {
                break;
            }
        }
        Self::new(std::mem::take(&mut *bytes))
    }

    /// The bytes, for whoever must have them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// Gives the passphrase once for each request: that is how the user is
/// verified for this very request.
pub trait Passphrases {
    /// The passphrase. `wrong_before` counts those that did not open the
    /// vault in this request.
    fn ask(&mut self, wrong_before: u32) -> impl Future<Output = Result<Passphrase, NoPassphrase>> + Send;

    /// How often it is worth asking in one request.
    fn tries(&self) -> u32;
}

/// Where a passphrase comes from at the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file, read again each time.
    File(PathBuf),
    /// The terminal.
    Terminal,
}

impl Source {
    /// A new passphrase, typed twice where it is typed.
    ///
    /// # Errors
    /// Any [`NoPassphrase`].
    pub fn choose(&self) -> Result<Passphrase, NoPassphrase> {
        match self {
            Source::File(path) => Passphrase::from_file(path),
            Source::Terminal => ask_twice("new passphrase for the vault: "),
        }
    }

    /// The passphrase of a vault that is there. `wrong_before` counts those
    /// that were wrong just now.
    ///
    /// # Errors
    /// Any [`NoPassphrase`].
    pub fn read(&self, wrong_before: u32) -> Result<Passphrase, NoPassphrase> {
        match self {
            Source::File(path) => Passphrase::from_file(path),
            Source::Terminal if wrong_before == 0 => prompt("passphrase of the vault: "),
            Source::Terminal => prompt("that was wrong; passphrase of the vault: "),
        }
    }
}

/// Gives the passphrase for each request from a [`Source`].
#[derive(Debug)]
pub struct FromSource {
    source: Source,
    asking: Option<JoinHandle<()>>,
}

impl FromSource {
    /// Asks this source.
    pub fn new(source: Source) -> Self {
        Self { source, asking: None }
    }
}

impl Passphrases for FromSource {
    async fn ask(&mut self, wrong_before: u32) -> Result<Passphrase, NoPassphrase> {
        if wrong_before > 0 {
            // A guess a second is enough for whoever mistypes.
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let source = self.source.clone();
        let (thread, answer) = in_thread(move || source.read(wrong_before));
        self.asking = thread;
        answer.await.unwrap_or(Err(NoPassphrase::CannotAsk))
    }

    fn tries(&self) -> u32 {
        match self.source {
            // The file would say the same again.
            Source::File(_) => 1,
            Source::Terminal => defaults::PASSPHRASE_TRIES,
        }
    }
}

impl Drop for FromSource {
    /// A prompt that nobody answered holds the terminal without echo. It
    /// gives it back after a line, so one is asked for.
    fn drop(&mut self) {
        let Some(thread) = self.asking.take().filter(|thread| !thread.is_finished()) else { return };
        if self.source == Source::Terminal {
            let _ = writeln!(std::io::stderr(), "\nno passphrase is needed any more: press Enter");
            let _ = thread.join();
        }
    }
}

/// Asks at the terminal, and again, without echo.
pub(crate) fn ask_twice(text: &str) -> Result<Passphrase, NoPassphrase> {
    let (first, second) = (prompt(text)?, prompt("the same again: ")?);
    let same = subtle::ConstantTimeEq::ct_eq(first.expose(), second.expose());
    if bool::from(same) { Ok(first) } else { Err(NoPassphrase::Differ) }
}

/// Asks at the terminal, without echo.
///
/// # Errors
/// [`NoPassphrase::Declined`], [`NoPassphrase::CannotAsk`], and those of
/// [`Passphrase::new`].
pub(crate) fn prompt(text: &str) -> Result<Passphrase, NoPassphrase> {
    match rpassword::prompt_password(text) {
        Ok(line) => Passphrase::new(line.into_bytes()),
        Err(error) => Err(match error.kind() {
            // End of input, or Ctrl-C where it is a character.
            std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::Interrupted => NoPassphrase::Declined,
            _ => NoPassphrase::CannotAsk,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_file_with(content: &[u8]) -> Result<Vec<u8>, NoPassphrase> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        Passphrase::from_file(file.path()).map(|passphrase| passphrase.expose().to_vec())
    }

    #[test]
    fn one_line_end_is_cut_and_no_more() {
        assert_eq!(from_file_with(b"hunter2").unwrap(), b"hunter2");
        assert_eq!(from_file_with(b"hunter2\n").unwrap(), b"hunter2");
        assert_eq!(from_file_with(b"hunter2\r\n").unwrap(), b"hunter2");
        assert_eq!(from_file_with(b" hunter2 \n\n").unwrap(), b" hunter2 \n");
        assert_eq!(from_file_with(b"hunter2\r").unwrap(), b"hunter2\r");
    }

    #[test]
    fn nothing_is_no_passphrase_and_neither_is_too_much() {
        assert_eq!(from_file_with(b""), Err(NoPassphrase::Empty));
        assert_eq!(from_file_with(b"\n"), Err(NoPassphrase::Empty));
        assert!(from_file_with(&[b'x'; defaults::MAX_PASSPHRASE]).is_ok());
        assert_eq!(from_file_with(&[b'x'; defaults::MAX_PASSPHRASE + 1]), Err(NoPassphrase::TooLong));
        let missing = Passphrase::from_file(Path::new("no such folder/no such file"));
        assert_eq!(missing.unwrap_err(), NoPassphrase::File(std::io::ErrorKind::NotFound));
    }

    #[test]
    fn it_does_not_print_itself() {
        assert_eq!(format!("{:?}", Passphrase::new(b"hunter2".to_vec()).unwrap()), "Passphrase(..)");
    }
}
