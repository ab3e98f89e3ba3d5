//! `cablecar-phone`: see the library for everything but the exit code.

use std::io::Write;
use std::process::ExitCode;

use cablecar_phone::cli::Cli;
use cablecar_phone::config::Config;
use cablecar_phone::error::Error;
use cablecar_phone::hardening::keep_memory_private;
use cablecar_phone::program;
use cablecar_phone::screen::{events, terminal};
use clap::Parser;

fn main() -> ExitCode {
    keep_memory_private();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(help) if !help.use_stderr() => {
            let _ = write!(std::io::stdout(), "{}", help.render());
            return ExitCode::SUCCESS;
        }
        Err(error) => return failed(&Error::Usage(first_paragraph(&error.to_string())), false),
    };
    let as_events = cli.events.is_some();
    match Config::of(cli).and_then(program::run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error, as_events),
    }
}

fn failed(error: &Error, as_event: bool) -> ExitCode {
    if as_event {
        events::failed(error);
    } else {
        terminal::failed(error);
    }
    ExitCode::from(error.advice().0.code())
}

/// Usage and tips follow; the remedy line stands for them.
fn first_paragraph(text: &str) -> String {
    let paragraph: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
    paragraph.join(" ").trim_start_matches("error: ").to_owned()
}
