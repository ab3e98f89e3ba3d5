//! What a relay is told to do: what the command line means, and what tests
//! and other programs build directly.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cablecar_protocol::ids::RoutingId;
use cablecar_protocol::tunnel::{MAX_MESSAGE, TunnelServiceDomain};

pub use crate::address::Address;
use crate::defaults;
use crate::error::Error;
use crate::meter::SourceLimits;
use crate::routing;
use crate::source::Network;
use crate::tls::Certificates;

/// What a relay is told to do.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen; at least one.
    pub listen: Vec<Address>,
    /// TLS, or the word of a proxy in front that it does that.
    pub security: Security,
    /// Under which name clients reach this relay, if it is a legal one.
    pub domain: Option<TunnelServiceDomain>,
    /// The routing id; made from region, node and start counter if absent.
    pub routing_id: Option<RoutingId>,
    /// Region in the routing id, 0 to 63.
    pub region: u8,
    /// Node in the routing id, 0 to 1023; random if absent.
    pub node: Option<u16>,
    /// Folder for the start counter and the handover socket.
    pub state_dir: Option<PathBuf>,
    /// Hosts whose web pages may connect, beside the relay's own names.
    pub allow_origins: Vec<String>,
    /// What everybody may use.
    pub limits: Limits,
    /// Who may say on whose behalf a connection comes.
    pub proxy: Proxy,
    /// Who may open a tunnel.
    pub access: Access,
    /// The operator's own door.
    pub admin: Admin,
    /// What is written about all this.
    pub log: Log,
}

/// Who does TLS.
#[derive(Debug, Clone)]
pub enum Security {
    /// The relay itself, with what stays as it is.
    Tls(Arc<rustls::ServerConfig>),
    /// The relay itself, with files that are read again when they change.
    Files(Arc<Certificates>),
    /// The relay itself, with what a certificate authority gives it.
    Acme(Acme),
    /// A proxy in front, or nobody, on a loopback address.
    Plain,
}

/// A certificate authority that speaks ACME. Needs the feature `acme`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acme {
    /// The name to be certified.
    pub host: String,
    /// Where the authority may write to, as a URL.
    pub contact: String,
    /// Its directory; Let's Encrypt's if absent.
    pub directory: Option<String>,
    /// Folder that keeps account and certificates.
    pub cache_dir: PathBuf,
    /// Certificates by which to know it; the system's if absent.
    pub ca_file: Option<PathBuf>,
}

/// What everybody may use. Each has its reason in [`defaults`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one message.
    pub message: usize,
    /// Bytes held per direction beyond one message.
    pub held: usize,
    /// Waiting for the second party.
    pub waiting: Duration,
    /// Life after pairing.
    pub life: Duration,
    /// Messages per side.
    pub messages: u32,
    /// Bytes per side in all.
    pub bytes: u64,
    /// A side that takes nothing for this long is closed.
    pub stall: Duration,
    /// TCP, TLS and the request's head together.
    pub opening: Duration,
    /// Bytes of the request's head.
    pub head: usize,
    /// Pause between pings.
    pub ping: Duration,
    /// Unanswered pings in a row that close.
    pub missed_pings: u32,
    /// What one source may use.
    pub per_source: SourceLimits,
    /// Networks that are not counted as sources.
    pub exempt: Vec<Network>,
    /// Connections in all; by the descriptor limit if absent.
    pub connections: Option<u64>,
    /// How long a drain may take; as long as the last tunnel may live if absent.
    pub drain: Option<Duration>,
    /// TLS handshakes at once.
    pub handshakes: Option<u32>,
    /// Resident bytes beyond which no new tunnels are opened.
    pub memory: Option<u64>,
}

/// Who may say on whose behalf a connection comes. Nobody, if no network is
/// trusted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxy {
    /// Networks of the proxies in front.
    pub trusted: Vec<Network>,
    /// How they say it.
    pub protocol: ProxyProtocol,
}

