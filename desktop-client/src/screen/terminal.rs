//! The terminal: the code, and one line for each stage, on standard error.

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
        Ok(Self { form, quiet })
    }

    fn show(&self, invitation: &QrInvitation) -> Result<(), Error> {
        match &self.form {
            Form::Text => say(&invitation.to_text()),
            Form::Blocks => {
                let code = Code::of(invitation)?;
                say(&code.to_terminal());
                let width = terminal_size::terminal_size_of(std::io::stderr());
                if width.is_some_and(|(width, _)| usize::from(width.0) < code.side()) {
                    say(&format!(
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
}

impl Screen for Terminal {
    fn notice(&mut self, notice: &Notice<'_>) {
        match notice {
            Notice::Code(invitation) => {
                if let Err(error) = self.show(invitation) {
                    say(&error.lines());
                }
            }
            Notice::Stage(stage, elapsed) if !self.quiet => {
                let stuck = if std::io::stderr().is_terminal() && *stage != Stage::Done {
                    format!("  (if it stays so: {})", stage.if_stuck())
                } else {
                    String::new()
                };
                say(&format!("{:7.2} s  {}{stuck}", elapsed.as_secs_f64(), stage.sentence()));
            }
            Notice::NotOurs(1) if !self.quiet => say("           heard a phone that scanned another code"),
            Notice::Caution(caution) if !self.quiet => say(&format!("warning: {caution}")),
            Notice::Stage(..) | Notice::NotOurs(_) | Notice::Caution(_) => {}
        }
    }
}

/// A code in a file is a secret: it goes when the request does.
impl Drop for Terminal {
    fn drop(&mut self) {
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
