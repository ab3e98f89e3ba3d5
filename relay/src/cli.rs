//! What is typed, and what it means.

use std::ffi::OsString;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use cablecar_protocol::ids::RoutingId;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::{Config, Limits, Security};
use crate::error::Error;
use crate::meter::SourceLimits;
use crate::narrator::{Audience, Narrator};
use crate::server::Relay;
#[cfg(unix)]
use crate::signals::Signals;
use crate::source::Network;
#[cfg(unix)]
use crate::upgrade::Inheritance;
use crate::{defaults, tls};

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
    Serve(Box<Serve>),
    /// Name the hosts under which clients can reach a relay
    ///
    /// A phone tells the computer in two bytes which relay to use, and the
    /// computer computes the host name from them. So a relay for other
    /// people's clients must run under one of 65,280 names: look for one whose
    /// domain can be registered, for example with `domain find --shortest`,
    /// register it, and serve with its id as --domain-id.
    #[command(args_conflicts_with_subcommands = true)]
    Domain(domain::Domain),
}

#[derive(Debug, Args)]
struct Serve {
    /// Address and port to listen on; port 0 takes any free one
    #[arg(long, value_name = "ADDR", env = "CABLECAR_RELAY_LISTEN")]
    listen: SocketAddr,
    /// Certificate chain in PEM form, leaf first
    #[arg(long, value_name = "FILE", env = "CABLECAR_RELAY_TLS_CERT", requires = "tls_key")]
    #[arg(required_unless_present = "plain", conflicts_with = "plain")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate in PEM form
    #[arg(long, value_name = "FILE", env = "CABLECAR_RELAY_TLS_KEY", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// No TLS: a proxy in front does it
    #[arg(long)]
    plain: bool,
    /// Tunnel service domain id under which clients reach this relay
    #[arg(long, value_name = "N", env = "CABLECAR_RELAY_DOMAIN_ID")]
    domain_id: Option<u16>,
    /// Routing id to give out, 6 hexadecimal digits; random if absent
    #[arg(long, value_name = "HEX", env = "CABLECAR_RELAY_ROUTING_ID", value_parser = RoutingId::from_hex)]
    routing_id: Option<RoutingId>,
    /// Region in the routing id
    #[arg(long, value_name = "0..63", env = "CABLECAR_RELAY_REGION", default_value_t = defaults::REGION)]
    region: u8,
    /// Node in the routing id; drawn if absent
    #[arg(long, value_name = "0..1023", env = "CABLECAR_RELAY_NODE")]
    node: Option<u16>,
    /// Folder for the count of starts, and for upgrades
    #[arg(long, value_name = "FOLDER", env = "CABLECAR_RELAY_STATE_DIR")]
    state_dir: Option<PathBuf>,
    /// Print what happens on standard output
    #[arg(long, value_name = "FORMAT")]
    events: Option<Events>,
    #[command(flatten)]
    limits: LimitFlags,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Events {
    /// One JSON object a line
    Json,
}

/// Sizes are in bytes, or KiB or MiB; times in seconds, or ms.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
struct LimitFlags {
    /// Bytes of one message
    #[arg(long, value_name = "SIZE", value_parser = size, default_value_t = defaults::MAX_MESSAGE)]
    max_message: usize,
    /// Messages per side
    #[arg(long, value_name = "N", default_value_t = defaults::MAX_MESSAGES)]
    max_messages: u32,
    /// Bytes per side in all
    #[arg(long, value_name = "SIZE", value_parser = wide_size, default_value_t = defaults::MAX_BYTES)]
    max_bytes: u64,
    /// Bytes held per direction beside one message; then the sender is not read
    #[arg(long, value_name = "SIZE", value_parser = size, default_value_t = defaults::HELD)]
    held: usize,
    /// Waiting for the second party
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "90")]
    waiting: Duration,
    /// Life after pairing
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "180")]
    life: Duration,
    /// How long a side may take nothing of what it is sent
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "10")]
    stall: Duration,
    /// TCP, TLS and the request's head together
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "10")]
    opening: Duration,
    /// Bytes of the request's head
    #[arg(long, value_name = "SIZE", value_parser = size, default_value_t = defaults::MAX_HEAD)]
    max_head: usize,
    /// Pause between pings
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "20")]
    ping: Duration,
    /// Unanswered pings in a row that close
    #[arg(long, value_name = "N", default_value_t = defaults::MISSED_PINGS)]
    missed_pings: u32,
    /// Waiting tunnels per source (an IPv4 address or an IPv6 /64)
    #[arg(long, value_name = "N", default_value_t = defaults::PER_SOURCE_WAITING)]
    per_source_waiting: u32,
    /// Connections per source
    #[arg(long, value_name = "N", default_value_t = defaults::PER_SOURCE_TOTAL)]
    per_source_total: u32,
    /// New connections a second per source
    #[arg(long, value_name = "N", default_value_t = defaults::PER_SOURCE_RATE)]
    per_source_rate: u32,
    /// New connections at once per source, before the rate binds
    #[arg(long, value_name = "N", default_value_t = defaults::PER_SOURCE_BURST)]
    per_source_burst: u32,
    /// Network without limits per source, such as 192.0.2.0/24; may be repeated
    #[arg(long, value_name = "NET", env = "CABLECAR_RELAY_EXEMPT", value_delimiter = ',')]
    exempt: Vec<Network>,
    /// Connections in all; 9/10 of the descriptor limit if absent
    #[arg(long, value_name = "N")]
    max_connections: Option<u64>,
    /// What a drain may take; as long as the last tunnel may live if absent
    #[arg(long, value_name = "TIME", value_parser = time)]
    drain: Option<Duration>,
    /// Host whose web pages may connect, beside the relay's own; may be repeated
    #[arg(long, value_name = "HOST", env = "CABLECAR_RELAY_ALLOW_ORIGIN", value_delimiter = ',')]
    allow_origin: Vec<String>,
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
        Command::Domain(domain) => domain.run(),
    }
}

