//! The three things that the program does.

use std::io::Write;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use base64ct::{Base64UrlUnpadded, Encoding};
use rand_core::OsRng;
use serde::Serialize;

use crate::cli::Format;
use crate::config::{Config, Scan, Task};
use crate::consent::terminal::Terminal;
use crate::consent::{Account, readable_rp_id};
use crate::error::Error;
use crate::passphrase::{FromSource, Source};
use crate::screen::{Caution, Notice, Screen, events, terminal};
use crate::transaction::Phone;
use crate::vault::{self, Passkey, Vault};

/// Does what is meant.
///
/// # Errors
/// Whatever kept it from being done.
pub fn run(config: Config) -> Result<(), Error> {
    let mut screen: Box<dyn Screen> =
        if config.events { Box::new(events::Events) } else { Box::new(terminal::Terminal) };
    config.cautions.iter().for_each(|caution| screen.notice(Notice::Caution(caution)));
    match config.task {
        Task::Init(kdf) => {
            // Before anybody thinks of a passphrase in vain.
            if let Ok(_) | Err(vault::Error::NotAVault) = config.vault.inspect() {
                return Err(vault::Error::Exists.into());
            }
            config.vault.create(&config.passphrase.choose()?, kdf, &mut OsRng)?;
            if !config.events {
                terminal::say(&format!("the vault is made: {}", config.vault_path.display()));
            }
            Ok(())
        }
        Task::Scan(scan) => {
            let vault = inspected(config.vault, config.vault_path, &mut *screen)?;
            serve(*scan, vault, config.passphrase, screen)
        }
        Task::List(format) => {
            let vault = inspected(config.vault, config.vault_path, &mut *screen)?;
            let unlocked = vault.unlock(&config.passphrase.read(0)?)?;
            list(unlocked.passkeys(), format)
        }
    }
}

/// A vault that is there, before anybody is asked for anything.
fn inspected(vault: Vault, path: PathBuf, screen: &mut dyn Screen) -> Result<Vault, Error> {
    let kdf = vault.inspect().map_err(|error| match error {
        vault::Error::NotFound => Error::NoVault(path),
        other => Error::Vault(other),
    })?;
    if kdf.is_weak() {
        screen.notice(Notice::Caution(&Caution::WeakKdf));
    }
    Ok(vault)
}

fn serve(scan: Scan, vault: Vault, passphrase: Source, screen: Box<dyn Screen>) -> Result<(), Error> {
    let invitation = scan.code.read()?;
    let (dialer, passphrases) = (scan.network, FromSource::new(passphrase));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|cause| Error::Io { what: "cannot start".into(), cause: cause.to_string() })?;
    // Before a tunnel is opened that nobody could find.
    let advertiser = match runtime.block_on(scan.medium.open()) {
        Ok(advertiser) => advertiser,
        Err(error) => {
            // A bus that does not answer may hold a thread for ever.
            runtime.shutdown_background();
            return Err(error.into());
        }
    };
    let outcome = match scan.consent {
        Some(consent) => {
            let mut phone = Phone { dialer, advertiser, consent, passphrases, screen, vault };
            runtime.block_on(phone.run(invitation, scan.domain, &mut OsRng, now()))
        }
        None => {
            let consent = Terminal;
            let mut phone = Phone { dialer, advertiser, consent, passphrases, screen, vault };
            runtime.block_on(phone.run(invitation, scan.domain, &mut OsRng, now()))
        }
    };
    outcome?.verdict()
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A passkey as a list shows it: everything but the secrets.
#[derive(Serialize)]
struct Listed<'a> {
    credential_id: String,
    rp_id: &'a str,
    rp_name: Option<&'a str>,
    user_id: String,
    user_name: Option<&'a str>,
    user_display_name: Option<&'a str>,
    created_at: u64,
    discoverable: bool,
    backup_eligible: bool,
    backed_up: bool,
}

impl<'a> Listed<'a> {
    fn of(passkey: &'a Passkey) -> Self {
        Self {
            credential_id: Base64UrlUnpadded::encode_string(passkey.id.as_bytes()),
            rp_id: &passkey.rp.id,
            rp_name: passkey.rp.name.as_deref(),
            user_id: Base64UrlUnpadded::encode_string(&passkey.user.id),
            user_name: passkey.user.name.as_deref(),
            user_display_name: passkey.user.display_name.as_deref(),
            created_at: passkey.created_at,
            discoverable: passkey.discoverable,
            backup_eligible: passkey.backup.eligible,
            backed_up: passkey.backup.done,
        }
    }
}

fn list<'a>(passkeys: impl Iterator<Item = &'a Passkey>, format: Format) -> Result<(), Error> {
    let text = match format {
        Format::Json => {
            let listed: Vec<_> = passkeys.map(Listed::of).collect();
            let failed =
                |cause: serde_json::Error| Error::Io { what: "JSON".into(), cause: cause.to_string() };
            serde_json::to_string_pretty(&listed).map_err(failed)? + "\n"
        }
        Format::Text => passkeys
            .map(|passkey| {
                let (rp, account) = (readable_rp_id(&passkey.rp.id), Account::of(&passkey.user));
                format!("{rp}  {account}  made {}\n", date(passkey.created_at))
            })
            .collect(),
    };
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(|cause| Error::Io { what: "cannot write the list".into(), cause: cause.to_string() })
}

/// Year, month and day (UTC) of seconds since 1970, in the proleptic
/// Gregorian calendar: days are counted in years that begin in March, so that
/// the leap day stands at the end.
fn date(epoch: u64) -> String {
    let days = epoch / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = 400 * era + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_its_date() {
        for (epoch, expected) in [
            (0, "1970-01-01"),
            (951_782_399, "2000-02-28"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_798_761_599, "2026-12-31"),
            (1_798_761_600, "2027-01-01"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(date(epoch), expected);
        }
    }
}
