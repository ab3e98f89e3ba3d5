//! Where there is no terminal: the code as a picture in a folder of ours, and
//! `SSH_ASKPASS` to say where it is and how far the request is. The program
//! hears of the picture by `CABLECAR_CODE` too, so that one that can show
//! pictures shows it.
//!
//! Askpass is told with `SSH_ASKPASS_PROMPT=none`, as OpenSSH does it: it shows
//! a sentence and waits for nothing. The code's own text goes nowhere: other
//! programs see what arguments and variables say.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use cablecar::error::Error;
use cablecar::screen::code::Code;
use cablecar::screen::{Notice, Screen, Stage};
use tempfile::TempDir;

use crate::call::tell;

/// The file in the folder.
const PICTURE: &str = "code.png";

/// Askpass, while it shows something.
#[derive(Debug)]
pub(crate) struct Askpass {
    program: PathBuf,
    /// Nobody else can look into it; in memory where the system has such a place.
    folder: TempDir,
    shown: Option<Child>,
}

impl Askpass {
    /// # Errors
    /// [`Error::Io`] if no folder can be made.
    pub(crate) fn new(program: PathBuf) -> Result<Self, Error> {
        let cannot = |cause: std::io::Error| Error::Io {
            what: "no folder for the code".into(),
            cause: cause.to_string(),
        };
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|folder| folder.is_dir());
        let place = runtime.unwrap_or_else(std::env::temp_dir);
        let private = Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().prefix("cablecar-").permissions(private).tempdir_in(place);
        let folder = folder.map_err(cannot)?;
        Ok(Self { program, folder, shown: None })
    }

    fn picture(&self) -> PathBuf {
        self.folder.path().join(PICTURE)
    }

    /// Says something else in place of what was said.
    fn say(&mut self, text: &str) {
        self.hush();
        let mut command = Command::new(&self.program);
        command.arg(text).env("SSH_ASKPASS_PROMPT", "none");
        match self.picture() {
            picture if picture.exists() => command.env("CABLECAR_CODE", picture),
            _ => command.env_remove("CABLECAR_CODE"),
        };
        // OpenSSH talks over our standard output.
        command.stdin(Stdio::null()).stdout(Stdio::null());
        match command.spawn() {
            Ok(child) => self.shown = Some(child),
            Err(cause) => tell(&format!("{}: {cause}", self.program.display())),
        }
    }

    fn hush(&mut self) {
        if let Some(mut child) = self.shown.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Takes the code away, wherever it is to be seen.
    fn wipe(&mut self) {
        let _ = std::fs::remove_file(self.picture());
    }

    /// Takes the code away. What went wrong stays until its reader closes it.
    pub(crate) fn close(mut self, error: Option<&Error>) {
        self.wipe();
        self.hush();
        if let Some(error) = error {
            tell(&error.lines());
            self.say(&error.lines());
            self.shown = None;
        }
    }

    fn show(&mut self, code: &Code) -> Result<(), Error> {
        let cannot = |cause: std::io::Error| Error::Io {
            what: "cannot write the code".into(),
            cause: cause.to_string(),
        };
        // Whole whenever somebody looks.
        let beside = self.folder.path().join("new");
        std::fs::write(&beside, code.to_png()?).map_err(cannot)?;
        std::fs::rename(&beside, self.picture()).map_err(cannot)
    }
}

impl Screen for Askpass {
    fn notice(&mut self, notice: &Notice<'_>) {
        match notice {
            Notice::Code(invitation) => {
                let shown = Code::of(invitation).and_then(|code| self.show(&code));
                let text = match shown {
                    Ok(()) => format!(
                        "Scan the code in this picture with the phone that has your passkey: {}",
                        self.picture().display()
                    ),
                    Err(error) => error.lines(),
                };
                self.say(&text);
            }
            // The next sentence is worth a window; the others pass in a moment.
            Notice::Stage(Stage::PhoneNearby, _) => {
                self.wipe();
                self.hush();
            }
            Notice::Stage(Stage::VerifyingOnPhone, _) => self.say("Confirm on the phone."),
            Notice::Stage(Stage::Done, _) => self.hush(),
            Notice::Caution(caution) => tell(&format!("warning: {caution}")),
            Notice::Stage(..) | Notice::NotOurs(_) => {}
        }
    }
}

/// A code is a secret: it goes when the request does, and its folder too.
impl Drop for Askpass {
    fn drop(&mut self) {
        self.hush();
    }
}