/// How a proxy names the client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProxyProtocol {
    /// In the header `X-Forwarded-For`.
    #[default]
    ForwardedFor,
    /// In a PROXY header, version 1 or 2, before the first byte.
    ProxyHeader,
}

/// Who may open a tunnel. Joining one needs only its id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// Who.
    pub open: MayOpen,
    /// Whose devices may, with [`MayOpen::Networks`].
    pub networks: Vec<Network>,
    /// Bearer tokens, one a line, with [`MayOpen::Token`].
    pub token_file: Option<PathBuf>,
    /// Who is asked, with [`MayOpen::Callout`].
    pub callout_url: Option<String>,
    /// Networks that may do nothing.
    pub blocked: Vec<Network>,
    /// More such networks, one a line.
    pub block_file: Option<PathBuf>,
}

/// Who may open a tunnel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MayOpen {
    /// Anyone.
    #[default]
    Anyone,
    /// Devices of named networks.
    Networks,
    /// Who has a bearer token.
    Token,
    /// Whom another server allows it.
    Callout,
}

/// The operator's own door.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Admin {
    /// A loopback address or a unix socket; there is no door if absent.
    pub listen: Option<Address>,
}

/// What is written about all this.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log {
    /// How lines are written.
    pub format: LogFormat,
    /// How much is written.
    pub level: LogLevel,
    /// Whether clients' addresses are.
    pub addresses: LogAddresses,
}

/// How lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// How much is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// What ends the program.
    Error,
    /// What an operator should look at.
    Warn,
    /// Starts, stops, changes.
    #[default]
    Info,
    /// Each tunnel.
    Debug,
    /// Each step.
    Trace,
}

/// Whether clients' addresses are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogAddresses {
    /// Never.
    #[default]
    Off,
    /// As the network that they are counted as.
    Truncated,
}

impl Config {
    /// A relay with all defaults.
    pub fn new(listen: SocketAddr, security: Security) -> Self {
        Self {
            listen: vec![Address::Tcp(listen)],
            security,
            domain: None,
            routing_id: None,
            region: defaults::REGION,
            node: None,
            state_dir: None,
            allow_origins: Vec::new(),
            limits: Limits::default(),
            proxy: Proxy::default(),
            access: Access::default(),
            admin: Admin::default(),
            log: Log::default(),
        }
    }

    /// Refuses what cannot work.
    ///
    /// # Errors
    /// [`Error::Setting`], naming the flag.
    pub fn check(&self) -> Result<(), Error> {
        let limits = &self.limits;
        let source = &limits.per_source;
        let fits = u64::try_from(limits.message).is_ok_and(|message| message <= limits.bytes);
        let rules = [
            ("--max-message", (1..=MAX_MESSAGE).contains(&limits.message), "must be 1 byte to 1 MiB"),
            ("--max-bytes", fits, "must be at least --max-message"),
            ("--max-messages", limits.messages > 0, "must not be 0"),
            ("--max-head", (8192..=65536).contains(&limits.head), "must be 8 KiB to 64 KiB"),
            ("--held", limits.held <= 16 * MAX_MESSAGE, "must be at most 16 MiB"),
            ("--waiting", sane(limits.waiting), "must be more than 0 and at most a day"),
            ("--life", sane(limits.life), "must be more than 0 and at most a day"),
            ("--stall", sane(limits.stall), "must be more than 0 and at most a day"),
            ("--opening", sane(limits.opening), "must be more than 0 and at most a day"),
            ("--ping", sane(limits.ping), "must be more than 0 and at most a day"),
            ("--missed-pings", limits.missed_pings > 0, "must not be 0"),
            ("--per-source-waiting", source.waiting > 0, "must not be 0"),
            ("--per-source-total", source.total > 0, "must not be 0"),
            ("--per-source-rate", source.rate > 0, "must not be 0"),
            ("--per-source-burst", source.burst > 0, "must not be 0"),
            ("--drain", limits.drain.is_none_or(sane), "must be more than 0 and at most a day"),
            ("--region", self.region < routing::REGIONS, "must be 0 to 63"),
            ("--node", self.node.is_none_or(|node| node < routing::NODES), "must be 0 to 1023"),
            ("--max-connections", limits.connections != Some(0), "must not be 0"),
            ("--max-handshakes", limits.handshakes != Some(0), "must not be 0"),
            ("--max-memory", limits.memory != Some(0), "must not be 0"),
            ("--listen", !self.listen.is_empty(), "must name at least one address"),
            (
                "--proxy-trusted",
                self.proxy.protocol != ProxyProtocol::ProxyHeader || !self.proxy.trusted.is_empty(),
                "must name a network: without one, no PROXY header is believed",
            ),
            (
                "--admin-listen",
                self.admin.listen.as_ref().is_none_or(Address::is_local),
                "must be a loopback address or unix:PATH: whoever reaches it may do everything",
            ),
        ];
        match rules.into_iter().find(|(_, kept, _)| !kept) {
            Some((setting, _, problem)) => Err(Error::Setting { setting, problem }),
            None => Ok(()),
        }
    }

