//! The ways to ask, one of which is chosen at the command line.

use std::fmt;
use std::path::PathBuf;

use super::command::Command;
#[cfg(all(feature = "notification", target_os = "linux"))]
use super::notification;
use super::scripted::Scripted;
use super::terminal::Terminal;
use super::{Answer, Consent, Question};
use crate::screen::{Caution, Notice, Screen};

/// How questions are put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// At the terminal that this program was started from.
    Terminal,
    /// To nobody: `--danger-consent`.
    Scripted(Scripted),
    /// By this program, started once for each question.
    Command(PathBuf),
    /// By a notification with buttons.
    #[cfg(all(feature = "notification", target_os = "linux"))]
    Notification,
}

/// Asks in one of the [`Way`]s, and says why where that cannot be done.
pub enum AnyConsent {
    /// See [`Way::Terminal`].
    Terminal(Terminal),
    /// See [`Way::Scripted`].
    Scripted(Scripted),
    /// See [`Way::Command`].
    Command(Command, Box<dyn Screen>),
    /// See [`Way::Notification`].
    #[cfg(all(feature = "notification", target_os = "linux"))]
    Notification(Box<dyn Screen>),
}

impl AnyConsent {
    /// Asks in this way. `quiet` keeps what the consent command says to
    /// people off this program's standard error, where `screen` may be
    /// writing for programs.
    pub fn new(way: Way, screen: Box<dyn Screen>, quiet: bool) -> Self {
        match way {
            Way::Terminal => AnyConsent::Terminal(Terminal),
            Way::Scripted(scripted) => AnyConsent::Scripted(scripted),
            Way::Command(program) => AnyConsent::Command(Command::new(program, quiet), screen),
            #[cfg(all(feature = "notification", target_os = "linux"))]
            Way::Notification => AnyConsent::Notification(screen),
        }
    }
}

impl Consent for AnyConsent {
    async fn ask(&mut self, question: Question) -> Answer {
        let (answer, screen) = match self {
            AnyConsent::Terminal(terminal) => return terminal.ask(question).await,
            AnyConsent::Scripted(scripted) => return scripted.ask(question).await,
            AnyConsent::Command(command, screen) => (command.ask(question).await, screen),
            #[cfg(all(feature = "notification", target_os = "linux"))]
            AnyConsent::Notification(screen) => (notification::ask(question).await, screen),
        };
        answer.unwrap_or_else(|fault| {
            screen.notice(Notice::Caution(&Caution::NotAsked(fault)));
            Answer::CannotAsk
        })
    }
}

impl fmt::Debug for AnyConsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AnyConsent::Terminal(_) => "Terminal",
            AnyConsent::Scripted(_) => "Scripted",
            AnyConsent::Command(..) => "Command",
            #[cfg(all(feature = "notification", target_os = "linux"))]
            AnyConsent::Notification(_) => "Notification",
        })
    }
}
