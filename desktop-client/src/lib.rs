//! Cablecar on the computer: the client platform of FIDO's hybrid transport.
//!
//! A page's options come in, a code is shown, a phone comes near, and its
//! checked answer goes out. [`transaction`] is the heart; [`webauthn`] stands
//! before and behind it; [`proximity`], [`tunnel`] and [`screen`] are how it
//! hears, talks and shows, each a trait with what implements it.

pub mod cli;
pub mod config;
pub mod defaults;
pub mod doctor;
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
use config::{Config, Ear};
use doctor::Examination;
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
    let (done, as_event) = match &typed.command {
        Command::Create(typed) => (create(typed), typed.events.is_some()),
        Command::Get(typed) => (get(typed), typed.events.is_some()),
        Command::Doctor(typed) => (examine(typed), false),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error, as_event),
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

fn create(typed: &cli::Request) -> Result<(), Error> {
    let config = Config::from_cli(typed)?;
    // All that can be wrong with the input is told before a code is shown.
    let create = Create::from_json(&read_options()?, &config.origin)?;
    let answer = ask(&config, typed, &create.ask())?;
    print_result(&json(&create.finish(&answer)?)?);
    Ok(())
}

fn get(typed: &cli::Request) -> Result<(), Error> {
    let config = Config::from_cli(typed)?;
    let get = Get::from_json(&read_options()?, &config.origin)?;
    let answer = ask(&config, typed, &get.ask())?;
    print_result(&json(&get.finish(&answer)?)?);
    Ok(())
}

fn examine(typed: &cli::Doctor) -> Result<(), Error> {
    let examination = Examination::from_cli(typed)?;
    for caution in config::cautions(&typed.radio, &typed.network) {
        tell(&format!("warning: {caution}"));
    }
    let report =
        wait_for(async { Ok(doctor::examine(examination, &mut rand_core::OsRng, SystemTime::now).await) })?;
    match typed.format {
        cli::ReportFormat::Text => print_result(report.to_string().trim_end()),
        cli::ReportFormat::Json => print_result(&json(&report)?),
    }
    match report.findings() {
        0 => Ok(()),
        findings => Err(Error::Findings(findings)),
    }
}

fn json(result: &impl serde::Serialize) -> Result<String, Error> {
    let failed = |cause: serde_json::Error| Error::Io { what: "JSON".into(), cause: cause.to_string() };
    serde_json::to_string(result).map_err(failed)
}

/// Puts one request to a phone.
fn ask(config: &Config, typed: &cli::Request, ask: &Ask) -> Result<Vec<u8>, Error> {
    wait_for(async {
        // It listens before there is a code, so that whoever cannot be heard
        // is not asked to scan one.
        match &config.ear {
            Ear::Air(address) => ask_over(Air::bind(*address).await?, config, typed, ask).await,
            Ear::Bluetooth(wanted) => {
                let adapter = Adapter::choose(wanted.as_deref()).await?;
                ask_over(adapter.listen().await?, config, typed, ask).await
            }
        }
    })
}

async fn ask_over(
    mut scanner: impl Scanner,
    config: &Config,
    typed: &cli::Request,
    ask: &Ask,
) -> Result<Vec<u8>, Error> {
    let mut screens = config.screens(typed)?;
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

/// Waits, and then for nobody any more: a resolver that does not answer may
/// hold a thread for long.
fn wait_for<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(cannot_start)?;
    // Boxed, so that nothing of it is left on the stack above.
    let done = runtime.block_on(Box::pin(work));
    runtime.shutdown_background();
    cablecar_protocol::secrets::scrub_stack();
    done
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
