//! What was typed.

pub mod ctap;
#[cfg(target_os = "linux")]
pub mod device;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use cablecar_protocol::tunnel::{ConnectTo, TunnelServiceDomain};
use clap::{Args, Parser, Subcommand, ValueEnum};
use url::Url;

use crate::defaults::LONGEST_LIFE;
use crate::error::Error;
use crate::install::Browser;
use crate::screen::place::Place;
use crate::screen::terminal::Form;

/// Use a passkey that lives on a phone.
///
/// Shows a QR code, waits for the phone that scans it to come near, and puts
/// the request to it. The options are read from standard input, the response
/// is written to standard output, both as WebAuthn JSON (Level 3); everything
/// for people goes to standard error. Nothing is remembered.
///
/// Relays are reached through the HTTP proxy that HTTPS_PROXY or ALL_PROXY
/// names, unless NO_PROXY names the relay. The certificate authorities of the
/// system are trusted, or those in SSL_CERT_FILE or SSL_CERT_DIR.
///
/// Exit codes: 0 done, 1 other, 2 usage, 3 nobody came in time, 4 declined on
/// the phone, 5 no matching passkey, 6 radio unavailable, 7 relay unreachable,
/// 8 the phone or the relay broke the protocol.
#[derive(Debug, Parser)]
#[command(name = "cablecar", version, arg_required_else_help = false)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a new passkey on a phone.
    Create(Request),
    /// Sign in with a passkey on a phone.
    Get(Request),
    /// Be a security key for all programs, on which a phone answers (Linux).
    ///
    /// Plugs a virtual security key in through /dev/uhid. Programs that know
    /// security keys find it: browsers, pam_u2f, fido2-token. When one of them
    /// wants a passkey, a code is shown here. Ends with Ctrl-C or SIGTERM, which
    /// pulls the key out.
    #[cfg(target_os = "linux")]
    Device(device::Device),
    /// Look for what would keep those from working.
    ///
    /// Tries the radio, and each relay step by step: name, TCP, TLS, tunnel
    /// and clock. Exit code 0 if all is well, 1 if something was found.
    Doctor(Doctor),
    /// Put Cablecar where other programs find it.
    #[command(subcommand)]
    Install(Install),
    /// Serve the browser extension; browsers start this themselves.
    ///
    /// Speaks native messaging on standard input and output, as long as the
    /// extension is connected. Browsers start a program with arguments of
    /// their own, by which this command is known; it serves no other
    /// extension than Cablecar's.
    BrowserHost(BrowserHost),

    /// Be a security key for programs of this computer, whose passkeys are on a
    /// phone: CTAP in frames, as docs/ctap-pipe.md says.
    Ctap(ctap::Ctap),

    /// Print what a shell completes, for it to read.
    Completions(Completions),
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// Whose language to print
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

/// Arguments of the commands that put a request to a phone.
#[derive(Debug, Args)]
pub struct Request {
    /// The origin of the page that asks, such as `https://example.com`
    #[arg(long, value_name = "URL")]
    pub origin: String,

    /// How to follow it.
    #[command(flatten)]
    pub showing: Showing,

    /// How to hear a phone.
    #[command(flatten)]
    pub radio: Radio,

    /// How to get to its relay.
    #[command(flatten)]
    pub network: Network,
}

/// How people and programs follow a request.
#[derive(Debug, Args)]
pub struct Showing {
    /// How to show a code: terminal, text, png:FILE or svg:FILE (the file is
    /// removed when the request ends)
    #[arg(long, value_name = "FORM", default_value = "terminal", value_parser = parse_form)]
    qr: Form,

    /// Where to show a code in place of the terminal: page, in the browser of
    /// this computer, with the stages; served to it alone, and once
    #[arg(long, value_name = "WHERE", conflicts_with = "qr")]
    show: Option<Surface>,

    /// Print stages as events for programs, in place of sentences
    #[arg(long, value_name = "FORMAT")]
    events: Option<EventFormat>,
}

impl Showing {
    /// Where the code is to be seen.
    pub fn place(&self) -> Place {
        match self.show {
            Some(Surface::Page) => Place::Page,
            None => Place::Terminal(self.qr.clone()),
        }
    }

    /// Whether programs read how far it is.
    pub fn json_events(&self) -> bool {
        match self.events {
            Some(EventFormat::Json) => true,
            None => false,
        }
    }
}

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// A relay to try, by its domain id. May be given several times
    #[arg(long, value_name = "N", default_values = ["0", "1"], value_parser = parse_domain)]
    pub domain_id: Vec<TunnelServiceDomain>,

    /// In which form to report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: ReportFormat,

    /// How to hear a phone.
    #[command(flatten)]
    pub radio: Radio,

    /// How to get to the relays.
    #[command(flatten)]
    pub network: Network,
}

/// What finds Cablecar.
#[derive(Debug, Subcommand)]
pub enum Install {
    /// Tell browsers where this program is, so that the extension can start it.
    ///
    /// Writes a manifest for each browser that was used by this person, snap
    /// and flatpak included, and says so path by path. Running it again
    /// changes nothing; after the program was moved it puts that right.
    Browser(InstallBrowser),
}

