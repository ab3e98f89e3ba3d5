//! The terminal: the code, and one line for each stage, on standard error. A
//! code is taken off again when a phone has come, when it is renewed and at
//! the end: who photographs it later has nothing.

use std::fs::OpenOptions;
use std::io::{IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use cablecar_protocol::qr::QrInvitation;

use super::code::Code;
use super::{Notice, Screen, Stage};
use crate::error::Error;

/// In which form the code is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// Blocks in the terminal.
    Blocks,
    /// The text inside the code, for whoever cannot scan.
    Text,
    /// A PNG file, removed at the end.
    Png(PathBuf),
    /// An SVG file, removed at the end.
    Svg(PathBuf),
}

/// People's surface.
#[derive(Debug)]
pub struct Terminal {
    form: Form,
    quiet: bool,
    /// Rows of the terminal from the top of the code to the cursor, while a
    /// code is to be seen on it.
    rows: Option<usize>,
}

impl Terminal {
    /// Shows the code in this form; `quiet` leaves out the sentences, where
    /// programs read events instead.
    ///
    /// # Errors
    /// [`Error::Io`] for a file that cannot be written: better known now than
    /// when a code has to be shown. [`Error::Usage`] for one that exists: it
    /// would be overwritten, and removed at the end.
    pub fn new(form: Form, quiet: bool) -> Result<Self, Error> {
        if let Form::Png(file) | Form::Svg(file) = &form {
            if file.symlink_metadata().is_ok() {
                return Err(Error::Usage(format!("--qr: {} is there already", file.display())));
            }
            let beside = write_beside(file, &[])?;
            let _ = std::fs::remove_file(beside);
        }
        Ok(Self { form, quiet, rows: None })
    }

    fn show(&mut self, invitation: &QrInvitation) -> Result<(), Error> {
        self.wipe();
        if matches!(self.form, Form::Text | Form::Blocks) && std::io::stderr().is_terminal() {
            self.rows = Some(0);
        }
        match &self.form {
            Form::Text => self.say(&invitation.to_text()),
            Form::Blocks => {
                let code = Code::of(invitation)?;
                self.say(&code.to_terminal());
                let width = terminal_size::terminal_size_of(std::io::stderr());
                if width.is_some_and(|(width, _)| usize::from(width.0) < code.side()) {
                    self.say(&format!(
                        "the window is narrower than the code: widen it to {} columns, or use --qr text",
                        code.side()
                    ));
                }
            }
            Form::Png(file) => write_picture(file, &Code::of(invitation)?.to_png()?)?,
            Form::Svg(file) => write_picture(file, Code::of(invitation)?.to_svg().as_bytes())?,
        }
        Ok(())
    }

    /// Takes the code off the terminal, and what was said below it. What a
    /// window too small for the code has scrolled away stays there.
    fn wipe(&mut self) {
        if let Some(rows) = self.rows.take() {
            // Up to the code's first row, and everything from there erased.
            say(&format!("\x1b[{}F\x1b[J(the code is taken off the screen)", rows.max(1)));
        }
    }

    fn say(&mut self, text: &str) {
        if let Some(rows) = &mut self.rows {
            let width = terminal_size::terminal_size_of(std::io::stderr()).map_or(80, |(width, _)| width.0);
            *rows += rows_of(text, width.into());
        }
        say(text);
    }
}

/// How many rows a text takes in a terminal of this width. Colours take none.
fn rows_of(text: &str, width: usize) -> usize {
    let columns = |line: &str| {
        let mut parts = line.split('\x1b');
        let plain = parts.next().map_or(0, |part| part.chars().count());
        let behind_colour = |part: &str| part.split_once('m').map_or(0, |(_, rest)| rest.chars().count());
        plain + parts.map(behind_colour).sum::<usize>()
    };
    text.split('\n').map(|line| columns(line).div_ceil(width.max(1)).max(1)).sum()
}

impl Screen for Terminal {
    fn notice(&mut self, notice: &Notice<'_>) {
        match notice {
            Notice::Code(invitation) => {
                if let Err(error) = self.show(invitation) {
                    self.say(&error.lines());
                }
            }
            Notice::Stage(stage, elapsed) => {
                // It has served: nobody else should scan it.
                if *stage != Stage::WaitingForPhone {
                    self.wipe();
                }
                if self.quiet {
                    return;
                }
                let stuck = if std::io::stderr().is_terminal() && *stage != Stage::Done {
                    format!("  (if it stays so: {})", stage.if_stuck())
                } else {
                    String::new()
                };
                self.say(&format!("{:7.2} s  {}{stuck}", elapsed.as_secs_f64(), stage.sentence()));
            }
            Notice::NotOurs(1) if !self.quiet => {
                self.say("           heard a phone that scanned another code");
            }
            Notice::Caution(caution) if !self.quiet => self.say(&format!("warning: {caution}")),
            Notice::NotOurs(_) | Notice::Caution(_) => {}
        }
    }
}

/// A code is a secret: it goes when the request does.
impl Drop for Terminal {
    fn drop(&mut self) {
        self.wipe();
        if let Form::Png(file) | Form::Svg(file) = &self.form {
            let _ = std::fs::remove_file(file);
        }
    }
}

/// Whole whenever somebody looks: the next code takes the place of the last
/// in one step.
fn write_picture(file: &Path, bytes: &[u8]) -> Result<(), Error> {
    let beside = write_beside(file, bytes)?;
    std::fs::rename(beside, file).map_err(|cause| cannot_write(file, &cause))
}

/// Writes a file next to the one that is meant, readable by nobody else.
fn write_beside(file: &Path, bytes: &[u8]) -> Result<PathBuf, Error> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    // Made anew, so that nobody can have put a link or wider permissions there.
    let _ = std::fs::remove_file(&beside);
    let out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside);
    let written = out.and_then(|mut out| out.write_all(bytes));
    written.map_err(|cause| cannot_write(file, &cause))?;
    Ok(beside)
}

fn cannot_write(file: &Path, cause: &std::io::Error) -> Error {
    Error::Io { what: format!("cannot write {}", file.display()), cause: cause.to_string() }
}

#[allow(clippy::print_stderr, reason = "this is where people are faced; results go to standard output")]
fn say(text: &str) {
    eprintln!("{text}");
}

#[cfg(test)]
mod tests {
    use super::rows_of;

    #[test]
    fn a_text_takes_the_rows_that_a_terminal_gives_it() {
        assert_eq!(rows_of("one", 80), 1);
        assert_eq!(rows_of("", 80), 1);
        assert_eq!(rows_of("one\ntwo\n", 80), 3);
        assert_eq!(rows_of(&"x".repeat(80), 80), 1);
        assert_eq!(rows_of(&"█".repeat(81), 80), 2);
        assert_eq!(rows_of(&format!("\x1b[30;47m{}\x1b[0m", "█".repeat(80)), 80), 1);
        assert_eq!(rows_of("x", 0), 1);
    }
}