impl Serve {
    fn run(self) -> Result<ExitCode, Error> {
        let audience = match self.events {
            Some(Events::Json) => Audience::Program,
            None => Audience::People,
        };
        let config = self.config()?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Error::System(error.to_string()))?;
        let narrated: Result<_, Error> = runtime.block_on(async {
            let signals = Signals::catch()?;
            let domain = config.domain;
            #[cfg(unix)]
            let relay = Relay::bind_with(config, Inheritance::of_this_process()?)?;
            #[cfg(not(unix))]
            let relay = Relay::bind(config)?;
            if let Some(domain) = domain {
                let _ = writeln!(std::io::stderr(), "clients look for this relay at {}", domain.host());
            }
            let (narrator, told) = Narrator::start(audience)?;
            #[cfg(unix)]
            let stop = signals.obey(relay.drain(), relay.upgrade());
            #[cfg(not(unix))]
            let stop = signals.obey(relay.drain());
            relay.run(stop, narrator).await;
            Ok(told)
        });
        // Whatever has not ended by now is not waited for.
        runtime.shutdown_timeout(Duration::from_millis(100));
        narrated?.wait();
        Ok(ExitCode::SUCCESS)
    }

    fn config(self) -> Result<Config, Error> {
        let security = match (self.tls_cert, self.tls_key) {
            (Some(certificate), Some(key)) => Security::Tls(tls::from_files(&certificate, &key)?),
            _ => Security::Plain,
        };
        let domain = self.domain_id.map(domain::assigned).transpose()?;
        let limits = self.limits;
        let config = Config {
            listen: self.listen,
            security,
            domain,
            routing_id: self.routing_id,
            region: self.region,
            node: self.node,
            state_dir: self.state_dir,
            limits: Limits {
                message: limits.max_message,
                held: limits.held,
                waiting: limits.waiting,
                life: limits.life,
                messages: limits.max_messages,
                bytes: limits.max_bytes,
                stall: limits.stall,
                opening: limits.opening,
                head: limits.max_head,
                ping: limits.ping,
                missed_pings: limits.missed_pings,
                per_source: SourceLimits {
                    waiting: limits.per_source_waiting,
                    total: limits.per_source_total,
                    rate: limits.per_source_rate,
                    burst: limits.per_source_burst,
                },
                exempt: limits.exempt,
                connections: limits.max_connections,
                drain: limits.drain,
            },
            allow_origins: limits.allow_origin,
        };
        config.check()?;
        Ok(config)
    }
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

fn size(text: &str) -> Result<usize, &'static str> {
    wide_size(text).and_then(|bytes| usize::try_from(bytes).map_err(|_| "too large"))
}

fn wide_size(text: &str) -> Result<u64, &'static str> {
    let (number, unit) = match (text.strip_suffix("KiB"), text.strip_suffix("MiB")) {
        (Some(number), _) => (number, 1 << 10),
        (_, Some(number)) => (number, 1 << 20),
        _ => (text, 1),
    };
    let number: u64 = number.trim_end().parse().map_err(|_| "not a number of bytes, KiB or MiB")?;
    number.checked_mul(unit).ok_or("too large")
}

fn time(text: &str) -> Result<Duration, &'static str> {
    let wrong = "not a number of seconds or ms";
    let (number, unit) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), _) => (number, 1),
        (_, Some(number)) => (number, 1000),
        _ => (text, 1000),
    };
    let number: u64 = number.trim_end().parse().map_err(|_| wrong)?;
    number.checked_mul(unit).map(Duration::from_millis).ok_or("too long")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_typed_defaults_are_the_defaults() {
        let args = ["cablecar-relay", "serve", "--listen", "[::1]:0", "--plain"];
        let Command::Serve(serve) = Cli::try_parse_from(args).unwrap().command else {
            panic!("not serve");
        };
        assert_eq!(serve.config().unwrap().limits, Limits::default());
    }

    #[test]
    fn sizes_and_times_have_units() {
        assert_eq!(size("128KiB"), Ok(128 * 1024));
        assert_eq!(wide_size("1 MiB"), Ok(1 << 20));
        assert_eq!(size("77"), Ok(77));
        assert!(size("KiB").is_err() && size("-1").is_err() && size("99999999999999999999").is_err());
        assert_eq!(time("90"), Ok(Duration::from_secs(90)));
        assert_eq!(time("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(time("1500ms"), Ok(Duration::from_millis(1500)));
        assert!(time("s").is_err() && time("1h").is_err() && time("1.5").is_err());
    }
}
