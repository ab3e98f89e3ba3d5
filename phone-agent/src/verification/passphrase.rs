//! The owner is whoever knows the vault's passphrase.

use super::Fault;
use crate::passphrase::{FromSource, NoPassphrase, Passphrases, Source};
use crate::vault::{self, Vault};

/// Asks for the passphrase and tries it at the vault.
#[derive(Debug)]
pub struct Passphrase {
    vault: Vault,
    source: FromSource,
}

impl Passphrase {
    /// Of this vault, from this source.
    pub fn new(vault: Vault, source: Source) -> Self {
        Self { vault, source: FromSource::new(source) }
    }

    pub(super) async fn verify(&mut self) -> Result<bool, Fault> {
        for wrong_before in 0..self.source.tries() {
            let passphrase = match self.source.ask(wrong_before).await {
                Ok(passphrase) => passphrase,
                Err(NoPassphrase::Declined) => return Ok(false),
                Err(error) => return Err(error.into()),
            };
            let vault = self.vault.clone();
            // Slow on purpose.
            let unlocked = tokio::task::spawn_blocking(move || vault.unlock(&passphrase).map(drop)).await;
            match unlocked {
                Ok(Ok(())) => return Ok(true),
                Ok(Err(vault::Error::WrongPassphrase)) => {}
                Ok(Err(error)) => return Err(error.into()),
                Err(_) => return Err(vault::Error::Io(std::io::ErrorKind::Other).into()),
            }
        }
        Ok(false)
    }
}
