//! Asking at the terminal. Not at standard input, which may be a pipe with
//! the code in it: at the terminal that this program was started from.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::thread::JoinHandle;

use cablecar_protocol::secrets::scrub_stack;
use tokio::sync::oneshot;

use super::{Answer, Consent, Question, What};

/// The person in front of the terminal.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terminal;

impl Consent for Terminal {
    async fn ask(&mut self, question: Question) -> Answer {
        let (_, answer) = in_thread(move || match open() {
            Ok((input, output)) => converse(question, input, output),
            Err(_) => Answer::CannotAsk,
        });
        let mut withdrawal = Withdrawal { open: true };
        let answer = answer.await.unwrap_or(Answer::CannotAsk);
        withdrawal.open = false;
        answer
    }
}

/// Says so at the terminal when a question is dropped without an answer.
struct Withdrawal {
    open: bool,
}

impl Drop for Withdrawal {
    fn drop(&mut self) {
        if let (true, Ok((_, mut output))) = (self.open, open()) {
            let _ = writeln!(output, "\n(this question needs no answer any more)");
        }
    }
}

/// Runs a conversation that blocks. A thread of its own and not one of the
/// runtime's: a question that is withdrawn leaves a thread behind that waits
/// for a line, and the runtime would wait for it. The answer never comes if
/// there is no thread to be had.
pub(crate) fn in_thread<T: Send + 'static>(
    conversation: impl FnOnce() -> T + Send + 'static,
) -> (Option<JoinHandle<()>>, oneshot::Receiver<T>) {
    let (answer, answered) = oneshot::channel();
    let thread = std::thread::Builder::new().spawn(move || {
        // Nobody waits any more when the question was withdrawn.
        let _ = answer.send(conversation());
        // A stack outlives its thread, and this one may have seen a
        // passphrase.
        scrub_stack();
    });
    (thread.ok(), answered)
}

fn open() -> io::Result<(BufReader<File>, File)> {
    let input = File::open("/dev/tty")?;
    let output = OpenOptions::new().write(true).open("/dev/tty")?;
    Ok((BufReader::new(input), output))
}

/// Asks the owner about something that no computer asked for. Everything but
/// a clear yes is no; nothing where there is no terminal.
pub(crate) fn confirm(question: &str) -> Option<bool> {
    let (input, output) = open().ok()?;
    yes_or_no(question, input, output)
}

fn yes_or_no(question: &str, mut input: impl BufRead, mut output: impl Write) -> Option<bool> {
    write!(output, "{question}").and_then(|()| output.flush()).ok()?;
    let mut line = String::new();
    match input.read_line(&mut line) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes")),
    }
}

/// Shows the question and reads the answer. Everything but a clear yes is no;
/// a terminal that is gone cannot be asked.
fn converse(question: Question, mut input: impl BufRead, mut output: impl Write) -> Answer {
    let mut line = String::new();
    let asked = show(&question, &mut output).and_then(|()| input.read_line(&mut line));
    match asked {
        Ok(0) | Err(_) => Answer::CannotAsk,
        Ok(_) => answer(question, line.trim()),
    }
}

fn answer(question: Question, line: &str) -> Answer {
    match (&question.what, line.to_ascii_lowercase().as_str()) {
        (What::SignIn(accounts), number) if accounts.len() > 1 => {
            match number.parse::<usize>().ok().and_then(|number| number.checked_sub(1)) {
                Some(index) => question.approve(index),
                None => Answer::Decline,
            }
        }
        // A slip of one finger is not enough for what nothing brings back.
        (What::Reset, "erase") => question.approve(0),
        (What::Reset, _) => Answer::Decline,
        (_, "y" | "yes") => question.approve(0),
        _ => Answer::Decline,
    }
}

