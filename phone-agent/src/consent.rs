//! Asking a person, and what the answer is worth.
//!
//! A [`Question`] is made by the engine when a request has passed every check
//! that needs nobody. It goes to a [`Consent`], and only it can make the
//! [`Approval`] that creating and signing consume. So there is no path from a
//! peer's bytes to a signature that does not lead through an answer: whoever
//! looks for one searches the code for `approve`.
//!
//! "Cannot ask" is not "no": a phone without a person in front of it says so,
//! and its owner learns what to change.

pub mod command;
mod fault;
#[cfg(all(feature = "notification", target_os = "linux"))]
pub mod notification;
pub mod scripted;
pub mod site;
pub mod terminal;
mod way;

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use cablecar_protocol::ctap::User;
use cablecar_protocol::qr::Hint;

pub use fault::Fault;
pub(crate) use site::is_deceptive;
pub use site::{Site, readable, readable_rp_id};
pub use way::{AnyConsent, Way};

/// Puts questions to a person.
pub trait Consent {
    /// Asks, and waits for the answer. Dropping the future withdraws the
    /// question.
    fn ask(&mut self, question: Question) -> impl Future<Output = Answer> + Send;
}

/// What the person said.
#[derive(Debug)]
pub enum Answer {
    /// Yes: made by [`Question::approve`] and nothing else.
    Approve(Approval),
    /// No.
    Decline,
    /// There is no way to ask. Not a refusal.
    CannotAsk,
}

/// What a person is asked.
pub struct Question {
    /// What the computer wants.
    pub what: What,
    /// Whose passkey, as it came; show [`Question::site`]. Empty only for
    /// [`What::UseThisPhone`] and [`What::Reset`].
    pub rp_id: String,
    /// Who asks, by the name that the person gave it; none of a computer that
    /// nothing is known about, as of any that showed a code.
    pub computer: Option<String>,
    /// What the person should know before saying yes.
    pub warnings: Vec<Warning>,
    ticket: Ticket,
}

/// What the computer wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A new passkey for this account.
    Register(Account),
    /// A new passkey, but this phone holds one of those that the website does
    /// not want another beside. Yes tells the computer so.
    AlreadyRegistered(Account),
    /// A sign-in with one of these accounts, one or more.
    SignIn(Vec<Account>),
    /// A sign-in, but there is no passkey for it. Yes tells the computer so.
    NothingToSignInWith,
    /// Whether this is the phone to use, without any passkey yet.
    UseThisPhone,
    /// The end of every passkey and of the PIN of this vault.
    Reset,
}

impl What {
    /// The word for programs.
    pub fn id(&self) -> &'static str {
        match self {
            What::Register(_) => "register",
            What::AlreadyRegistered(_) => "already-registered",
            What::SignIn(_) => "sign-in",
            What::NothingToSignInWith => "nothing-to-sign-in-with",
            What::UseThisPhone => "use-this-phone",
            What::Reset => "reset",
        }
    }

    /// The accounts that it is about. Only a sign-in with several has a choice.
    pub fn accounts(&self) -> &[Account] {
        match self {
            What::Register(account) | What::AlreadyRegistered(account) => std::slice::from_ref(account),
            What::SignIn(accounts) => accounts,
            What::NothingToSignInWith | What::UseThisPhone | What::Reset => &[],
        }
    }
}

/// An account, as a person knows it. Names come from a website: pass them
/// through [`readable`] before they are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The account's name.
    pub name: Option<String>,
    /// The person's name.
    pub display_name: Option<String>,
}

/// What the person should know before saying yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warning {
    /// The code announced something else than what is now asked.
    NotAnnounced(Hint),
    /// The RP ID looks like something else than it is.
    NotPlainAscii,
    /// There is a passkey of this account, and the new one takes its place.
    Replaces,
}

/// The proof that a person said yes to one question. Good for that question
/// alone, and used up by what it allows.
pub struct Approval {
    account: usize,
    ticket: Ticket,
}

/// Ties an approval to its question: the same allocation, which nobody else
/// can make.
#[derive(Clone)]
pub(crate) struct Ticket(Arc<()>);

impl Question {
    /// A question, and the ticket by which the asker knows its approval.
    pub(crate) fn new(what: What, rp_id: String, warnings: Vec<Warning>) -> (Self, Ticket) {
        let ticket = Ticket(Arc::new(()));
        (Self { what, rp_id, computer: None, warnings, ticket: ticket.clone() }, ticket)
    }

    /// The person said yes, to the account with this index where there is a
    /// choice and 0 where there is none. An account that was not offered is
    /// no yes.
    pub fn approve(self, account: usize) -> Answer {
        let offered = match &self.what {
            What::SignIn(accounts) => accounts.len(),
            _ => 1,
        };
        if account >= offered {
            return Answer::Decline;
        }
        Answer::Approve(Approval { account, ticket: self.ticket })
    }

