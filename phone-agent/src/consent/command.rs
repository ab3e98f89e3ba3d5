//! Asking by another program, which any desktop can have: `--consent-command`.
//!
//! It is started once for each question, is told the question in one line of
//! JSON, and says the answer in one line. docs/consent-command.md is written
//! for whoever writes such a program. Nothing secret is told to it, and what
//! is no clear answer is none: neither yes nor no.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::terminal::in_thread;
use super::{Answer, Fault, Question, Warning, readable};
use crate::defaults;

/// What a program is told first when its question needs no answer any more.
const WITHDRAWN: &[u8] = b"{\"withdrawn\":true}\n";

/// A program that asks.
#[derive(Debug)]
pub struct Command {
    program: PathBuf,
    quiet: bool,
    endings: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Command {
    /// Asks by this program: a path, or a name on the search path. `quiet`
    /// throws away what it writes to standard error.
    pub fn new(program: PathBuf, quiet: bool) -> Self {
        Self { program, quiet, endings: Arc::default() }
    }

    /// Asks, and waits until the program has ended its output. Dropping the
    /// future withdraws the question.
    pub(super) async fn ask(&mut self, question: Question) -> Result<Answer, Fault> {
        let line = line(&question).map_err(|_| Fault::Unable)?;
        let (mut asked, output) = self.start().map_err(|error| Fault::NotStarted(error.kind()))?;
        asked.room = line.len() + WITHDRAWN.len() <= defaults::PIPE;
        let input = Arc::clone(&asked.input);
        // Both ends of a pipe may block, and a person takes minutes.
        let (_, said) = in_thread(move || converse(&input, &line, output));
        let said = said.await.unwrap_or(Err(Fault::Silent));
        asked.open = false;
        answer(question, &said?)
    }

    fn start(&self) -> io::Result<(Asked, ChildStdout)> {
        let mut command = std::process::Command::new(&self.program);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(if self.quiet { Stdio::null() } else { Stdio::inherit() });
        // Where the vault is, and whatever else is meant for this program
        // alone. No open file goes along: Rust opens all of them that way.
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"CABLECAR_"))
        {
            command.env_remove(name);
        }
        let mut child = command.spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let endings = Arc::clone(&self.endings);
        let asked = Asked {
            child: Some(child),
            input: Arc::new(Mutex::new(input)),
            endings,
            open: true,
            room: false,
        };
        output.map(|output| (asked, output)).ok_or_else(|| io::ErrorKind::BrokenPipe.into())
    }
}

impl Drop for Command {
    /// No program is left behind that still shows a question.
    fn drop(&mut self) {
        for ending in lock(&self.endings).drain(..) {
            let _ = ending.join();
        }
    }
}

/// A program that was asked, until it has ended.
struct Asked {
    child: Option<Child>,
    input: Arc<Mutex<Option<ChildStdin>>>,
    endings: Arc<Mutex<Vec<JoinHandle<()>>>>,
    open: bool,
    // For a word more, even if nothing is read.
    room: bool,
}

impl Drop for Asked {
    /// Its input ends, and with it, soon, the program: this one and no other.
    fn drop(&mut self) {
        // Held only by a question that is longer than a pipe, and not read.
        let input = self.input.try_lock().ok().and_then(|mut input| input.take());
        let (withdrawn, Some(child)) = (self.open && self.room, self.child.take()) else { return };
        let ending = std::thread::Builder::new().spawn(move || end(child, input, withdrawn));
        let mut endings = lock(&self.endings);
        endings.retain(|ending| !ending.is_finished());
        endings.extend(ending);
    }
}

