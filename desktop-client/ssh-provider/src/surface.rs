//! Where the person is: `ssh-sk-helper` has a socket for standard output, and
//! standard error may be a file.
//!
//! | what is there | where the code is shown |
//! |---|---|
//! | `CABLECAR_TTY` | on that terminal |
//! | `SSH_ASKPASS_REQUIRE` is `force` or `prefer`, and `SSH_ASKPASS` | in a picture that askpass names |
//! | a terminal, `/dev/tty` | on it |
//! | `DISPLAY`, `WAYLAND_DISPLAY` or `BROWSER` | on a page in the browser |
//! | `SSH_ASKPASS`, unless `SSH_ASKPASS_REQUIRE` is `never` | in a picture that askpass names |
//!
//! An agent has no terminal; it has those variables from where it was started.

mod askpass;

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use cablecar::error::Error;
use cablecar::screen::page::opener::Browser;
use cablecar::screen::page::{Ending, Page};
use cablecar::screen::terminal::{Form, Terminal};
use cablecar::screen::{Notice, Screen};
use rand_core::OsRng;

use crate::call::tell;
use askpass::Askpass;

/// The terminal of whoever started this process, if there is one.
const TTY: &str = "/dev/tty";

/// What a process can know of where its person is.
#[derive(Debug, Default)]
struct Signs {
    cablecar_tty: Option<OsString>,
    askpass: Option<OsString>,
    askpass_require: Option<OsString>,
    has_tty: bool,
    has_browser: bool,
}

impl Signs {
    fn read() -> Self {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        Self {
            cablecar_tty: variable("CABLECAR_TTY"),
            askpass: variable("SSH_ASKPASS"),
            askpass_require: variable("SSH_ASKPASS_REQUIRE"),
            has_tty: open(Path::new(TTY)).is_ok(),
            has_browser: ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER"]
                .into_iter()
                .any(|name| variable(name).is_some()),
        }
    }

    fn place(self) -> Option<Place> {
        let tty = self.has_tty.then(|| Place::Tty(TTY.into()));
        let page = self.has_browser.then_some(Place::Page);
        let askpass = self.askpass.map(|program| Place::Askpass(program.into()));
        let require = self.askpass_require.unwrap_or_default();
        let named = self.cablecar_tty.map(|tty| Place::Tty(tty.into()));
        named.or_else(|| match require.to_str() {
            Some("force" | "prefer") => askpass.or(tty).or(page),
            Some("never") => tty.or(page),
            _ => tty.or(page).or(askpass),
        })
    }
}

/// Where to show a code.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    Tty(PathBuf),
    Page,
    Askpass(PathBuf),
}

fn open(tty: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).open(tty)
}

/// The surface that was found.
#[derive(Debug)]
pub(crate) enum Surface {
    Terminal(Terminal),
    Page(Page),
    Askpass(Askpass),
}

impl Surface {
    /// Looks for one. `heading` says what is wanted, where there is room for it.
    ///
    /// # Errors
    /// [`Error::NoScreen`], or [`Error::Io`] for a terminal or a folder that
    /// cannot be used.
    pub(crate) async fn find(form: Form, heading: &str) -> Result<Self, Error> {
        match Signs::read().place().ok_or(Error::NoScreen)? {
            Place::Tty(path) => {
                let cannot = |cause: std::io::Error| Error::Io {
                    what: format!("cannot write to {}", path.display()),
                    cause: cause.to_string(),
                };
                Ok(Self::Terminal(Terminal::on(open(&path).map_err(cannot)?, form)?))
            }
            Place::Page => {
                Page::open(heading, Browser::of_environment(tell), &mut OsRng).await.map(Self::Page)
            }
            Place::Askpass(program) => Ok(Self::Askpass(Askpass::new(program)?)),
        }
    }

    /// Takes the code away, and says how it ended.
    pub(crate) async fn close(self, done: Result<&str, &Error>) {
        match self {
            Self::Terminal(mut terminal) => {
                terminal.wipe();
                terminal.tell(&done.map_or_else(Error::lines, str::to_owned));
            }
            Self::Page(page) => {
                page.end(done.map_or_else(Ending::from, |words| Ending::Done(words.to_owned()))).await;
                if let Err(error) = done {
                    tell(&error.lines());
                }
            }
            Self::Askpass(askpass) => askpass.close(done.err()),
        }
    }
}

impl Screen for Surface {
    fn notice(&mut self, notice: &Notice<'_>) {
        match self {
            Self::Terminal(terminal) => terminal.notice(notice),
            Self::Page(page) => page.notice(notice),
            Self::Askpass(askpass) => askpass.notice(notice),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(askpass: &str, require: &str, has_tty: bool, has_browser: bool) -> Option<Place> {
        let variable = |value: &str| Some(OsString::from(value)).filter(|value| !value.is_empty());
        let [askpass, askpass_require] = [askpass, require].map(variable);
        Signs { cablecar_tty: None, askpass, askpass_require, has_tty, has_browser }.place()
    }

    #[test]
    fn people_look_at_their_terminal_unless_they_say_otherwise() {
        let tty = || Some(Place::Tty(TTY.into()));
        let ask = || Some(Place::Askpass("ask".into()));
        for browser in [false, true] {
            assert_eq!(place("", "", true, browser), tty());
            assert_eq!(place("ask", "", true, browser), tty());
            assert_eq!(place("ask", "never", true, browser), tty());
            assert_eq!(place("", "force", true, browser), tty());
            assert_eq!(place("ask", "prefer", true, browser), ask());
            assert_eq!(place("ask", "force", true, browser), ask());
            assert_eq!(place("ask", "force", false, browser), ask());
        }
    }

    #[test]
    fn without_a_terminal_there_are_the_page_and_askpass() {
        let ask = || Some(Place::Askpass("ask".into()));
        assert_eq!(place("ask", "", false, true), Some(Place::Page));
        assert_eq!(place("", "force", false, true), Some(Place::Page));
        assert_eq!(place("ask", "", false, false), ask());
        assert_eq!(place("ask", "never", false, true), Some(Place::Page));
        assert_eq!(place("ask", "never", false, false), None);
        assert_eq!(place("", "", false, false), None);
    }

    #[test]
    fn a_terminal_that_is_named_comes_first() {
        let signs = Signs {
            cablecar_tty: Some("/dev/pts/7".into()),
            askpass: Some("ask".into()),
            askpass_require: Some("force".into()),
            has_tty: true,
            has_browser: true,
        };
        assert_eq!(signs.place(), Some(Place::Tty("/dev/pts/7".into())));
    }
}
