//! One line for each thing, on standard error, for people.

use std::io::{IsTerminal, Write};

use super::{Notice, Screen, Stage};
use crate::ctap2::Served;
use crate::error::Error;

/// People's surface.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terminal;

impl Screen for Terminal {
    fn notice(&mut self, notice: Notice<'_>) {
        match notice {
            Notice::Stage(stage, elapsed) => {
                let stuck = if stage != Stage::Done && std::io::stderr().is_terminal() {
                    format!("  (if it stays so: {})", stage.if_stuck())
                } else {
                    String::new()
                };
                say(&format!("{:7.2} s  {}{stuck}", elapsed.as_secs_f64(), stage.sentence()));
            }
            Notice::Asked(what) => say(&format!("           a computer asks to {what}")),
            Notice::Verify(what) => say(&format!("           {what}")),
            Notice::Served(served) => say(&format!(
                "           {}",
                match served {
                    Served::Registered => "the passkey is made and in the vault",
                    Served::SignedIn => "signed in",
                    Served::Selected => "the computer knows that this is the phone to use",
                }
            )),
            Notice::NotServed(error) => {
                let (_, id, _) = error.advice();
                say(&format!("           not served: {error} ({id})"));
            }
            Notice::Caution(caution) => say(&format!("warning: {caution}")),
        }
    }
}

/// The last lines of a run that failed.
pub fn failed(error: &Error) {
    say(&error.lines());
}

/// One line for people.
pub(crate) fn say(line: &str) {
    // Nobody is left to be told that nobody listens.
    let _ = writeln!(std::io::stderr(), "{line}");
}