/// Says that the question is withdrawn, if it is, and gives the program a
/// moment to take it off the screen.
fn end(mut child: Child, input: Option<ChildStdin>, withdrawn: bool) {
    let told = input.is_some();
    if let (true, Some(mut input)) = (withdrawn, input) {
        let _ = input.write_all(WITHDRAWN);
    }
    let began = Instant::now();
    while told && began.elapsed() < defaults::CONSENT_COMMAND_ENDS {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        std::thread::sleep(defaults::CONSENT_COMMAND_LOOK);
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// Says the line, and hears the program out.
fn converse(input: &Mutex<Option<ChildStdin>>, line: &[u8], output: ChildStdout) -> Result<Vec<u8>, Fault> {
    if let Some(input) = lock(input).as_mut() {
        // A program may know its answer without the question.
        let _ = input.write_all(line);
    }
    let limit = u64::try_from(defaults::MAX_CONSENT_ANSWER).unwrap_or(u64::MAX);
    let mut said = Vec::new();
    output.take(limit.saturating_add(1)).read_to_end(&mut said).map_err(|_| Fault::Silent)?;
    if said.len() > defaults::MAX_CONSENT_ANSWER { Err(Fault::TooLong) } else { Ok(said) }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A question, as a program gets it.
#[derive(Serialize)]
struct Asking<'a> {
    version: u32,
    id: String,
    what: &'static str,
    summary: String,
    rp_id: &'a str,
    rp_id_shown: String,
    registrable: Option<String>,
    accounts: Vec<Offered>,
    computer: Option<String>,
    warnings: Vec<Warned>,
    default: &'static str,
}

#[derive(Serialize)]
struct Offered {
    name: Option<String>,
    display_name: Option<String>,
    shown: String,
}

#[derive(Serialize)]
struct Warned {
    id: &'static str,
    message: String,
    announced: Option<&'static str>,
}

/// What a program says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    answer: Word,
    account: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Word {
    Approve,
    Decline,
    CannotAsk,
}

fn line(question: &Question) -> Result<Vec<u8>, serde_json::Error> {
    static ASKED: AtomicU64 = AtomicU64::new(1);
    let site = question.site();
    let asking = Asking {
        version: 1,
        id: format!("{}-{}", std::process::id(), ASKED.fetch_add(1, Ordering::Relaxed)),
        what: question.what.id(),
        summary: question.summary(),
        rp_id: &question.rp_id,
        rp_id_shown: if question.rp_id.is_empty() { String::new() } else { site.to_string() },
        registrable: site.registrable,
        accounts: (question.what.accounts().iter())
            .map(|account| Offered {
                name: account.name.as_deref().map(readable),
                display_name: account.display_name.as_deref().map(readable),
                shown: account.to_string(),
            })
            .collect(),
        computer: question.computer.as_deref().map(readable),
        warnings: (question.warnings.iter())
            .map(|warning| Warned {
                id: warning.id(),
                message: warning.to_string(),
                announced: match warning {
                    Warning::NotAnnounced(hint) => Some(hint.as_str()),
                    Warning::NotPlainAscii | Warning::Replaces => None,
                },
            })
            .collect(),
        default: "decline",
    };
    let mut line = serde_json::to_vec(&asking)?;
    line.push(b'\n');
    Ok(line)
}

/// What is said becomes an answer, or is none.
fn answer(question: Question, said: &[u8]) -> Result<Answer, Fault> {
    let line = said.strip_suffix(b"\n").unwrap_or(said);
    if line.is_empty() {
        return Err(Fault::Silent);
    }
    if line.contains(&b'\n') {
        return Err(Fault::Twice);
    }
    let said: Said = serde_json::from_slice(line).map_err(|_| Fault::Garbled)?;
    match (said.answer, said.account) {
        (Word::Approve, Some(account)) => Ok(question.approve(account)),
        // Nobody chooses in a person's place.
        (Word::Approve, None) if question.what.accounts().len() > 1 => Err(Fault::NoAccount),
        (Word::Approve, None) => Ok(question.approve(0)),
        (Word::Decline, _) => Ok(Answer::Decline),
        (Word::CannotAsk, _) => Err(Fault::Unable),
    }
}

#[cfg(all(test, unix))]
mod tests;