    /// The names under which pages of our own are served, and the configured ones.
    pub(crate) fn hosts(&self) -> Vec<String> {
        self.domain.map(TunnelServiceDomain::host).into_iter().chain(self.allow_origins.clone()).collect()
    }
}

impl Limits {
    /// The longest that a connection can take which is accepted now: a tunnel
    /// opened late, joined at the last moment, and closed slowly.
    pub fn longest(&self) -> Duration {
        self.opening + self.waiting + self.life + defaults::LINGER
    }

    /// The longest that a drain may take.
    pub fn drain(&self) -> Duration {
        self.drain.unwrap_or_else(|| self.longest())
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message: defaults::MAX_MESSAGE,
            held: defaults::HELD,
            waiting: defaults::WAITING,
            life: defaults::LIFE,
            messages: defaults::MAX_MESSAGES,
            bytes: defaults::MAX_BYTES,
            stall: defaults::STALL,
            opening: defaults::OPENING,
            head: defaults::MAX_HEAD,
            ping: defaults::PING,
            missed_pings: defaults::MISSED_PINGS,
            per_source: SourceLimits {
                waiting: defaults::PER_SOURCE_WAITING,
                total: defaults::PER_SOURCE_TOTAL,
                rate: defaults::PER_SOURCE_RATE,
                burst: defaults::PER_SOURCE_BURST,
            },
            exempt: Vec::new(),
            connections: None,
            drain: None,
            handshakes: None,
            memory: None,
        }
    }
}

fn sane(duration: Duration) -> bool {
    (Duration::from_millis(1)..=Duration::from_secs(86_400)).contains(&duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(change: impl FnOnce(&mut Limits)) -> Option<&'static str> {
        let mut config = Config::new(([127, 0, 0, 1], 0).into(), Security::Plain);
        change(&mut config.limits);
        match config.check() {
            Err(Error::Setting { setting, .. }) => Some(setting),
            _ => None,
        }
    }

    #[test]
    fn the_defaults_pass_and_each_impossible_limit_is_named() {
        assert_eq!(problem(|_| {}), None);
        assert_eq!(problem(|limits| limits.message = MAX_MESSAGE + 1), Some("--max-message"));
        assert_eq!(problem(|limits| limits.message = MAX_MESSAGE), None);
        assert_eq!(problem(|limits| limits.bytes = 1), Some("--max-bytes"));
        assert_eq!(problem(|limits| limits.head = 100), Some("--max-head"));
        assert_eq!(problem(|limits| limits.life = Duration::ZERO), Some("--life"));
        assert_eq!(problem(|limits| limits.per_source.rate = 0), Some("--per-source-rate"));
        assert_eq!(problem(|limits| limits.connections = Some(0)), Some("--max-connections"));
    }
}
