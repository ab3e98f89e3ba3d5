#![allow(clippy::unwrap_used, reason = "a test may")]

use std::path::Path;

use rand_core::OsRng;

use super::*;
use crate::consent::scripted::Scripted;
use crate::passphrase::{NoPassphrase, Passphrase};
use crate::vault::Kdf;

struct Says(Verified, Vec<String>);

impl Verifier for Says {
    async fn verify(&mut self, why: &str) -> Verified {
        self.1.push(why.into());
        self.0
    }
}

async fn asked(verified: Verified, what: What) -> (Answer, Vec<String>) {
    let (question, _) = Question::new(what, "example.com".into(), Vec::new());
    let mut consent = VerifiedFirst { verifier: Some(Says(verified, Vec::new())), consent: Scripted::Allow };
    (consent.ask(question).await, consent.verifier.unwrap().1)
}

#[tokio::test]
async fn only_who_was_verified_is_asked() {
    let (answer, why) = asked(Verified::Yes, What::NothingToSignInWith).await;
    assert!(matches!(answer, Answer::Approve(_)));
    assert_eq!(why, ["sign in to example.com"]);
    assert!(matches!(asked(Verified::No, What::NothingToSignInWith).await.0, Answer::Decline));
    assert!(matches!(asked(Verified::CannotAsk, What::Reset).await.0, Answer::CannotAsk));
}

#[tokio::test]
async fn the_choice_of_a_phone_needs_no_verification() {
    let (answer, why) = asked(Verified::No, What::UseThisPhone).await;
    assert!(matches!(answer, Answer::Approve(_)) && why.is_empty());
}

async fn by_passphrase(file: &Path) -> Result<bool, Fault> {
    let vault = Vault::in_memory();
    vault.create(&Passphrase::new(b"hunter2".to_vec()).unwrap(), Kdf::DANGER_WEAK, &mut OsRng).unwrap();
    passphrase::Passphrase::new(vault, Source::File(file.to_owned())).verify().await
}

#[tokio::test]
async fn the_passphrase_is_read_again_and_tried_at_the_vault() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "hunter2\n").unwrap();
    assert_eq!(by_passphrase(file.path()).await, Ok(true));
    std::fs::write(file.path(), "hunter3\n").unwrap();
    assert_eq!(by_passphrase(file.path()).await, Ok(false));
    let missing = by_passphrase(Path::new("no such file")).await;
    assert_eq!(missing, Err(Fault::Passphrase(NoPassphrase::File(std::io::ErrorKind::NotFound))));
}