fn show(question: &Question, out: &mut impl Write) -> io::Result<()> {
    writeln!(out)?;
    let (asker, site) = (question.asker(), question.site());
    match &question.what {
        What::Register(account) => {
            writeln!(out, "{asker} wants to MAKE A PASSKEY.")?;
            writeln!(out, "  website  {site}\n  account  {account}")?;
        }
        What::AlreadyRegistered(account) => {
            writeln!(out, "{asker} wants to make a passkey, but this phone has one already.")?;
            writeln!(out, "  website  {site}\n  account  {account}")?;
        }
        What::SignIn(accounts) => {
            writeln!(out, "{asker} wants to SIGN IN.\n  website  {site}")?;
            match accounts.as_slice() {
                [only] => writeln!(out, "  account  {only}")?,
                several => {
                    for (number, account) in (1..).zip(several) {
                        writeln!(out, "  {number:>3}. {account}")?;
                    }
                }
            }
        }
        What::NothingToSignInWith => {
            writeln!(out, "{asker} wants to sign in, but this phone has no passkey for it.")?;
            writeln!(out, "  website  {site}")?;
        }
        What::UseThisPhone => writeln!(out, "{asker} asks whether this is the phone to use.")?,
        What::Reset => {
            writeln!(out, "{asker} wants to ERASE EVERY PASSKEY in this vault, and its PIN.")?;
            writeln!(
                out,
                "  Nothing brings them back. You will not get into accounts that have no other way in."
            )?;
        }
    }
    for warning in &question.warnings {
        writeln!(out, "  WARNING: {warning}")?;
    }
    let prompt = match &question.what {
        What::Register(_) => "Make it? It is for that computer, not for this phone. [y/N] ".into(),
        What::AlreadyRegistered(_) | What::NothingToSignInWith => "Tell it so? [y/N] ".into(),
        What::SignIn(accounts) if accounts.len() > 1 => {
            format!("Which account signs in there? [1-{}, Enter for none] ", accounts.len())
        }
        What::SignIn(_) => "Sign in there? [y/N] ".to_owned(),
        What::UseThisPhone => "Use it? [y/N] ".to_owned(),
        What::Reset => "Type \"erase\" to erase them all, anything else to keep them: ".to_owned(),
    };
    write!(out, "{prompt}")?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::super::{Account, Warning};
    use super::*;
    use cablecar_protocol::qr::Hint;

    fn account(name: &str) -> Account {
        Account { name: Some(name.into()), display_name: None }
    }

    fn typed(what: What, line: &str) -> (Answer, String) {
        let (question, _) =
            Question::new(what, "example.com".into(), vec![Warning::NotAnnounced(Hint::GetAssertion)]);
        let mut screen = Vec::new();
        let answer = converse(question, line.as_bytes(), &mut screen);
        (answer, String::from_utf8(screen).unwrap())
    }

    #[test]
    fn only_a_clear_yes_is_yes() {
        for yes in ["y\n", "Y\n", " yes \n"] {
            assert!(matches!(typed(What::UseThisPhone, yes).0, Answer::Approve(_)), "{yes:?}");
        }
        for no in ["\n", "n\n", "yy\n", "1\n", "yes please\n", "ja\n"] {
            assert!(matches!(typed(What::UseThisPhone, no).0, Answer::Decline), "{no:?}");
        }
    }

    #[test]
    fn everything_is_erased_by_its_own_word_alone() {
        assert!(matches!(typed(What::Reset, "erase\n").0, Answer::Approve(_)));
        for no in ["\n", "y\n", "yes\n", "erase all\n"] {
            assert!(matches!(typed(What::Reset, no).0, Answer::Decline), "{no:?}");
        }
        assert!(typed(What::Reset, "\n").1.contains("ERASE EVERY PASSKEY"));
    }

    #[test]
    fn the_owner_confirms_with_a_clear_yes_only() {
        let asked = |line: &str| yes_or_no("Remove it? [y/N] ", line.as_bytes(), Vec::new());
        for (line, said) in [("y\n", true), (" YES \n", true), ("\n", false), ("yy\n", false), ("n", false)] {
            assert_eq!(asked(line), Some(said), "{line:?}");
        }
        assert_eq!(asked(""), None);
        let mut screen = Vec::new();
        yes_or_no("Remove it? ", &b"y\n"[..], &mut screen);
        assert_eq!(screen, b"Remove it? ");
    }

    #[test]
    fn a_terminal_that_is_gone_cannot_be_asked() {
        assert!(matches!(typed(What::UseThisPhone, "").0, Answer::CannotAsk));
    }

    #[test]
    fn among_several_accounts_a_number_is_the_answer_and_yes_is_not() {
        let what = || What::SignIn(vec![account("alice"), account("bob")]);
        for no in ["y\n", "0\n", "3\n", "-1\n", "\n", "99999999999999999999\n"] {
            assert!(matches!(typed(what(), no).0, Answer::Decline), "{no:?}");
        }
        let (question, ticket) = Question::new(what(), "example.com".into(), Vec::new());
        let Answer::Approve(approval) = converse(question, &b"2\n"[..], &mut Vec::new()) else {
            panic!("approved");
        };
        assert_eq!(approval.redeem(&ticket), Some(1));
    }

    #[test]
    fn the_question_names_website_accounts_and_warning() {
        let (_, screen) = typed(What::SignIn(vec![account("alice"), account("b\u{1b}ob")]), "\n");
        for part in ["SIGN IN", "example.com", "1. alice", "2. b?ob", "WARNING: the code announced a sign-in"]
        {
            assert!(screen.contains(part), "{part} in {screen}");
        }
        let (answer, screen) = typed(What::Register(account("alice")), "\n");
        // What is not as announced is not made by pressing Enter.
        assert!(matches!(answer, Answer::Decline));
        assert!(screen.contains("MAKE A PASSKEY") && screen.contains("alice") && screen.contains("[y/N]"));
    }

    #[test]
    fn a_computer_without_a_name_is_unknown_and_a_site_is_in_parts() {
        let (mut question, _) =
            Question::new(What::NothingToSignInWith, "example.com.еvil.org".into(), Vec::new());
        let mut screen = Vec::new();
        show(&question, &mut screen).unwrap();
        let screen = String::from_utf8(screen).unwrap();
        assert!(screen.contains("\nAn unknown computer wants to sign in"), "{screen}");
        let site = "  website  example.com.[xn--vil-qdd.org] (written example.com.еvil.org)\n";
        assert!(screen.contains(site), "{screen}");
        question.computer = Some("desk\u{1b}top".into());
        assert_eq!(question.asker(), "The computer \"desk?top\"");
    }
}
