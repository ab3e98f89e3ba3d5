//! Asking by a notification with buttons, on the session bus
//! (org.freedesktop.Notifications). Whatever can speak there for the person
//! could speak to the desktop as well.

use std::collections::HashMap;

use dbus::arg::{RefArg, Variant};

use super::{Answer, Fault, Question, What};
use crate::defaults;
use crate::desktop_bus::{Bus, Service};

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";
const DECLINE: &str = "decline";
const URGENT: u8 = 2;
/// It stays until somebody does something; the asker withdraws it.
const NEVER: i32 = 0;
/// A person closed it. The other reasons are that it expired (1), that its
/// sender closed it (3), and that there is none (4).
const BY_HAND: u32 = 2;

/// What is shown.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    title: String,
    body: String,
    /// Key and label, one after the other.
    actions: Vec<String>,
}

/// Asks, and waits for a button or for the notification's end. Dropping the
/// future takes it off the screen.
pub(super) async fn ask(question: Question) -> Result<Answer, Fault> {
    let no_bus = |cause: dbus::Error| match cause.name() {
        Some(name) if name.ends_with(".ServiceUnknown") || name.ends_with(".NameHasNoOwner") => {
            Fault::NoNotifications
        }
        _ => Fault::NoBus,
    };
    let (service, mut signals) = Service::on(Bus::Session, NAME, defaults::DESKTOP).await.map_err(no_bus)?;
    let refused = |_| Fault::NoNotifications;
    let (can,): (Vec<String>,) = service.call(PATH, NAME, "GetCapabilities", ()).await.map_err(refused)?;
    if !can.iter().any(|one| one == "actions") {
        return Err(Fault::NoButtons);
    }
    let shown = shown(&question, can.iter().any(|one| one == "body-markup"))?;
    let urgency: Box<dyn RefArg> = Box::new(URGENT);
    let hints = HashMap::from([("urgency", Variant(urgency))]);
    let what = ("Cablecar", 0_u32, "", shown.title, shown.body, shown.actions, hints, NEVER);
    let (id,): (u32,) = service.call(PATH, NAME, "Notify", what).await.map_err(refused)?;
    let notice = OnScreen { service, id };
    while let Some(Some(signal)) = signals.recv().await {
        match signal.member().as_deref() {
            Some("ActionInvoked") => match signal.get2::<u32, &str>() {
                (Some(of), Some(key)) if of == id => return Ok(answer(question, key)),
                _ => {}
            },
            Some("NotificationClosed") => match signal.get2::<u32, u32>() {
                (Some(of), Some(BY_HAND)) if of == id => return Ok(Answer::Decline),
                (Some(of), Some(_)) if of == id => return Err(Fault::Vanished),
                _ => {}
            },
            _ => {}
        }
    }
    drop(notice);
    Err(Fault::Vanished)
}

/// A notification, until it is taken away.
struct OnScreen {
    service: Service,
    id: u32,
}

impl Drop for OnScreen {
    /// Servers leave some on the screen after a button, and take no offence
    /// at one that is gone.
    fn drop(&mut self) {
        self.service.tell(PATH, NAME, "CloseNotification", (self.id,));
    }
}

/// Only the button of an account, by its number, is a yes.
fn answer(question: Question, key: &str) -> Answer {
    match key.strip_prefix("approve-").and_then(|number| number.parse().ok()) {
        Some(account) => question.approve(account),
        None => Answer::Decline,
    }
}

fn shown(question: &Question, markup: bool) -> Result<Shown, Fault> {
    let accounts = question.what.accounts();
    if accounts.len() > defaults::MAX_NOTIFIED_ACCOUNTS {
        return Err(Fault::TooManyAccounts(accounts.len()));
    }
    let (title, yes) = match &question.what {
        What::Register(_) => ("Make a passkey?", "Make it"),
        What::AlreadyRegistered(_) => ("Tell that there is a passkey already?", "Tell it"),
        What::SignIn(_) => ("Sign in at another computer?", "Sign in"),
        What::NothingToSignInWith => ("Tell that there is no passkey?", "Tell it"),
        What::UseThisPhone => ("Use this phone?", "Use it"),
        What::Reset => ("ERASE EVERY PASSKEY AND THE PIN?", "Erase them all"),
    };
    let mut lines = vec![format!("{} asks.", question.asker())];
    if !question.rp_id.is_empty() {
        lines.push(format!("website: {}", question.site()));
    }
    match accounts {
        [only] => lines.push(format!("account: {only}")),
        several => lines.extend((1..).zip(several).map(|(number, account)| format!("{number}. {account}"))),
    }
    if question.what == What::Reset {
        lines.push("Nothing brings them back.".into());
    }
    lines.extend(question.warnings.iter().map(|warning| format!("WARNING: {warning}")));
    let mut actions = Vec::new();
    match accounts {
        [] | [_] => actions.extend(["approve-0".into(), yes.to_owned()]),
        several => {
            for (index, account) in several.iter().enumerate() {
                actions.extend([format!("approve-{index}"), format!("{}. {account}", index + 1)]);
            }
        }
    }
    actions.extend([DECLINE.to_owned(), "Decline".to_owned()]);
    let body = lines.join("\n");
    Ok(Shown { title: title.into(), body: if markup { escaped(&body) } else { body }, actions })
}

/// Text where `<b>` would be bold: names come from strangers.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may")]

    use super::super::{Account, Warning};
    use super::*;
    use cablecar_protocol::qr::Hint;

    fn account(name: &str) -> Account {
        Account { name: Some(name.into()), display_name: None }
    }

    fn question(what: What) -> Question {
        Question::new(what, "login.example.com".into(), vec![Warning::NotAnnounced(Hint::GetAssertion)]).0
    }

    #[test]
    fn it_says_who_asks_what_and_shows_no_markup_of_a_strangers() {
        let question = question(What::Register(account("<b>alice & co</b>")));
        let plain = shown(&question, false).unwrap();
        assert_eq!(
            plain.body,
            "An unknown computer asks.\nwebsite: login.[example.com]\naccount: <b>alice & co</b>\n\
             WARNING: the code announced a sign-in, and this is something else"
        );
        let marked = shown(&question, true).unwrap();
        assert!(marked.body.contains("&lt;b&gt;alice &amp; co&lt;/b&gt;"), "{}", marked.body);
        assert_eq!(marked.actions, ["approve-0", "Make it", "decline", "Decline"]);
    }

    #[test]
    fn each_account_has_its_button_and_too_many_have_none() {
        let two = question(What::SignIn(vec![account("alice"), account("bob")]));
        let actions = shown(&two, true).unwrap().actions;
        assert_eq!(actions, ["approve-0", "1. alice", "approve-1", "2. bob", "decline", "Decline"]);
        let three = question(What::SignIn(vec![account("a"), account("b"), account("c")]));
        assert_eq!(shown(&three, true), Err(Fault::TooManyAccounts(3)));
    }

    #[test]
    fn no_other_key_than_an_accounts_is_a_yes() {
        let what = || What::SignIn(vec![account("alice"), account("bob")]);
        for key in ["decline", "default", "", "approve-", "approve-2", "approve--1", "approve-x", "0"] {
            assert!(matches!(answer(question(what()), key), Answer::Decline), "{key:?}");
        }
        let (question, ticket) = Question::new(what(), "example.com".into(), Vec::new());
        let Answer::Approve(approval) = answer(question, "approve-1") else { panic!("approved") };
        assert_eq!(approval.redeem(&ticket), Some(1));
    }
}
