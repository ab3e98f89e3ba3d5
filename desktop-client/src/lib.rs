//! Cablecar on the computer: the client platform of FIDO's hybrid transport.
//!
//! A page's options come in, a code is shown, a phone comes near, and its
//! checked answer goes out. [`transaction`] is the heart; [`webauthn`] stands
//! before and behind it; [`proximity`], [`tunnel`] and [`screen`] are how it
//! hears, talks and shows, each a trait with what implements it.

pub mod cli;
pub mod config;
pub mod defaults;
pub mod error;
pub mod proximity;
pub mod screen;
pub mod transaction;
pub mod tunnel;
pub mod webauthn;

use std::ffi::OsString;
use std::io::Read;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Parser;

use cli::{Cli, Command};
use config::Config;
use error::Error;
use proximity::Scanner;
use proximity::air::Air;
use proximity::btleplug::Adapter;
use screen::{Notice, Screen};
use transaction::Ask;
use webauthn::{Create, Get};

/// Runs the program: result to standard output, everything else to standard
/// error, and the exit code of the error's class.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let typed = match Cli::try_parse_from(arguments) {
        Ok(typed) => typed,
        Err(help) if !help.use_stderr() => {
            print_result(help.render().to_string().trim_end());
            return ExitCode::SUCCESS;
        }
        Err(error) => return failed(&Error::Usage(first_paragraph(&error.to_string())), false),
    };
    match run(&typed) {
        Ok(response) => {
            print_result(&response);
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error, typed.command.common().events.is_some()),
    }
}

fn failed(error: &Error, as_event: bool) -> ExitCode {
    if as_event {
        screen::events::failed(error);
    } else {
        tell(&error.lines());
    }
    ExitCode::from(error.advice().0.code())
}

/// What clap says, without its usage and tips: the remedy stands for them.
fn first_paragraph(text: &str) -> String {
    let paragraph: Vec<_> = text.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
    paragraph.join(" ").trim_start_matches("error: ").to_owned()
}

fn run(typed: &Cli) -> Result<String, Error> {
    let common = typed.command.common();
    let config = Config::from_cli(common)?;
    // All that can be wrong with the input is told before a code is shown.
    let options = read_options()?;
    let text = |response: Result<String, serde_json::Error>| {
        response.map_err(|cause| Error::Io { what: "JSON".into(), cause: cause.to_string() })
    };
    match &typed.command {
        Command::Create(_) => {
            let create = Create::from_json(&options, &config.origin)?;
            let answer = ask(&config, common, &create.ask())?;
            text(serde_json::to_string(&create.finish(&answer)?))
        }
        Command::Get(_) => {
            let get = Get::from_json(&options, &config.origin)?;
            let answer = ask(&config, common, &get.ask())?;
            text(serde_json::to_string(&get.finish(&answer)?))
        }
    }
}

/// Puts one request to a phone.
fn ask(config: &Config, common: &cli::Common, ask: &Ask) -> Result<Vec<u8>, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(cannot_start)?;
    runtime.block_on(async {
        // It listens before there is a code, so that whoever cannot be heard
        // is not asked to scan one.
        match config.air {
            Some(address) => ask_over(Air::bind(address).await?, config, common, ask).await,
            None => {
                let adapter = Adapter::choose(config.adapter.as_deref()).await?;
                ask_over(adapter.listen().await?, config, common, ask).await
            }
        }
    })
}

async fn ask_over(
    mut scanner: impl Scanner,
    config: &Config,
    common: &cli::Common,
    ask: &Ask,
) -> Result<Vec<u8>, Error> {
    let mut screens = config.screens(common)?;
    config.cautions.iter().for_each(|caution| screens.notice(&Notice::Caution(caution)));
    let mut rng = rand_core::OsRng;
    let transaction =
        transaction::run(ask, &mut scanner, &config.network, &mut screens, &seconds_since_1970, &mut rng);
    // Without this, an interrupted run would leave a code's file behind;
    // and it must be listened for before there is one.
    tokio::select! {
        biased;
        stopped = stopped() => Err(stopped.map_or_else(cannot_start, |()| Error::Interrupted)),
        answer = transaction => answer,
    }
}

fn cannot_start(cause: std::io::Error) -> Error {
    Error::Io { what: "cannot start".into(), cause: cause.to_string() }
}

/// Ends when somebody stops the program: from the keyboard, by `kill`, or by
/// closing the window.
async fn stopped() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hang_up.recv() => {}
    }
    Ok(())
}

fn read_options() -> Result<Vec<u8>, Error> {
    let mut options = Vec::new();
    let read = std::io::stdin().lock().take(defaults::MAX_OPTIONS + 1).read_to_end(&mut options);
    read.map_err(|cause| Error::Options(cause.to_string()))?;
    if u64::try_from(options.len()).is_ok_and(|length| length > defaults::MAX_OPTIONS) {
        return Err(Error::Options("more than a megabyte".into()));
    }
    Ok(options)
}

fn seconds_since_1970() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[allow(clippy::print_stdout, reason = "the result, for whoever called the program")]
fn print_result(text: &str) {
    println!("{text}");
}

#[allow(clippy::print_stderr, reason = "this is where people are faced")]
fn tell(text: &str) {
    eprintln!("{text}");
}
