//! Whether there is a vault that a scan could open. Its passphrase is not
//! asked for.

use std::path::Path;

use super::{Check, Outcome, Subject};
use crate::error::Error;
use crate::vault::{self, Vault};

pub(super) fn check(vault: &Vault, path: &Path) -> Check {
    let outcome = match vault.inspect() {
        Err(vault::Error::NotFound) => Outcome::from(&Error::NoVault(path.to_owned())),
        Err(error) => Outcome::from(&Error::Vault(error)),
        Ok(_) if others_may_read(path) => Outcome::Finding {
            detail: "others than its owner may read it".into(),
            id: "vault.permissions",
            remedy: "take that from them: chmod 600, and the file's path",
        },
        Ok(kdf) if kdf.is_weak() => Outcome::Ok("can be read, by its owner alone; made for tests".into()),
        Ok(_) => Outcome::Ok("can be read, by its owner alone".into()),
    };
    Check { subject: Subject::Vault, target: path.display().to_string(), outcome }
}

#[cfg(unix)]
fn others_may_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

/// What a file elsewhere lets others do is no number.
#[cfg(not(unix))]
fn others_may_read(_path: &Path) -> bool {
    false
}
