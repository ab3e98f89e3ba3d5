//! How the person is asked, and verified: the same arguments wherever
//! somebody is.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::DANGER;
use crate::consent::Way;
use crate::consent::scripted::Scripted;
use crate::error::Error;
use crate::screen::Caution;
use crate::verification::Means;

/// How the person is asked, and verified.
#[derive(Debug, Args)]
pub struct ConsentArgs {
    /// Where questions are asked: at this terminal, or by a notification with
    /// buttons (Linux, in builds with the feature notification)
    #[arg(long, value_name = "WHERE", default_value = "terminal",
        conflicts_with_all = ["consent_command", "danger_consent"])]
    pub consent: AskAt,
    /// Have this program ask: a path, or a name on the search path, without
    /// arguments. It is started for each question, and reads and answers one
    /// line of JSON; docs/consent-command.md says which
    #[arg(long, value_name = "PROG", conflicts_with = "danger_consent")]
    pub consent_command: Option<PathBuf>,
    /// Verify you for each request by this too: a finger known to fprintd, or
    /// what the system asks for by PAM and the program pamtester (in builds
    /// with the features fprintd and pam)
    #[arg(long, value_name = "BY")]
    pub verify: Option<VerifyBy>,
    /// Answer every question without asking a person
    #[arg(long, value_name = "allow|deny|after=MS", help_heading = DANGER, value_parser = scripted)]
    pub danger_consent: Option<Scripted>,
}

/// Where questions are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AskAt {
    /// At the terminal that the program was started from.
    Terminal,
    /// By a notification of the desktop.
    Notification,
}

/// By what a person is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VerifyBy {
    /// The vault's passphrase.
    Passphrase,
    /// A finger.
    Fprintd,
    /// Whatever the system asks for.
    Pam,
}

impl ConsentArgs {
    /// How questions are put.
    ///
    /// # Errors
    /// [`Error::NotBuilt`].
    pub fn way(&self, cautions: &mut Vec<Caution>) -> Result<Way, Error> {
        match (self.danger_consent, &self.consent_command, self.consent) {
            (Some(scripted), _, _) => {
                cautions.push(Caution::ScriptedConsent);
                Ok(Way::Scripted(scripted))
            }
            (_, Some(program), _) => Ok(Way::Command(program.clone())),
            (_, _, AskAt::Terminal) => Ok(Way::Terminal),
            #[cfg(all(feature = "notification", target_os = "linux"))]
            (_, _, AskAt::Notification) => Ok(Way::Notification),
            #[cfg(not(all(feature = "notification", target_os = "linux")))]
            (_, _, AskAt::Notification) => Err(Error::NotBuilt("notification")),
        }
    }

    /// How the person is verified, if there is a wish.
    ///
    /// # Errors
    /// [`Error::NotBuilt`].
    pub fn means(&self) -> Result<Option<Means>, Error> {
        match self.verify {
            None => Ok(None),
            Some(VerifyBy::Passphrase) => Ok(Some(Means::Passphrase)),
            #[cfg(all(feature = "fprintd", target_os = "linux"))]
            Some(VerifyBy::Fprintd) => Ok(Some(Means::Fprintd)),
            #[cfg(not(all(feature = "fprintd", target_os = "linux")))]
            Some(VerifyBy::Fprintd) => Err(Error::NotBuilt("fprintd")),
            #[cfg(all(feature = "pam", unix))]
            Some(VerifyBy::Pam) => Ok(Some(Means::Pam)),
            #[cfg(not(all(feature = "pam", unix)))]
            Some(VerifyBy::Pam) => Err(Error::NotBuilt("pam")),
        }
    }
}

fn scripted(text: &str) -> Result<Scripted, String> {
    text.parse()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test may")]

    use clap::Parser;

    use super::super::{Cli, Command};
    use super::*;

    fn typed(arguments: &[&str]) -> Result<ConsentArgs, clap::Error> {
        let cli = Cli::try_parse_from(["cablecar-phone", "scan", "-"].iter().chain(arguments))?;
        let Command::Scan(scan) = cli.command else { panic!("scan") };
        Ok(scan.consent)
    }

    fn way(arguments: &[&str]) -> (Way, Vec<Caution>) {
        let mut cautions = Vec::new();
        (typed(arguments).unwrap().way(&mut cautions).unwrap(), cautions)
    }

    #[test]
    fn a_person_at_the_terminal_is_asked_unless_something_else_is_said() {
        assert_eq!(way(&[]), (Way::Terminal, vec![]));
        assert_eq!(way(&["--consent", "terminal"]), (Way::Terminal, vec![]));
        assert_eq!(way(&["--consent-command", "asker"]), (Way::Command("asker".into()), vec![]));
        let scripted = (Way::Scripted(Scripted::Deny), vec![Caution::ScriptedConsent]);
        assert_eq!(way(&["--danger-consent", "deny"]), scripted);
        assert_eq!(typed(&[]).unwrap().means().unwrap(), None);
        let by = typed(&["--verify", "passphrase"]).unwrap().means().unwrap();
        assert_eq!(by, Some(Means::Passphrase));
    }

    #[test]
    fn no_two_ways_go_together() {
        for two in [
            ["--consent", "terminal", "--consent-command", "asker"],
            ["--consent", "notification", "--danger-consent", "allow"],
            ["--consent-command", "asker", "--danger-consent", "allow"],
        ] {
            assert_eq!(typed(&two).unwrap_err().kind(), clap::error::ErrorKind::ArgumentConflict);
        }
    }

    #[test]
    fn what_is_not_built_is_refused_before_anybody_waits_for_it() {
        let notification = typed(&["--consent", "notification"]).unwrap().way(&mut Vec::new());
        let is_built = cfg!(all(feature = "notification", target_os = "linux"));
        assert!(matches!(notification, Err(Error::NotBuilt("notification"))) != is_built);
        let finger = typed(&["--verify", "fprintd"]).unwrap().means();
        let is_built = cfg!(all(feature = "fprintd", target_os = "linux"));
        assert!(matches!(finger, Err(Error::NotBuilt("fprintd"))) != is_built);
        let pam = typed(&["--verify", "pam"]).unwrap().means();
        assert!(matches!(pam, Err(Error::NotBuilt("pam"))) != cfg!(all(feature = "pam", unix)));
    }
}
