//! Why there is no way to ask: "cannot ask" is not "no", and whoever owns the
//! phone wants to know what to change.

use std::io;

/// Why a question could not be put to a person. [`super::Answer::CannotAsk`]
/// is all that a computer can tell of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The program of `--consent-command` is not there, or is none.
    #[error("the consent command does not start: {0}")]
    NotStarted(io::ErrorKind),
    /// It ended, and had said nothing.
    #[error("the consent command ended without an answer")]
    Silent,
    /// It said something that is no answer.
    #[error("the consent command gave something that is no answer")]
    Garbled,
    /// It said more than any answer is long.
    #[error("the consent command said more than {} bytes", crate::defaults::MAX_CONSENT_ANSWER)]
    TooLong,
    /// It said something, and then something else.
    #[error("the consent command answered more than once")]
    Twice,
    /// It said yes, and there are several accounts to say yes to.
    #[error("the consent command said yes without saying to which account")]
    NoAccount,
    /// It said that it cannot.
    #[error("the consent command says that it cannot ask")]
    Unable,
    /// There is no session bus, as where nobody is logged in to a desktop.
    #[error("there is no session bus for a notification")]
    NoBus,
    /// Nobody on the bus shows notifications.
    #[error("nobody shows notifications on the session bus")]
    NoNotifications,
    /// Notifications are shown, and cannot be answered.
    #[error("notifications have no buttons on this desktop")]
    NoButtons,
    /// A desktop shows three buttons, of which one is for no.
    #[error("a notification has no room for a choice among {0} accounts; use the terminal")]
    TooManyAccounts(usize),
    /// The notification went away, and by nobody's hand.
    #[error("the notification went away before anybody answered")]
    Vanished,
}
