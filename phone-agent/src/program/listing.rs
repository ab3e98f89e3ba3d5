//! The passkeys, as a list shows them.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Serialize;

use super::json;
use crate::cli::Format;
use crate::consent::{Account, readable_rp_id};
use crate::error::Error;
use crate::vault::Passkey;

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
            backup_eligible: passkey.backup.eligible(),
            backed_up: passkey.backup.done(),
        }
    }
}

/// The text of a list.
///
/// # Errors
/// [`Error::Io`].
pub(super) fn list<'a>(passkeys: impl Iterator<Item = &'a Passkey>, format: Format) -> Result<String, Error> {
    match format {
        Format::Json => json(&passkeys.map(Listed::of).collect::<Vec<_>>()),
        Format::Text => Ok(passkeys
            .map(|passkey| {
                let (rp, account) = (readable_rp_id(&passkey.rp.id), Account::of(&passkey.user));
                format!("{rp}  {account}  made {}\n", date(passkey.created_at))
            })
            .collect()),
    }
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
