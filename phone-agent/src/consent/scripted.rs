//! Answers without a person, for scripts and tests: `--danger-consent`.
//! No byte of a peer's chooses one; only whoever starts the program does.

use std::time::Duration;

use super::{Answer, Consent, Question};

/// What to answer to every question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scripted {
    /// Yes, to the first account.
    Allow,
    /// No.
    Deny,
    /// Yes, to the first account, after this long.
    After(Duration),
    /// That there is no way to ask.
    CannotAsk,
}

impl Consent for Scripted {
    async fn ask(&mut self, question: Question) -> Answer {
        match self {
            Scripted::Allow => question.approve(0),
            Scripted::Deny => Answer::Decline,
            Scripted::After(delay) => {
                tokio::time::sleep(*delay).await;
                question.approve(0)
            }
            Scripted::CannotAsk => Answer::CannotAsk,
        }
    }
}
