//! libfido2's programs `fido2-assert`, `fido2-cred` and `fido2-token`, as far
//! as other programs call them: this program, called by one of those names,
//! takes their arguments and has a phone do what a key would.
//!
//! | call | here |
//! |---|---|
//! | `fido2-assert -G [-dprvw] [-t OPTION] [-i FILE] [-o FILE] DEVICE` | a phone signs in |
//! | `fido2-assert -V [-dpv] [-i FILE] KEY_FILE [es256]` | the signature is checked |
//! | `fido2-cred -M [-dhqrvw] [-i FILE] [-o FILE] DEVICE [TYPE]` | a phone makes a passkey |
//! | `fido2-cred -V [-dv] [-i FILE] [-o FILE] [es256]` | what it made is checked, its key printed |
//! | `fido2-token -L` | one line, for programs that look for a device first |
//!
//! Formats are those of the manual pages. DEVICE may be anything: there is one
//! phone, the one that scans the code. It exits with 0 or 1, as they do, and
//! says in their words why. What a phone cannot do for a computer (a PIN, U2F,
//! hmac-secret's outputs, large blobs) is refused before anybody is asked.
//! There are no arguments for the radio and the network, so the environment
//! says it. `CABLECAR_QR` says where the code is shown: `page`, or a form of
//! `--qr`; without it, in the terminal, or on the page where there is none.

mod arguments;
mod assert;
mod cred;
mod files;

#[cfg(test)]
mod tests;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;

use self::arguments::Arguments;
use crate::cli::{Network, Radio, parse_form};
use crate::doors::Phone;
use crate::doors::surface::{Surface, Surfaces, ending};
use crate::error::Error;
use crate::reach::Reach;
use crate::screen::place::Place;
use crate::screen::terminal::Form;
use crate::transaction::Ask;

/// One of the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// `fido2-assert`
    Assert,
    /// `fido2-cred`
    Cred,
    /// `fido2-token`
    Token,
}

/// What `fido2-token -L` lists. It is no file: any DEVICE means the phone.
pub const DEVICE: &str = "/dev/cablecar";

/// Why a call came to nothing: told after the name of the tool.
#[derive(Debug)]
enum Failure {
    /// The arguments are not understood.
    Usage,
    /// What is said in its place.
    Said(String),
    /// A function of libfido2's, and what it would give.
    Function(&'static str, Error),
}

impl Tool {
    /// The tool that is called by this name, if it is one.
    pub fn called(name: &OsStr) -> Option<Self> {
        match std::path::Path::new(name).file_name()?.to_str()? {
            "fido2-assert" => Some(Tool::Assert),
            "fido2-cred" => Some(Tool::Cred),
            "fido2-token" => Some(Tool::Token),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Tool::Assert => "fido2-assert",
            Tool::Cred => "fido2-cred",
            Tool::Token => "fido2-token",
        }
    }

    fn usage(self) -> &'static str {
        match self {
            Tool::Assert => {
                "usage: fido2-assert -G [-dprvw] [-t option] [-i input_file] [-o output_file] device\n       \
                 fido2-assert -V [-dpv] [-i input_file] key_file [es256]"
            }
            Tool::Cred => {
                "usage: fido2-cred -M [-dhqrvw] [-i input_file] [-o output_file] device [type]\n       \
                 fido2-cred -V [-dv] [-i input_file] [-o output_file] [es256]"
            }
            Tool::Token => "usage: fido2-token -L",
        }
    }
}

/// Does what the tool would do; `arguments` are those after its name.
pub fn main(tool: Tool, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    match run(tool, arguments.into_iter().collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            match &failure {
                Failure::Usage => crate::tell(&format!("{}\n{} is cablecar here", tool.usage(), tool.name())),
                failure => crate::tell(&format!("{}: {failure}", tool.name())),
            }
            if let Failure::Function(_, error) = &failure {
                crate::tell(&error.lines());
            }
            ExitCode::from(1)
        }
    }
}

fn run(tool: Tool, arguments: Vec<OsString>) -> Result<(), Failure> {
    let (verb, arguments) = Arguments::split(arguments)?;
    match (tool, verb) {
        (Tool::Assert, 'G') => assert::get(&arguments.read("dprvw", "bhu", "tio")?, put),
        (Tool::Assert, 'V') => assert::verify(&arguments.read("dpv", "h", "i")?),
        (Tool::Cred, 'M') => cred::make(&arguments.read("dhqrvw", "bu", "tioc")?, put),
        (Tool::Cred, 'V') => cred::verify(&arguments.read("dv", "h", "ioc")?),
        (Tool::Token, 'L') => {
            arguments.read("d", "", "")?;
            files::write(None, &format!("{DEVICE}: vendor=0x0000, product=0x0000 (Cablecar phone)\n"))
        }
        _ => Err(Failure::Usage),
    }
}

/// Where a phone is looked for: by the environment alone.
#[derive(Debug, Parser)]
struct Surroundings {
    /// How to show the code.
    #[arg(long, env = "CABLECAR_QR", value_parser = parse_place)]
    qr: Option<Place>,
    #[command(flatten)]
    radio: Radio,
    #[command(flatten)]
    network: Network,
}

fn parse_place(text: &str) -> Result<Place, String> {
    match text {
        "page" => Ok(Place::Page),
        text => Ok(Place::Terminal(parse_form(text)?)),
    }
}

/// In the terminal, if standard error is one. A program that reads it has
/// people elsewhere, and their eyes are on the screen.
fn usual_place() -> Place {
    match std::io::stderr().is_terminal() {
        true => Place::Terminal(Form::Blocks),
        false => Place::Page,
    }
}

/// Puts a request to a phone, and lets it go.
fn put(ask: &Ask) -> Result<Vec<u8>, Error> {
    let around = Surroundings::try_parse_from(["cablecar"])
        .map_err(|error| Error::Usage(crate::first_paragraph(&error.to_string())))?;
    let mut reach = Reach::from_cli(&around.radio, &around.network)?;
    crate::wait_for(async {
        let mut surfaces = Surfaces::new(around.qr.unwrap_or_else(usual_place), false)?;
        let mut screen = surfaces.asked(&ask.request).await?;
        let answer = tokio::select! {
            biased;
            stopped = crate::stopped() => Err(stopped.map_or_else(crate::cannot_start, |()| Error::Interrupted)),
            answer = reach.ask(ask, &mut screen) => answer,
        };
        reach.part().await;
        let refusal = answer.as_ref().ok().and_then(|answer| cred::body(answer).err());
        screen.end(ending(answer.as_ref().err().or(refusal.as_ref()))).await;
        answer
    })
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Said(error.to_string())
    }
}

impl Failure {
    fn said(text: impl Into<String>) -> Self {
        Failure::Said(text.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Usage => f.write_str("the arguments are not understood"),
            Failure::Said(text) => f.write_str(text),
            Failure::Function(function, error) => write!(f, "{function}: {}", files::name_of(error)),
        }
    }
}
