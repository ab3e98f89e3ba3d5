//! Keeping a vault: looking at its passkeys, naming and removing them, its
//! passphrase, its policy.

use serde::Serialize;

use super::{Desk, listing, pin, write};
use crate::cli::Format;
use crate::cli::vault::{PolicyName, RemoveArgs, RenameArgs, ShowArgs};
use crate::consent::terminal::confirm;
use crate::consent::{Account, readable_rp_id};
use crate::defaults;
use crate::error::Error;
use crate::passphrase::Source;
use crate::vault::{Contents, CredentialId, Kdf, Passkey, Policy, Unlocked};

/// What to do with a vault that is there.
#[derive(Debug)]
pub enum Chore {
    /// List the passkeys.
    List(Format),
    /// Show some of them whole.
    Show(ShowArgs),
    /// Name one.
    Rename(RenameArgs),
    /// Remove one.
    Remove(RemoveArgs),
    /// Take the passphrase of this source, under this key derivation.
    ChangePassphrase(Source, Kdf),
    /// Set, change, remove or look at the PIN.
    Pin(pin::Errand),
    /// Print the policy, or set it.
    Policy(Option<PolicyName>, Format),
}

/// Does it.
pub(super) fn do_chore(chore: Chore, desk: Desk) -> Result<(), Error> {
    let mut vault = desk.vault.unlock(&desk.passphrase.read(0)?)?;
    match chore {
        Chore::List(format) => write(&listing::list(vault.passkeys(), format)?),
        Chore::Show(args) => {
            let of_rp: Vec<&Passkey> = of_rp(&vault, &args.which).collect();
            let shown = if of_rp.is_empty() { vec![find(&vault, &args.which)?] } else { of_rp };
            write(&listing::whole(&shown, args.format)?)
        }
        Chore::Rename(args) => rename(args, &mut vault, &desk),
        Chore::Remove(args) => remove(args, &mut vault, &desk),
        Chore::ChangePassphrase(source, kdf) => {
            let new = source.choose()?;
            vault.change_passphrase(&new, kdf, &mut rand_core::OsRng)?;
            desk.say("the passphrase is changed; backups keep the one that they were made with");
            Ok(())
        }
        Chore::Pin(errand) => pin::run(errand, &mut vault, &desk),
        Chore::Policy(new, format) => policy(new, format, &mut vault),
    }
}

fn rename(args: RenameArgs, vault: &mut Unlocked, desk: &Desk) -> Result<(), Error> {
    let id = find(vault, &args.which)?.id.clone();
    let new = [&args.name, &args.display_name].map(|name| name.as_deref().map(str::trim));
    if new.iter().flatten().any(|name| name.len() > defaults::MAX_NAME) {
        return Err(Error::Usage(format!("a name has at most {} bytes", defaults::MAX_NAME)));
    }
    let [name, display_name] = new.map(|name| name.map(|name| (!name.is_empty()).then(|| name.to_owned())));
    change_one(vault, &id, |passkey| {
        if let Some(name) = name {
            passkey.user.name = name;
        }
        if let Some(name) = display_name {
            passkey.user.display_name = name;
        }
    })?;
    let named = vault.passkeys().find(|passkey| passkey.id == id);
    desk.say(&format!("it is now: {}", named.map(in_words).unwrap_or_default()));
    Ok(())
}

fn remove(args: RemoveArgs, vault: &mut Unlocked, desk: &Desk) -> Result<(), Error> {
    let passkey = find(vault, &args.which)?;
    let (id, words) = (passkey.id.clone(), in_words(passkey));
    if !args.yes {
        let question = format!(
            "Remove the passkey {words}?\nNothing can sign in with it any more, and the website is not told. [y/N] "
        );
        match confirm(&question) {
            Some(true) => {}
            Some(false) => return Err(Error::NotRemoved),
            None => return Err(Error::CannotConfirm),
        }
    }
    vault.change(&mut rand_core::OsRng, |contents: &mut Contents| Ok(contents.remove(&id)))?;
    desk.say(&format!("removed: {words}"));
    Ok(())
}

fn change_one(
    vault: &mut Unlocked,
    id: &CredentialId,
    change: impl FnOnce(&mut Passkey),
) -> Result<(), Error> {
    let found = vault.change(&mut rand_core::OsRng, |contents| Ok(contents.update(id, change)))?;
    // Removed by another program while this one waited.
    if found { Ok(()) } else { Err(Error::NoSuchPasskey(listing::id(id))) }
}

/// The policy, as programs read it.
#[derive(Serialize)]
struct Stated {
    policy: &'static str,
}

fn policy(new: Option<PolicyName>, format: Format, vault: &mut Unlocked) -> Result<(), Error> {
    if let Some(name) = new {
        let policy = match name {
            PolicyName::Synced => Policy::Synced,
            PolicyName::DeviceBound => Policy::DeviceBound,
        };
        vault.change(&mut rand_core::OsRng, |contents| {
            let mut state = contents.state().clone();
            state.policy = policy;
            contents.set_state(state);
            Ok(())
        })?;
    }
    let (policy, meaning) = match vault.state().policy {
        Policy::Synced => ("synced", "new passkeys can be backed up and exported"),
        Policy::DeviceBound => (
            "device-bound",
            "new passkeys never leave this vault: no backup and no export has them, and they are lost with it",
        ),
    };
    write(&match format {
        Format::Json => super::json(&Stated { policy })?,
        Format::Text => format!("{policy}: {meaning}; the passkeys that are here stay what they are\n"),
    })
}

/// RP ID and account, and the beginning of the id.
fn in_words(passkey: &Passkey) -> String {
    let (rp, account) = (readable_rp_id(&passkey.rp.id), Account::of(&passkey.user));
    format!("{rp}  {account}  {}", listing::id(&passkey.id))
}

fn of_rp<'a>(vault: &'a Unlocked, rp: &str) -> impl Iterator<Item = &'a Passkey> + use<'a> {
    let rp = rp.to_owned();
    vault.passkeys().filter(move |passkey| passkey.rp.id == rp)
}

/// The one passkey that is meant: an RP ID that has one here, a whole id, or
/// the beginning of one.
fn find<'a>(vault: &'a Unlocked, which: &str) -> Result<&'a Passkey, Error> {
    let mut meant: Vec<&Passkey> = of_rp(vault, which).collect();
    if meant.is_empty() {
        let ids = || vault.passkeys().map(|passkey| (listing::id(&passkey.id), passkey));
        meant = ids().filter(|(id, _)| id == which).map(|(_, passkey)| passkey).collect();
        if meant.is_empty() && !which.is_empty() {
            meant = ids().filter(|(id, _)| id.starts_with(which)).map(|(_, passkey)| passkey).collect();
        }
    }
    match meant[..] {
        [] => Err(Error::NoSuchPasskey(which.to_owned())),
        [one] => Ok(one),
        _ => {
            let which = which.to_owned();
            Err(Error::Ambiguous { which, among: meant.into_iter().map(in_words).collect() })
        }
    }
}