    /// The website, in parts. Of no use where `rp_id` is empty.
    pub fn site(&self) -> Site {
        Site::of(&self.rp_id)
    }

    /// Who asks, in words, at the start of a sentence.
    pub fn asker(&self) -> String {
        match &self.computer {
            Some(name) => format!("The computer \"{}\"", readable(name)),
            None => "An unknown computer".into(),
        }
    }

    /// What is asked, in words: "sign in to example.com".
    pub fn summary(&self) -> String {
        let rp = readable_rp_id(&self.rp_id);
        match &self.what {
            What::Register(account) | What::AlreadyRegistered(account) => {
                format!("make a passkey for {rp}, account {account}")
            }
            What::SignIn(_) | What::NothingToSignInWith => format!("sign in to {rp}"),
            What::UseThisPhone => "use this phone".into(),
            What::Reset => "ERASE EVERY PASSKEY in this vault, and its PIN".into(),
        }
    }
}

impl Approval {
    /// The index of the account, if this is the approval of that question.
    pub(crate) fn redeem(self, ticket: &Ticket) -> Option<usize> {
        Arc::ptr_eq(&self.ticket.0, &ticket.0).then_some(self.account)
    }
}

impl Account {
    /// What a website or a vault calls the account.
    pub fn of(user: &User) -> Self {
        Self { name: user.name.clone(), display_name: user.display_name.clone() }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = |text: &Option<String>| text.as_deref().map(readable).filter(|text| !text.is_empty());
        match (known(&self.name), known(&self.display_name)) {
            (Some(name), Some(display)) if name != display => write!(f, "{name} ({display})"),
            (Some(name), _) | (None, Some(name)) => f.write_str(&name),
            (None, None) => f.write_str("(without a name)"),
        }
    }
}

impl Warning {
    /// The id for programs.
    pub fn id(self) -> &'static str {
        match self {
            Warning::NotAnnounced(_) => "not-announced",
            Warning::NotPlainAscii => "not-plain-ascii",
            Warning::Replaces => "replaces",
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::NotAnnounced(hint) => {
                let announced = match hint {
                    Hint::GetAssertion => "a sign-in",
                    Hint::MakeCredential => "a new passkey",
                    Hint::DigitalCredentialPresentation => "the showing of a digital credential",
                    Hint::DigitalCredentialIssuance => "the issuing of a digital credential",
                };
                write!(f, "the code announced {announced}, and this is something else")
            }
            Warning::NotPlainAscii => {
                f.write_str("the name of the website has letters that can be taken for others")
            }
            Warning::Replaces => {
                f.write_str("this account has a passkey here, and the new one will take its place")
            }
        }
    }
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question").field("what", &self.what).field("rp_id", &self.rp_id).finish()
    }
}

impl fmt::Debug for Approval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Approval(..)")
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_approval_is_good_for_its_own_question_alone() {
        let ask = || Question::new(What::UseThisPhone, String::new(), Vec::new());
        let ((first, ticket), (second, other)) = (ask(), ask());
        let (Answer::Approve(first), Answer::Approve(second)) = (first.approve(0), second.approve(0)) else {
            panic!("approved");
        };
        assert_eq!(first.redeem(&other), None);
        assert_eq!(second.redeem(&other), Some(0));
        let (third, _) = ask();
        let Answer::Approve(third) = third.approve(0) else { panic!("approved") };
        assert_eq!(third.redeem(&ticket), None);
    }

    #[test]
    fn an_account_that_was_not_offered_is_no_yes() {
        let account = Account { name: None, display_name: None };
        for (what, index) in [
            (What::SignIn(vec![account.clone(), account.clone()]), 2),
            (What::SignIn(vec![]), 0),
            (What::Register(account), 1),
        ] {
            let (question, _) = Question::new(what, "example.com".into(), Vec::new());
            assert!(matches!(question.approve(index), Answer::Decline));
        }
    }

    #[test]
    fn terminal_escapes_and_direction_marks_do_not_reach_the_screen() {
        let hostile = "\u{1b}[2Jalice\u{7}\r\n\u{202e}moc.elgoog\u{9b}31m";
        let shown = Account { name: Some(hostile.into()), display_name: None }.to_string();
        assert_eq!(shown, "?[2Jalice????moc.elgoog?31m");
        assert_eq!(readable(&"x".repeat(1000)).chars().count(), 81);
        assert_eq!(Account { name: Some(String::new()), display_name: None }.to_string(), "(without a name)");
    }
}
