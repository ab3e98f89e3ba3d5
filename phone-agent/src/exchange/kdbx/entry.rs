//! A passkey among the attributes of an entry.
//!
//! | attribute | what |
//! |---|---|
//! | `KPEX_PASSKEY_CREDENTIAL_ID` | Base64url, protected |
//! | `KPEX_PASSKEY_PRIVATE_KEY_PEM` | PKCS#8 in PEM, protected: ES256, EdDSA or RS256 |
//! | `KPEX_PASSKEY_RELYING_PARTY` | the RP ID |
//! | `KPEX_PASSKEY_USERNAME` | the account's name |
//! | `KPEX_PASSKEY_USER_HANDLE` | Base64url, protected |
//! | `KPEX_PASSKEY_FLAG_BE`, `_FLAG_BS` | `1` or `0`; 1 if they are absent |
//! | `KPEX_PASSKEY_PRF` | `KeePassDX`: 32 bytes in Base64url, protected |
//! | `KPEX_PASSKEY_GENERATED_USER_ID` | of old: see [`Attributes::to_foreign`] |
//! | `KPXC_PASSKEY_USERNAME` | of old: the account's name |

use zeroize::Zeroizing;

use super::super::base64::{self, Secret};
use super::super::{Foreign, Found, Prf, Reason, Title, key};

pub(super) const CREDENTIAL_ID: &str = "KPEX_PASSKEY_CREDENTIAL_ID";
pub(super) const PRIVATE_KEY: &str = "KPEX_PASSKEY_PRIVATE_KEY_PEM";
pub(super) const RELYING_PARTY: &str = "KPEX_PASSKEY_RELYING_PARTY";
pub(super) const USER_NAME: &str = "KPEX_PASSKEY_USERNAME";
pub(super) const USER_HANDLE: &str = "KPEX_PASSKEY_USER_HANDLE";
pub(super) const FLAG_BE: &str = "KPEX_PASSKEY_FLAG_BE";
pub(super) const FLAG_BS: &str = "KPEX_PASSKEY_FLAG_BS";
pub(super) const PRF: &str = "KPEX_PASSKEY_PRF";
const GENERATED_USER_ID: &str = "KPEX_PASSKEY_GENERATED_USER_ID";
const OLD_USER_NAME: &str = "KPXC_PASSKEY_USERNAME";
const TITLE: &str = "Title";
const ACCOUNT: &str = "UserName";

const KNOWN: [&str; 12] = [
    CREDENTIAL_ID,
    PRIVATE_KEY,
    RELYING_PARTY,
    USER_NAME,
    USER_HANDLE,
    FLAG_BE,
    FLAG_BS,
    PRF,
    GENERATED_USER_ID,
    OLD_USER_NAME,
    TITLE,
    ACCOUNT,
];

/// What is kept of an entry while it is read.
#[derive(Default)]
pub(super) struct Attributes {
    values: [Option<Zeroizing<String>>; KNOWN.len()],
    doubled: bool,
    /// Seconds since 1970 when the entry was made.
    pub(super) created_at: Option<u64>,
    /// Whether it lies in the recycle bin.
    recycled: bool,
}

impl Attributes {
    /// Those of an entry that begins, in the recycle bin or not.
    pub(super) fn of_entry(recycled: bool) -> Self {
        Self { recycled, ..Self::default() }
    }

    /// Keeps a value, if it is of interest.
    pub(super) fn keep(&mut self, name: &str, value: Zeroizing<String>) {
        let index = KNOWN.iter().position(|known| *known == name);
        if let Some(place) = index.and_then(|index| self.values.get_mut(index)) {
            self.doubled |= place.replace(value).is_some();
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        let index = KNOWN.iter().position(|known| *known == name)?;
        self.values.get(index)?.as_ref().map(|value| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The passkey, if the entry has one.
    pub(super) fn into_found(self) -> Option<Found> {
        [CREDENTIAL_ID, PRIVATE_KEY, GENERATED_USER_ID, RELYING_PARTY]
            .iter()
            .find_map(|name| self.get(name))?;
        let known = |name| self.get(name).map(str::to_owned);
        let account = known(USER_NAME).or_else(|| known(OLD_USER_NAME)).or_else(|| known(ACCOUNT));
        let title = Title { item: known(TITLE), rp_id: known(RELYING_PARTY), account };
        let passkey = match (self.recycled, self.doubled) {
            (true, _) => Err(Reason::Recycled),
            (_, true) => Err(Reason::Malformed("attributes")),
            _ => self.to_foreign(),
        };
        Some(Found { title, passkey })
    }

    /// `GENERATED_USER_ID` is the credential id where it stands beside a user
    /// handle: that is how `KeePassXC` reads it, in the place of the other id.
    /// Where there is no handle, but a credential id, it is taken for the
    /// handle.
    fn to_foreign(&self) -> Result<Foreign, Reason> {
        let rp_id = self.get(RELYING_PARTY).ok_or(Reason::NoRp)?;
        let generated = self.get(GENERATED_USER_ID);
        let (id, handle) = match (self.get(CREDENTIAL_ID), self.get(USER_HANDLE)) {
            (Some(id), None) => (Some(id), generated),
            (id, handle) => (generated.or(id), handle),
        };
        let id = id.and_then(base64::decode).ok_or(Reason::BadId)?;
        let handle =
            base64::decode(handle.ok_or(Reason::NoUserHandle)?).ok_or(Reason::Malformed("user handle"))?;
        let key = key::from_pem(self.get(PRIVATE_KEY).ok_or(Reason::BadKey)?)?;
        let mut foreign = Foreign::new(id.to_vec(), rp_id.to_owned(), handle.to_vec(), key);
        foreign.user_name = self.get(OLD_USER_NAME).or_else(|| self.get(USER_NAME)).map(str::to_owned);
        foreign.created_at = self.created_at;
        foreign.eligible = match self.get(FLAG_BE) {
            None | Some("1") => true,
            Some("0") => false,
            Some(_) => return Err(Reason::Malformed("flags")),
        };
        if let Some(text) = self.get(PRF) {
            let secret = base64::decode(text).and_then(|secret| Prf::new(&secret, None));
            foreign.prf = Some(secret.ok_or(Reason::Malformed("prf secret"))?);
        }
        foreign.checked()
    }
}

/// The attributes of a passkey, and whether each is protected; `None` for a
/// key that is none.
pub(super) fn attributes_of(passkey: &Foreign) -> Option<Vec<(&'static str, Secret, bool)>> {
    let plain = |text: &str| Secret::new(text.to_owned());
    let name = passkey.user_name.as_deref().unwrap_or_default();
    let title = passkey.rp_name.as_deref().unwrap_or(&passkey.rp_id);
    let mut all = vec![
        (TITLE, plain(&format!("{title} (Passkey)")), false),
        (ACCOUNT, plain(name), false),
        ("Password", plain(""), true),
        ("URL", plain(&format!("https://{}", passkey.rp_id)), false),
        ("Notes", plain(""), false),
        (USER_NAME, plain(name), false),
        (CREDENTIAL_ID, base64::url(&passkey.id), true),
        (PRIVATE_KEY, Secret::new(key::to_pem(&passkey.key)?.to_string()), true),
        (RELYING_PARTY, plain(&passkey.rp_id), false),
        (USER_HANDLE, base64::url(&passkey.user_handle), true),
        (FLAG_BE, plain("1"), false),
        (FLAG_BS, plain("1"), false),
    ];
    if let Some(prf) = &passkey.prf {
        all.push((PRF, base64::url(prf.verified.as_slice()), true));
    }
    Some(all)
}
