#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use cablecar_protocol::qr::Hint;
use tempfile::TempDir;

use super::super::{Account, What};
use super::*;

/// A program in this folder with this text after its first line.
fn program(folder: &TempDir, text: &str) -> Command {
    let path = folder.path().join("asker");
    // Nothing may hold it open for writing when it is started.
    fs::write(folder.path().join("text"), format!("#!/bin/sh\ncd '{}'\n{text}\n", folder.path().display()))
        .unwrap();
    fs::copy(folder.path().join("text"), &path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    Command::new(path, true)
}

fn account(name: &str) -> Account {
    Account { name: Some(name.into()), display_name: None }
}

fn sign_in() -> Question {
    let what = What::SignIn(vec![account("alice"), account("b\u{1b}ob")]);
    Question::new(what, "login.еxample.com".into(), vec![Warning::NotAnnounced(Hint::MakeCredential)]).0
}

async fn asked(text: &str, question: Question) -> Result<Answer, Fault> {
    let folder = TempDir::new().unwrap();
    let mut command = program(&folder, text);
    // Several tests start programs at once: one may be born with another's
    // file still open for writing. What is started to find out has ended
    // before the question is asked.
    let tried = Command::new(command.program.clone(), true);
    for _ in 0..100 {
        match tried.start() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            _ => break,
        }
    }
    drop(tried);
    tokio::time::timeout(Duration::from_secs(20), command.ask(question)).await.unwrap()
}

fn reset() -> Question {
    Question::new(What::Reset, String::new(), Vec::new()).0
}

