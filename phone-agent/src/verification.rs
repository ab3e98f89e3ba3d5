//! Verifying the person beyond the vault's passphrase: by the passphrase once
//! more, by a finger, or by whatever the system asks at a login.
//!
//! A verification answers one question, whether the owner is here, for one
//! request. It opens nothing: the vault's key comes from its passphrase and
//! from nothing else.

mod fault;
#[cfg(all(feature = "fprintd", target_os = "linux"))]
mod fprintd;
#[cfg(all(feature = "pam", unix))]
mod pam;
pub mod passphrase;

use std::fmt;
use std::future::Future;

pub use fault::Fault;

use self::passphrase::Passphrase;
use crate::consent::{Answer, Consent, Question, What};
use crate::passphrase::Source;
use crate::screen::{Caution, Notice, Screen};
use crate::vault::Vault;

/// Finds out whether the owner is here.
pub trait Verifier {
    /// Verifies the person for one request. `why` completes "to ...": it is
    /// what the request asks, in words made safe to show. Dropping the future
    /// ends the attempt.
    fn verify(&mut self, why: &str) -> impl Future<Output = Verified> + Send;
}

/// What a verification came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// It is the owner.
    Yes,
    /// It is not, or would not say so.
    No,
    /// There is no way to find out. Not a no.
    CannotAsk,
}

/// How the person is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// By the vault's passphrase.
    Passphrase,
    /// By a finger, with fprintd.
    #[cfg(all(feature = "fprintd", target_os = "linux"))]
    Fprintd,
    /// By what the system asks for, with PAM.
    #[cfg(all(feature = "pam", unix))]
    Pam,
}

/// Verifies by one of the [`Means`], and says why where that cannot be done.
pub struct AnyVerifier {
    means: Verifying,
    screen: Box<dyn Screen>,
}

enum Verifying {
    Passphrase(Passphrase),
    #[cfg(all(feature = "fprintd", target_os = "linux"))]
    Fprintd,
    #[cfg(all(feature = "pam", unix))]
    Pam,
}

impl AnyVerifier {
    /// Verifies by these means. Vault and source are for the passphrase.
    pub fn new(means: Means, vault: Vault, source: Source, screen: Box<dyn Screen>) -> Self {
        let means = match means {
            Means::Passphrase => Verifying::Passphrase(Passphrase::new(vault, source)),
            #[cfg(all(feature = "fprintd", target_os = "linux"))]
            Means::Fprintd => Verifying::Fprintd,
            #[cfg(all(feature = "pam", unix))]
            Means::Pam => Verifying::Pam,
        };
        Self { means, screen }
    }
}

impl Verifier for AnyVerifier {
    async fn verify(&mut self, why: &str) -> Verified {
        let found = match &mut self.means {
            Verifying::Passphrase(passphrase) => {
                self.screen.notice(Notice::Verify(&format!("the passphrase of the vault, to {why}")));
                passphrase.verify().await
            }
            #[cfg(all(feature = "fprintd", target_os = "linux"))]
            Verifying::Fprintd => {
                self.screen.notice(Notice::Verify(&format!("touch the fingerprint reader, to {why}")));
                fprintd::verify().await
            }
            #[cfg(all(feature = "pam", unix))]
            Verifying::Pam => {
                self.screen.notice(Notice::Verify(&format!("what this system asks of you, to {why}")));
                pam::verify().await
            }
        };
        let (verified, fault) = match found {
            Ok(true) => return Verified::Yes,
            Ok(false) => (Verified::No, Fault::NotRecognised),
            Err(fault) => (Verified::CannotAsk, fault),
        };
        self.screen.notice(Notice::Caution(&Caution::NotVerified(fault)));
        verified
    }
}

impl fmt::Debug for AnyVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnyVerifier(..)")
    }
}

/// Asks only a person who was verified, where a verifier is set: the way of
/// `scan`, whose vault is open by then.
#[derive(Debug)]
pub struct VerifiedFirst<C, V = AnyVerifier> {
    /// Verifies, or nobody does.
    pub verifier: Option<V>,
    /// Asks.
    pub consent: C,
}

impl<C: Consent + Send, V: Verifier + Send> Consent for VerifiedFirst<C, V> {
    async fn ask(&mut self, question: Question) -> Answer {
        // No passkey is at stake in the choice of a phone.
        let verifier = self.verifier.as_mut().filter(|_| question.what != What::UseThisPhone);
        let verified = match verifier {
            Some(verifier) => verifier.verify(&question.summary()).await,
            None => Verified::Yes,
        };
        match verified {
            Verified::Yes => self.consent.ask(question).await,
            Verified::No => Answer::Decline,
            Verified::CannotAsk => Answer::CannotAsk,
        }
    }
}

#[cfg(test)]
mod tests;