/// Arguments of `install browser`.
#[derive(Debug, Args)]
pub struct InstallBrowser {
    /// This browser [default: all that were used here]. May be given several
    /// times
    #[arg(long, value_name = "NAME")]
    pub browser: Vec<Browser>,

    /// Take the manifests away again
    #[arg(long, conflicts_with_all = ["program", "extension_to"])]
    pub remove: bool,

    /// The program that the browser is to start [default: this one]
    #[arg(long, value_name = "PATH")]
    pub program: Option<PathBuf>,

    /// The folder of manifests of one browser, if it is elsewhere: of another
    /// profile, or of all users
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,

    /// Also write the extension into this folder, to be loaded from there
    #[arg(long, value_name = "DIR")]
    pub extension_to: Option<PathBuf>,
}

/// Arguments of `browser-host`.
#[derive(Debug, Args)]
pub struct BrowserHost {
    /// What a browser says about who wants to be served
    #[arg(value_name = "CALLER", trailing_var_arg = true, allow_hyphen_values = true)]
    pub caller: Vec<OsString>,

    /// How to hear a phone.
    #[command(flatten)]
    pub radio: Radio,

    /// How to get to its relay.
    #[command(flatten)]
    pub network: Network,
}

/// How to hear a phone. Where a door has no arguments, the environment says it.
#[derive(Debug, Args)]
pub struct Radio {
    /// The Bluetooth adapter that listens [default: the first that is on]
    #[arg(long, env = "CABLECAR_ADAPTER", value_name = "hciN", conflicts_with = "danger_air")]
    pub adapter: Option<String>,

    /// Hear phones over UDP on this loopback address in place of Bluetooth: no proximity
    #[arg(long, env = "CABLECAR_DANGER_AIR", value_name = "ADDR", help_heading = "Danger")]
    pub danger_air: Option<SocketAddr>,
}

/// How to get to a relay.
#[derive(Debug, Args)]
pub struct Network {
    /// Instead of HOST:PORT connect to ADDR:PORT, or have the proxy connect
    /// there; certificates are still checked for HOST. May be given several
    /// times
    #[arg(long, env = "CABLECAR_CONNECT_TO", value_delimiter = ',', value_name = "HOST:PORT:ADDR:PORT")]
    pub connect_to: Vec<ConnectTo>,

    /// Trust only the certificate authorities in this PEM file
    /// [default: those of the system, or of SSL_CERT_FILE or SSL_CERT_DIR]
    #[arg(long, env = "CABLECAR_CA_FILE", value_name = "FILE")]
    pub ca_file: Option<PathBuf>,

    /// Use this relay (ws:// or wss://) whatever the phone's advert names
    #[arg(long, env = "CABLECAR_DANGER_RELAY", value_name = "URL", help_heading = "Danger", value_parser = parse_relay)]
    pub danger_relay: Option<Url>,
}

/// What the environment says to a door that has no arguments of its own.
#[derive(Debug, Parser)]
#[command(name = "cablecar")]
pub struct Surroundings {
    /// As in [`Showing`].
    #[arg(long, env = "CABLECAR_QR", default_value = "terminal", value_parser = parse_form)]
    pub qr: Form,

    /// Seconds that a code waits for a phone, at most a day.
    #[arg(long, env = "CABLECAR_WAIT", value_parser = clap::value_parser!(u64).range(1..=LONGEST_LIFE.as_secs()))]
    pub wait: Option<u64>,

    /// How to hear a phone.
    #[command(flatten)]
    pub radio: Radio,

    /// How to get to its relay.
    #[command(flatten)]
    pub network: Network,
}

impl Surroundings {
    /// Reads the variables `CABLECAR_*`.
    ///
    /// # Errors
    /// [`Error::Usage`] for one that makes no sense.
    pub fn read() -> Result<Self, Error> {
        let unclear = |error: clap::Error| Error::Usage(crate::first_paragraph(&error.to_string()));
        Self::try_parse_from(["cablecar"]).map_err(unclear)
    }
}

/// A surface of its own for the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Surface {
    /// A page in the browser.
    Page,
}

/// A format for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EventFormat {
    /// One JSON object a line, on standard error.
    Json,
}

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// A line a check.
    Text,
    /// One JSON object.
    Json,
}

fn parse_domain(text: &str) -> Result<TunnelServiceDomain, String> {
    let id = text.parse().map_err(|_| "expected a number from 0 to 65535")?;
    TunnelServiceDomain::new(id).map_err(|_| "nobody has the ids from 2 to 255".into())
}

pub(crate) fn parse_form(text: &str) -> Result<Form, String> {
    match text.split_once(':') {
        None if text == "terminal" => Ok(Form::Blocks),
        None if text == "text" => Ok(Form::Text),
        Some(("png", file)) if !file.is_empty() => Ok(Form::Png(file.into())),
        Some(("svg", file)) if !file.is_empty() => Ok(Form::Svg(file.into())),
        _ => Err("expected terminal, text, png:FILE or svg:FILE".into()),
    }
}

fn parse_relay(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|cause| cause.to_string())?;
    match url.scheme() {
        "ws" | "wss" if url.has_host() => Ok(url),
        _ => Err("expected ws://HOST or wss://HOST".into()),
    }
}