#[tokio::test]
async fn it_approves_declines_and_says_that_it_cannot() {
    let (question, ticket) = Question::new(sign_in().what, "example.com".into(), Vec::new());
    let said = asked(r#"read line; echo '{"answer":"approve","account":1}'"#, question).await;
    let Ok(Answer::Approve(approval)) = said else { panic!("{said:?}") };
    assert_eq!(approval.redeem(&ticket), Some(1));
    let said = asked(r#"printf '{"answer":"approve"}'"#, reset()).await;
    assert!(matches!(said, Ok(Answer::Approve(_))), "{said:?}");
    let said = asked(r#"read line; echo '{"answer":"decline"}'; exit 3"#, sign_in()).await;
    assert!(matches!(said, Ok(Answer::Decline)), "{said:?}");
    let said = asked(r#"echo '{"answer":"cannot-ask"}'"#, sign_in()).await;
    assert_eq!(said.unwrap_err(), Fault::Unable);
}

#[tokio::test]
async fn an_account_that_was_not_offered_is_no_and_none_is_no_answer() {
    let said = asked(r#"echo '{"answer":"approve","account":2}'"#, sign_in()).await;
    assert!(matches!(said, Ok(Answer::Decline)), "{said:?}");
    let said = asked(r#"echo '{"answer":"approve","account":1}'"#, reset()).await;
    assert!(matches!(said, Ok(Answer::Decline)), "{said:?}");
    let said = asked(r#"echo '{"answer":"approve"}'"#, sign_in()).await;
    assert_eq!(said.unwrap_err(), Fault::NoAccount);
}

#[tokio::test]
async fn what_is_no_clear_answer_is_none() {
    let yes = r#"echo '{"answer":"approve","account":0}'"#;
    for (text, fault) in [
        ("exit 0", Fault::Silent),
        ("exit 1", Fault::Silent),
        ("echo", Fault::Silent),
        ("echo yes", Fault::Garbled),
        (r#"echo '{"answer":"yes"}'"#, Fault::Garbled),
        (r#"echo '{"answer":"Approve"}'"#, Fault::Garbled),
        (r#"echo '{"answer":"approve","account":-1}'"#, Fault::Garbled),
        (r#"echo '{"answer":"approve","account":0,"always":true}'"#, Fault::Garbled),
        (r#"echo '{"answer":"decline","answer":"approve","account":0}'"#, Fault::Garbled),
        (r#"echo '[{"answer":"approve","account":0}]'"#, Fault::Garbled),
        (&format!("{yes}\n{yes}"), Fault::Twice),
        (&format!("{yes}\necho"), Fault::Twice),
        (&format!("echo\n{yes}"), Fault::Twice),
        ("yes | head -c 1000000", Fault::TooLong),
        (&format!("printf '%4100s'\n{yes}"), Fault::TooLong),
    ] {
        assert_eq!(asked(text, sign_in()).await.unwrap_err(), fault, "{text}");
    }
}

#[tokio::test]
async fn a_program_that_is_not_there_cannot_ask() {
    let mut missing = Command::new("no such folder/no such program".into(), true);
    let said = missing.ask(sign_in()).await;
    assert_eq!(said.unwrap_err(), Fault::NotStarted(io::ErrorKind::NotFound));
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("text"), "").unwrap();
    let mut text = Command::new(folder.path().join("text"), true);
    let said = text.ask(sign_in()).await;
    assert_eq!(said.unwrap_err(), Fault::NotStarted(io::ErrorKind::PermissionDenied));
}

#[tokio::test]
async fn it_is_told_the_question_in_one_line() {
    let folder = TempDir::new().unwrap();
    let kept = folder.path().join("question");
    let text = format!(
        "read -r line; printf '%s' \"$line\" >'{}'; echo '{{\"answer\":\"decline\"}}'",
        kept.display()
    );
    let mut question = sign_in();
    question.computer = Some("desk\ntop".into());
    let said = asked(&text, question).await;
    assert!(matches!(said, Ok(Answer::Decline)), "{said:?}");
    let mut told: serde_json::Value = serde_json::from_slice(&fs::read(kept).unwrap()).unwrap();
    assert!(told["id"].take().as_str().is_some_and(|id| !id.is_empty()));
    let expected = serde_json::json!({
        "version": 1, "id": null, "what": "sign-in",
        "summary": "sign in to login.xn--xample-2of.com (written login.еxample.com)",
        "rp_id": "login.еxample.com",
        "rp_id_shown": "login.[xn--xample-2of.com] (written login.еxample.com)",
        "registrable": "xn--xample-2of.com",
        "accounts": [
            {"name": "alice", "display_name": null, "shown": "alice"},
            {"name": "b?ob", "display_name": null, "shown": "b?ob"},
        ],
        "computer": "desk?top",
        "warnings": [{
            "id": "not-announced", "announced": "mc",
            "message": "the code announced a new passkey, and this is something else",
        }],
        "default": "decline",
    });
    assert_eq!(told, expected);
}

async fn appears(path: &Path) -> String {
    for _ in 0..1000 {
        match fs::read_to_string(path) {
            Ok(text) => return text.trim().to_owned(),
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
    panic!("{} does not appear", path.display());
}

fn is_running(pid: &str) -> bool {
    let status = std::process::Command::new("kill").args(["-0", pid]).stderr(Stdio::null()).status();
    status.unwrap().success()
}

/// Has this program asked, and the question withdrawn while it does. How long
/// withdrawing it took, and how long it took the program to end.
async fn withdrawn(folder: &TempDir, text: &str) -> (Duration, Duration) {
    let mut command = program(folder, &format!("read line; echo $$ >pid.new; mv pid.new pid\n{text}"));
    let pid_file = folder.path().join("pid");
    let mut asked = Box::pin(command.ask(sign_in()));
    let pid = tokio::select! {
        said = &mut asked => panic!("{said:?}"),
        pid = appears(&pid_file) => pid,
    };
    assert!(is_running(&pid));
    let began = Instant::now();
    drop(asked);
    let withdrawn = began.elapsed();
    drop(command);
    assert!(!is_running(&pid), "left behind");
    (withdrawn, began.elapsed())
}

#[tokio::test]
async fn a_withdrawn_question_is_taken_back_at_once_and_its_program_ends() {
    let folder = TempDir::new().unwrap();
    let (took, ended) = withdrawn(&folder, r#"read -r line; printf '%s' "$line" >told; cat >rest"#).await;
    assert!(took < Duration::from_millis(50), "{took:?}");
    assert!(ended < defaults::CONSENT_COMMAND_ENDS, "{ended:?}");
    assert_eq!(appears(&folder.path().join("told")).await, r#"{"withdrawn":true}"#);
}

#[tokio::test]
async fn a_program_that_does_not_listen_is_killed_and_no_other() {
    let folder = TempDir::new().unwrap();
    // Its own child goes on: only what was started is ended.
    let text = "sleep 30 >/dev/null 2>&1 & echo $! >child\nexec sleep 30";
    let (took, ended) = withdrawn(&folder, text).await;
    assert!(took < Duration::from_millis(50), "{took:?}");
    assert!(ended >= defaults::CONSENT_COMMAND_ENDS, "{ended:?}");
    let child = appears(&folder.path().join("child")).await;
    assert!(is_running(&child));
    assert!(std::process::Command::new("kill").arg(&child).status().unwrap().success());
}
