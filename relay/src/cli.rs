//! What is typed, and what it means.

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

#[cfg(feature = "bench")]
use crate::bench;
use crate::config::{Config, Security};
use crate::error::Error;
use crate::journal::Journal;
use crate::narrator::{Audience, Narrator};
use crate::probe;
use crate::server::Relay;
#[cfg(unix)]
use crate::service::Service;
use crate::settings::environment;
use crate::settings::flags::Flags;
use crate::settings::layers::Layers;
#[cfg(feature = "bench")]
use crate::settings::value::Size;
use crate::settings::value::{Time, Word};
#[cfg(unix)]
use crate::signals::Signals;
use crate::upgrade::Inheritance;
use crate::warning::Warning;

mod admin;
mod config;
mod domain;

/// A tunnel service for FIDO's hybrid transport: computers and phones meet
/// here to use a passkey, and it carries what it cannot read.
#[derive(Debug, Parser)]
#[command(name = "cablecar-relay", version, subcommand_required = true, arg_required_else_help = false)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a relay until SIGTERM, which drains it, or SIGINT
    Serve(Serve),
    /// Ask a running relay, or tell it something
    Admin(admin::Admin),
    /// Check or print the settings, without serving
    ///
    /// Takes the same flags, variables and file as serve.
    Config(config::Config),
    /// Name the hosts under which clients can reach a relay
    ///
    /// A phone tells the computer in two bytes which relay to use, and the
    /// computer computes the host name from them. So a relay for other
    /// people's clients must run under one of 65,280 names: look for one whose
    /// domain can be registered, for example with `domain find --shortest`,
    /// register it, and serve with its id as --domain-id.
    #[command(args_conflicts_with_subcommands = true)]
    Domain(domain::Domain),
    /// Sign in through a relay, both devices played here, and time the legs
    Probe(Box<probe::Probe>),
    /// Print what a shell completes, for it to read
    Completions(Completions),
    /// Load a relay and measure how it bears that
    #[cfg(feature = "bench")]
    Bench(Box<bench::Bench>),
}

#[derive(Debug, Args)]
struct Completions {
    /// Whose language to print
    #[arg(value_name = "SHELL")]
    shell: clap_complete::Shell,
}

impl Completions {
    fn run(self) -> Result<ExitCode, Error> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut command(), "cablecar-relay", &mut text);
        let written = std::io::stdout().write_all(&text);
        written.map_err(|cause| Error::System(cause.to_string()))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// All that can be typed, for the manual.
pub fn command() -> clap::Command {
    Cli::command()
}

#[derive(Debug, Args)]
struct Serve {
    #[command(flatten)]
    flags: Flags,
    /// Print what happens on standard output
    #[arg(long, value_name = "FORMAT")]
    events: Option<Events>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Events {
    /// One JSON object a line
    Json,
}

/// Runs the program on its own arguments.
pub fn run() -> ExitCode {
    match run_with(std::env::args_os()) {
        Ok(code) => code,
        Err(error) => {
            let _ =
                writeln!(std::io::stderr(), "error: {error} ({})\nremedy: {}", error.id(), error.remedy());
            ExitCode::from(error.exit_code())
        }
    }
}

fn run_with(args: impl Iterator<Item = OsString>) -> Result<ExitCode, Error> {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        // --help and --version are no errors.
        Err(error) if !error.use_stderr() => {
            let _ = error.print();
            return Ok(ExitCode::SUCCESS);
        }
        Err(error) => return Err(Error::Usage(first_line(&error))),
    };
    match cli.command {
        Command::Serve(serve) => serve.run(),
        Command::Admin(admin) => admin.run(),
        Command::Config(config) => config.run(),
        Command::Domain(domain) => domain.run(),
        Command::Probe(probe) => probe.run(),
        Command::Completions(wanted) => wanted.run(),
        #[cfg(feature = "bench")]
        Command::Bench(bench) => bench.run(),
    }
}

impl Serve {
    fn run(self) -> Result<ExitCode, Error> {
        let audience = match self.events {
            Some(Events::Json) => Audience::Program,
            None => Audience::People,
        };
        let (layers, mut warned) = layers(self.flags)?;
        // What is wrong may be what was warned of.
        let config = layers.config().inspect_err(|_| warned.iter().for_each(Warning::tell))?;
        warned.extend(warnings(&config));
        // While there is one thread.
        #[cfg(unix)]
        crate::listeners::claim();
        // From here on all is said in the log, which a program may read.
        let (journal, level, written) = Journal::start(&config.log)?;
        warned.iter().for_each(Warning::log);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Error::System(error.to_string()))?;
        let narrated: Result<_, Error> = runtime.block_on(async {
            let signals = Signals::catch()?;
            #[cfg(unix)]
            let service = Service::new()?;
            let domain = config.domain;
            let relay = Relay::bind_with(config, Inheritance::of_this_process()?)?;
            if let Some(domain) = domain {
                tracing::info!(host = domain.host(), "clients look for this relay there");
            }
            let (narrator, told) = Narrator::start(audience)?;
            let control = relay.control();
            control.on_level(level);
            if let Some(addr) = relay.admin_addr() {
                tracing::info!(%addr, "the admin listener is open");
            }
            #[cfg(unix)]
            let stop = signals.obey(relay.drain(), relay.upgrade());
            #[cfg(not(unix))]
            let stop = signals.obey(relay.drain());
            #[cfg(unix)]
            let service = service.attend(relay.reloader(), relay.roll_call());
            #[cfg(not(unix))]
            let service = std::future::pending::<()>();
            tokio::select! {
                () = relay.run(stop, (narrator, journal)) => {}
                () = service => {}
            }
            Ok(told)
        });
        // Whatever has not ended by now is not waited for.
        runtime.shutdown_timeout(Duration::from_millis(100));
        written.wait();
        narrated?.wait();
        Ok(ExitCode::SUCCESS)
    }
}

/// What is not as it should be, and works.
fn warnings(config: &Config) -> Vec<Warning> {
    let Security::Files(certificates) = &config.security else { return Vec::new() };
    let expired = certificates.check(SystemTime::now()).err();
    let expired = expired.map(|error| Warning::Expired(error.to_string()));
    expired.into_iter().chain(certificates.is_rsa().then_some(Warning::Rsa)).collect()
}

/// What was typed, over the environment, over the file, over the defaults; and
/// what of it an operator should know.
fn layers(flags: Flags) -> Result<(Layers, Vec<Warning>), Error> {
    let mut said = environment::read(std::env::vars_os())?;
    let warned = std::mem::take(&mut said.warnings);
    let layers = flags.over(said).inspect_err(|_| warned.iter().for_each(Warning::tell))?;
    Ok((layers, warned))
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn catch() -> Result<Self, Error> {
        Ok(Self)
    }

    async fn obey(self, _: crate::drain::Drain) {
        let _ = tokio::signal::ctrl_c().await;
    }
}

/// What clap says before its hints, on one line and without its own prefix.
fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let message = text.split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = message.split_whitespace().collect();
    words.join(" ").trim_start_matches("error: ").to_owned()
}

/// Bytes, KiB, MiB or GiB, as in the settings.
#[cfg(feature = "bench")]
pub(crate) fn size(text: &str) -> Result<usize, String> {
    let bytes = Size::read_word(text)?.0;
    usize::try_from(bytes).map_err(|_| "too large".into())
}

/// Seconds or ms, as in the settings.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    Time::read_word(text).map(|time| time.0)
}
