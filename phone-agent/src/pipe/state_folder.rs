//! A folder that is an authenticator: `vault`, its anchor, and, where nobody
//! gave a passphrase, `key` in its place. For tests, for programs, and for
//! everybody whose folder is guarded by something else.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use rand_core::CryptoRngCore;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::passphrase::{Passphrase, Source};
use crate::vault::{self, Kdf, Unlocked, Vault};

/// Opens the vault in this folder; makes folder and vault where there are
/// none. `passphrase` may be a file with the vault's passphrase. Otherwise it
/// lies in the folder, where it is put with a new vault, and the vault is as
/// open as the folder is; a person is asked only for that of a vault that is
/// there without it.
///
/// # Errors
/// [`Error::Vault`], [`Error::Passphrase`], [`Error::Io`].
pub fn open(
    folder: &Path,
    passphrase: &Source,
    accept_rollback: bool,
    rng: &mut dyn CryptoRngCore,
) -> Result<Opened, Error> {
    let failed = |cause: io::Error| Error::Io {
        what: format!("cannot use the folder {}", folder.display()),
        cause: cause.to_string(),
    };
    make_folder(folder).map_err(failed)?;
    let vault =
        Vault::in_file(folder.join("vault"), Some(folder.to_owned())).accept_rollback(accept_rollback);
    // Two that start at the same time make one key and one vault.
    let lock =
        private(OpenOptions::new().create(true).write(true)).open(folder.join("lock")).map_err(failed)?;
    lock.lock().map_err(failed)?;
    let is_new = match vault.inspect() {
        Ok(_) => false,
        Err(vault::Error::NotFound) => true,
        Err(error) => return Err(error.into()),
    };
    let key = folder.join("key");
    let key_beside = *passphrase == Source::Terminal && (is_new || key.exists());
    let (passphrase, source, kdf) = if key_beside {
        // Nothing to guess: 256 random bits need no slow derivation.
        (key_in(&key, rng).map_err(failed)??, Source::File(key), Kdf::DANGER_WEAK)
    } else {
        (passphrase.read(0)?, passphrase.clone(), Kdf::STANDARD)
    };
    if is_new {
        vault.create(&passphrase, kdf, rng)?;
    }
    let is_weak = !key_beside && vault.inspect()?.is_weak();
    Ok(Opened { unlocked: vault.unlock(&passphrase)?, vault, source, key_beside, is_weak })
}

/// An open vault, and what people should know of it.
#[derive(Debug)]
pub struct Opened {
    /// The vault.
    pub unlocked: Unlocked,
    /// The vault, locked.
    pub vault: Vault,
    /// Where its passphrase is.
    pub source: Source,
    /// Its key lies beside it.
    pub key_beside: bool,
    /// Its passphrase is as good as open.
    pub is_weak: bool,
}

/// The passphrase in this file: 64 hexadecimal digits, made where there are
/// none.
fn key_in(path: &Path, rng: &mut dyn CryptoRngCore) -> io::Result<Result<Passphrase, Error>> {
    if !path.try_exists()? {
        let mut key = Zeroizing::new([0; 32]);
        if rng.try_fill_bytes(&mut *key).is_err() {
            return Ok(Err(vault::Error::NoRandomness.into()));
        }
        let mut text = Zeroizing::new(String::with_capacity(65));
        for byte in key.iter() {
            text.push_str(&format!("{byte:02x}"));
        }
        text.push('\n');
        // Whole or not at all, and before the vault that needs it.
        let new = path.with_file_name(".key.new");
        let mut file = private(OpenOptions::new().create(true).truncate(true).write(true)).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        #[cfg(unix)]
        if let Some(folder) = path.parent() {
            fs::File::open(folder)?.sync_all()?;
        }
    }
    Ok(Passphrase::from_file(path).map_err(Error::from))
}

/// Readable and writable by the owner alone.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// The folder, made for the owner alone where it does not exist.
fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passphrase::NoPassphrase;
    use rand_core::OsRng;

    #[test]
    fn a_folder_keeps_its_key_and_its_vault() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("a").join("b");
        let first = open(&folder, &Source::Terminal, false, &mut OsRng).unwrap();
        assert!(first.key_beside && !first.is_weak);
        let key = fs::read(folder.join("key")).unwrap();
        assert_eq!(key.len(), 65);
        let mut unlocked = first.unlocked;
        unlocked
            .change(&mut OsRng, |contents| {
                let mut state = contents.state().clone();
                state.always_uv = true;
                contents.set_state(state);
                Ok(())
            })
            .unwrap();
        drop(unlocked);
        let again = open(&folder, &Source::Terminal, false, &mut OsRng).unwrap();
        assert!(again.unlocked.state().always_uv);
        assert_eq!(fs::read(folder.join("key")).unwrap(), key);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&folder), 0o700);
            for file in ["key", "vault", "lock"] {
                assert_eq!(mode(&folder.join(file)), 0o600, "{file}");
            }
        }
    }

    #[test]
    fn a_key_that_is_not_the_vaults_is_named_and_none_is_made_for_a_vault_that_is_there() {
        let home = tempfile::tempdir().unwrap();
        drop(open(home.path(), &Source::Terminal, false, &mut OsRng).unwrap());
        let vault = fs::read(home.path().join("vault")).unwrap();
        let key = home.path().join("key");
        for (content, expected) in
            [("", NoPassphrase::Empty.to_string()), ("00", vault::Error::WrongPassphrase.to_string())]
        {
            fs::write(&key, content).unwrap();
            let error = open(home.path(), &Source::Terminal, false, &mut OsRng).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
        fs::remove_file(&key).unwrap();
        let file = home.path().join("passphrase");
        fs::write(&file, "another").unwrap();
        assert!(open(home.path(), &Source::File(file), false, &mut OsRng).is_err());
        assert!(!key.exists());
        assert_eq!(fs::read(home.path().join("vault")).unwrap(), vault);
    }

    #[test]
    fn with_a_passphrase_file_no_key_lies_there() {
        let home = tempfile::tempdir().unwrap();
        let (folder, file) = (home.path().join("state"), home.path().join("passphrase"));
        fs::write(&file, "right\n").unwrap();
        let opened = open(&folder, &Source::File(file.clone()), false, &mut OsRng).unwrap();
        assert!(!opened.key_beside && !opened.is_weak && !folder.join("key").exists());
        fs::write(&file, "wrong\n").unwrap();
        let error = open(&folder, &Source::File(file), false, &mut OsRng).unwrap_err();
        assert!(matches!(error, Error::Vault(vault::Error::WrongPassphrase)), "{error}");
    }
}
