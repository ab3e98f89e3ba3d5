//! Cablecar on the computer: the client platform of FIDO's hybrid transport.
//!
//! A page's options come in, a code is shown, a phone comes near, and its
//! checked answer goes out. [`transaction`] is the heart; [`webauthn`] stands
//! before and behind it; [`proximity`], [`tunnel`] and [`screen`] are how it
//! hears, talks and shows, each a trait with what implements it. [`doors`] are
//! for other programs, and [`reach`] is what stands behind every door.

pub mod cli;
pub mod config;
pub mod defaults;
pub mod doctor;
pub mod doors;
pub mod error;
pub mod install;
pub mod proximity;
pub mod reach;
mod request;
pub mod screen;
pub mod transaction;
pub mod tunnel;
pub mod webauthn;

use std::ffi::OsString;
use std::io::Read;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::{CommandFactory as _, Parser};

use cli::{Cli, Command};
use doctor::Examination;
use doors::browser_host::{self, caller};
use doors::fido2_tools::{self, Tool};
use error::Error;

/// Runs the program: result to standard output, everything else to standard
/// error, and the exit code of the error's class.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let Some(tool) = arguments.first().and_then(|name| Tool::called(name)) {
        return fido2_tools::main(tool, arguments.into_iter().skip(1));
    }
    let typed = match Cli::try_parse_from(caller::spelled_out(arguments)) {
        Ok(typed) => typed,
        Err(help) if !help.use_stderr() => {
            print_result(help.render().to_string().trim_end());
            return ExitCode::SUCCESS;
        }
        Err(error) => return failed(&Error::Usage(first_paragraph(&error.to_string())), false),
    };
    let (done, as_event) = match &typed.command {
        Command::Create(typed) => (request::create(typed), typed.showing.json_events()),
        Command::Get(typed) => (request::get(typed), typed.showing.json_events()),
        #[cfg(target_os = "linux")]
        Command::Device(typed) => (doors::virtual_key::run::device(typed), typed.showing.json_events()),
        Command::Doctor(typed) => (examine(typed), false),
        Command::Install(cli::Install::Browser(typed)) => (install_browser(typed), false),
        Command::BrowserHost(typed) => (serve_browser(typed), false),
        Command::Ctap(typed) => (doors::ctap_pipe::serve::ctap(typed), typed.showing.json_events()),
        Command::Completions(typed) => {
            print_result(&completions(typed.shell));
            return ExitCode::SUCCESS;
        }
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

fn install_browser(typed: &cli::InstallBrowser) -> Result<(), Error> {
    let plan = install::Plan { browsers: typed.browser.clone(), folder: typed.folder.clone() };
    let home = install::browsers::Home::of_environment()?;
    if let Some(folder) = &typed.extension_to {
        let files = install::extension::unpack(folder)?;
        print_result(&format!("unpacked  {}  ({files} files of the extension)", folder.display()));
        print_result("          Chromium: chrome://extensions, developer mode, \"Load unpacked\"");
        print_result("          Firefox: about:debugging, \"Load Temporary Add-on\", its manifest.json");
    }
    let account = if typed.remove {
        plan.remove(&home)?
    } else {
        let this = std::env::current_exe().map_err(cannot_start)?;
        plan.install(&home, typed.program.as_deref().unwrap_or(&this))?
    };
    if account.0.is_empty() {
        print_result("there was nothing to remove");
    } else {
        print_result(account.to_string().trim_end());
    }
    account.fault().map_or(Ok(()), |fault| Err(fault.clone().into()))
}

fn serve_browser(typed: &cli::BrowserHost) -> Result<(), Error> {
    caller::check(&typed.caller)?;
    let ear = config::ear(&typed.radio)?;
    let phone = browser_host::first_use::FirstUse::new(&typed.radio, &typed.network);
    wait_for(browser_host::serve(
        phone,
        async || doctor::radio_findings(&ear).await,
        tokio::io::stdin(),
        tokio::io::stdout(),
        async { drop(stopped().await) },
    ))
}

/// What this shell reads to complete the program's arguments.
pub fn completions(shell: clap_complete::Shell) -> String {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "cablecar", &mut text);
    String::from_utf8_lossy(&text).trim_end().to_owned()
}

fn json(result: &impl serde::Serialize) -> Result<String, Error> {
    let failed = |cause: serde_json::Error| Error::Io { what: "JSON".into(), cause: cause.to_string() };
    serde_json::to_string(result).map_err(failed)
}

/// Waits, and then for nobody any more: a resolver that does not answer may
/// hold a thread for long.
///
/// # Errors
/// Those of the work, or [`Error::Io`] if nothing can be waited for.
pub fn wait_for<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
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
///
/// # Errors
/// What the system says if signals cannot be listened for.
#[cfg(unix)]
pub async fn stopped() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut quit = signal(SignalKind::quit())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = quit.recv() => {}
        _ = terminate.recv() => {}
        _ = hang_up.recv() => {}
    }
    Ok(())
}

/// The same, from the console: by Ctrl-C, Ctrl-Break, or closing the window.
///
/// # Errors
/// What the system says if that cannot be listened for.
#[cfg(windows)]
pub async fn stopped() -> std::io::Result<()> {
    use tokio::signal::windows;
    let mut interrupt = windows::ctrl_c()?;
    let mut stop = windows::ctrl_break()?;
    let mut closing = windows::ctrl_close()?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = stop.recv() => {}
        _ = closing.recv() => {}
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

#[allow(clippy::print_stdout, reason = "the result, for whoever called the program")]
fn print_result(text: &str) {
    println!("{text}");
}

#[allow(clippy::print_stderr, reason = "this is where people are faced")]
fn tell(text: &str) {
    eprintln!("{text}");
}
