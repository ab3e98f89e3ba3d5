//! What a relay may demand of those who open tunnels.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use http::HeaderValue;
use zeroize::Zeroizing;

use crate::defaults;
use crate::error::Error;

/// A bearer token for one relay. Cleared on drop, never printed.
#[derive(Clone)]
pub struct RelayToken(Zeroizing<String>);

/// Why a file gives no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoToken {
    /// It is not there, or may not be read.
    #[error("cannot be read: {0}")]
    File(std::io::ErrorKind),
    /// Anybody of this computer may read it.
    #[error("can be read by others")]
    Exposed,
    /// It holds nothing.
    #[error("is empty")]
    Empty,
    /// It holds something else than one token on one line.
    #[error("holds something else than one token")]
    Form,
}

impl RelayToken {
    /// Reads a file that holds a token and perhaps a line end.
    ///
    /// # Errors
    /// [`Error::RelayToken`].
    pub fn from_file(path: &Path) -> Result<Self, Error> {
        read(path).map_err(|cause| Error::RelayToken { path: path.to_owned(), cause })
    }

    /// The value of the `Authorization` header.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        let text = Zeroizing::new(format!("Bearer {}", *self.0));
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl fmt::Debug for RelayToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RelayToken(..)")
    }
}

fn read(path: &Path) -> Result<RelayToken, NoToken> {
    let failed = |error: std::io::Error| NoToken::File(error.kind());
    let file = File::open(path).map_err(failed)?;
    if exposed(&file).map_err(failed)? {
        return Err(NoToken::Exposed);
    }
    let room = defaults::MAX_RELAY_TOKEN + 3;
    // Room for the longest and its line end, so that nothing is moved while it grows.
    let mut text = Zeroizing::new(String::with_capacity(room));
    let limit = u64::try_from(room).unwrap_or(u64::MAX);
    file.take(limit).read_to_string(&mut text).map_err(failed)?;
    let token = text.trim();
    match token.len() {
        0 => Err(NoToken::Empty),
        1..=defaults::MAX_RELAY_TOKEN if token.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Ok(RelayToken(Zeroizing::new(token.to_owned())))
        }
        _ => Err(NoToken::Form),
    }
}

#[cfg(unix)]
fn exposed(file: &File) -> std::io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let found = file.metadata()?;
    // A pipe, as a shell's <(command) is one, has no place where others find it.
    Ok(found.is_file() && found.mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn exposed(_: &File) -> std::io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    fn file(text: &str, mode: u32) -> tempfile::NamedTempFile {
        use std::os::unix::fs::PermissionsExt;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        file
    }

    #[cfg(unix)]
    #[test]
    fn a_file_holds_one_token_and_nobody_else_reads_it() {
        let token = read(file("abc.DEF-123\r\n", 0o600).path()).unwrap();
        assert_eq!(token.header().unwrap().as_bytes(), b"Bearer abc.DEF-123");
        assert!(token.header().unwrap().is_sensitive());
        assert_eq!(format!("{token:?}"), "RelayToken(..)");
        assert!(read(file("abc", 0o640).path()).is_ok());
        let error = |text: &str, mode| read(file(text, mode).path()).unwrap_err();
        assert_eq!(error("abc", 0o604), NoToken::Exposed);
        assert_eq!(error(" \n", 0o600), NoToken::Empty);
        assert_eq!(error("one\ntwo\n", 0o600), NoToken::Form);
        assert_eq!(error("with space", 0o600), NoToken::Form);
        assert_eq!(error(&"x".repeat(5000), 0o600), NoToken::Form);
        let missing = read(Path::new("/nowhere/at/all")).unwrap_err();
        assert_eq!(missing, NoToken::File(std::io::ErrorKind::NotFound));
    }
}
