//! The terminal: the code, and one line for each stage, on standard error or on
//! a terminal that a door has found. A code is taken off again when a phone has
//! come, when it is renewed and at the end: who photographs it later has
//! nothing.

use std::fs::{File, OpenOptions};
use std::io::{IsTerminal, Write};
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
    /// On another surface; here are only the sentences.
    Elsewhere,
    /// A PNG file, removed at the end.
    Png(PathBuf),
    /// An SVG file, removed at the end.
    Svg(PathBuf),
}

/// Where people read.
#[derive(Debug)]
enum Out {
    Stderr,
    /// A terminal, whatever standard error is.
    Tty(File),
}

impl Out {
    fn is_terminal(&self) -> bool {
        match self {
            Out::Stderr => std::io::stderr().is_terminal(),
            Out::Tty(tty) => tty.is_terminal(),
        }
    }

    /// Columns, if it knows them.
    fn width(&self) -> Option<usize> {
        let size = match self {
            Out::Stderr => terminal_size::terminal_size_of(std::io::stderr()),
            Out::Tty(tty) => terminal_size::terminal_size_of(tty),
        };
        size.map(|(width, _)| usize::from(width.0))
    }

    fn say(&self, text: &str) {
        match self {
            Out::Stderr => say(text),
            // Who shares this terminal may have it in raw mode, where a new
            // line does not begin at the left.
            Out::Tty(tty) => {
                let mut tty: &File = tty;
                let _ = tty.write_all(format!("{text}\n").replace('\n', "\r\n").as_bytes());
            }
        }
    }
}

/// People's surface.
#[derive(Debug)]
pub struct Terminal {
    out: Out,
    form: Form,
    quiet: bool,
    /// From the top of the code to the cursor, while a code is to be seen.
    below: Option<Below>,
}

/// What was written since the code, the code included.
#[derive(Debug, Default)]
struct Below {
    /// The columns of each line.
    lines: Vec<usize>,
    /// The rows that they took when they were written.
    rows: usize,
}

impl Below {
    fn add(&mut self, text: &str, width: usize) {
        let lines: Vec<_> = text.split('\n').map(columns).collect();
        self.rows += rows(&lines, width);
        self.lines.extend(lines);
    }

    /// The rows that they take at most in a window of this width now: some
    /// terminals break lines anew when a window is made narrower, others leave
    /// them. Rather too much is erased than too little.
    fn most(&self, width: usize) -> usize {
        self.rows.max(rows(&self.lines, width))
    }
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
        Ok(Self { out: Out::Stderr, form, quiet, below: None })
    }

    /// The same on a terminal that was opened, for doors whose standard error
    /// is read by others.
    ///
    /// # Errors
    /// As [`Terminal::new`].
    pub fn on(tty: File, form: Form) -> Result<Self, Error> {
        let mut terminal = Self::new(form, false)?;
        terminal.out = Out::Tty(tty);
        Ok(terminal)
    }

    /// Tells people something else, below what was told before.
    pub fn tell(&mut self, text: &str) {
        self.say(text);
    }

    fn show(&mut self, invitation: &QrInvitation) -> Result<(), Error> {
        self.wipe();
        if matches!(self.form, Form::Text | Form::Blocks) && self.out.is_terminal() {
            self.below = Some(Below::default());
        }
        match &self.form {
            Form::Elsewhere if self.quiet => {}
            Form::Elsewhere => self.say("the code is on a page in the browser"),
            Form::Text => self.say(&invitation.to_text()),
            Form::Blocks => {
                let code = Code::of(invitation)?;
                self.say(&code.to_terminal());
                if self.out.width().is_some_and(|width| width < code.side()) {
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
    pub fn wipe(&mut self) {
        if let Some(below) = self.below.take() {
            // Up to the code's first row, and everything from there erased.
            let rows = below.most(self.out.width().unwrap_or(WIDTH)).max(1);
            self.out.say(&format!("\x1b[{rows}F\x1b[J(the code is taken off the screen)"));
        }
    }

    fn say(&mut self, text: &str) {
        if let Some(below) = &mut self.below {
            below.add(text, self.out.width().unwrap_or(WIDTH));
        }
        self.out.say(text);
    }
}

/// The columns of a terminal that does not say.
const WIDTH: usize = 80;

/// The columns that a line takes. Colours take none.
fn columns(line: &str) -> usize {
    let mut parts = line.split('\x1b');
    let plain = parts.next().map_or(0, |part| part.chars().count());
    let behind_colour = |part: &str| part.split_once('m').map_or(0, |(_, rest)| rest.chars().count());
    plain + parts.map(behind_colour).sum::<usize>()
}

/// The rows that lines of these columns take in a terminal of this width.
fn rows(lines: &[usize], width: usize) -> usize {
    lines.iter().map(|columns| columns.div_ceil(width.max(1)).max(1)).sum()
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
                let stuck = if self.out.is_terminal() && *stage != Stage::Done {
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
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    // Elsewhere it is as private as the folder.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let out = options.open(&beside);
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
    use super::Below;

    fn rows_of(text: &str, width: usize) -> usize {
        let mut below = Below::default();
        below.add(text, width);
        below.rows
    }

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

    #[test]
    fn a_window_that_was_made_narrower_or_wider_hides_no_rest_of_a_code() {
        let mut below = Below::default();
        below.add(&vec!["█".repeat(41); 21].join("\n"), 80);
        assert_eq!((below.most(80), below.most(30), below.most(200)), (21, 42, 21));
    }
}
