//! The people in the world: whoever reads the computer's screen and holds the
//! phone, and knows the vault's passphrase.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cablecar::screen::{Notice, Stage};
use cablecar_phone::consent::{Answer, Consent, Question};
use cablecar_phone::passphrase::{NoPassphrase, Passphrase, Passphrases};
use tokio::sync::watch;

/// The passphrase of every vault in the world.
pub const PASSPHRASE: &[u8] = b"correct horse battery staple";

/// Knows the passphrase.
#[derive(Debug, Clone, Copy, Default)]
pub struct Knows;

impl Passphrases for Knows {
    async fn ask(&mut self, _: u32) -> Result<Passphrase, NoPassphrase> {
        Passphrase::new(PASSPHRASE.to_vec())
    }

    fn tries(&self) -> u32 {
        1
    }
}

/// Answers questions and remembers them.
#[derive(Debug, Clone)]
pub struct Person {
    answer: fn(Question) -> Answer,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Person {
    /// Says yes to everything.
    pub fn agreeable() -> Self {
        Self::who(|question| question.approve(0))
    }

    /// Says no to everything.
    pub fn suspicious() -> Self {
        Self::who(|_| Answer::Decline)
    }

    /// Answers like this.
    pub fn who(answer: fn(Question) -> Answer) -> Self {
        Self { answer, asked: Arc::default() }
    }

    /// What was asked so far, in words, warnings included.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Consent for Person {
    async fn ask(&mut self, question: Question) -> Answer {
        let words = format!("{} {:?}", question.summary(), question.warnings);
        self.asked.lock().unwrap().push(words);
        (self.answer)(question)
    }
}

/// What the computer shows, for whoever looks at it.
#[derive(Debug, Clone)]
pub struct Glass {
    code: watch::Sender<Option<String>>,
    seen: Arc<Mutex<Seen>>,
}

/// What was shown so far.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Stages in order.
    pub stages: Vec<(Stage, Duration)>,
    /// Codes in order.
    pub codes: Vec<String>,
    /// Adverts that were not for us.
    pub not_ours: u64,
}

impl Default for Glass {
    fn default() -> Self {
        Self { code: watch::channel(None).0, seen: Arc::default() }
    }
}

impl Glass {
    /// The text of the code, once one is shown.
    pub async fn code(&self) -> String {
        let mut code = self.code.subscribe();
        let shown = code.wait_for(Option::is_some).await.unwrap();
        shown.clone().unwrap()
    }

    /// What was shown so far.
    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }
}

impl cablecar::screen::Screen for Glass {
    fn notice(&mut self, notice: &Notice<'_>) {
        let mut seen = self.seen.lock().unwrap();
        match notice {
            Notice::Code(invitation) => {
                let text = invitation.to_text().to_string();
                seen.codes.push(text.clone());
                self.code.send_replace(Some(text));
            }
            Notice::Stage(stage, elapsed) => seen.stages.push((*stage, *elapsed)),
            Notice::NotOurs(adverts) => seen.not_ours = *adverts,
            Notice::Caution(_) => {}
        }
    }
}

/// A phone whose screen nobody looks at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Dark;

impl cablecar_phone::screen::Screen for Dark {
    fn notice(&mut self, _: cablecar_phone::screen::Notice<'_>) {}
}
