//! What was typed.

use std::net::SocketAddr;
use std::path::PathBuf;

use cablecar_protocol::tunnel::{ConnectTo, TunnelServiceDomain};
use clap::{Args, Parser, Subcommand, ValueEnum};
use url::Url;

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
    /// Look for what would keep those from working.
    ///
    /// Tries the radio, and each relay step by step: name, TCP, TLS, tunnel
    /// and clock. Exit code 0 if all is well, 1 if something was found.
    Doctor(Doctor),
}

/// Arguments of the commands that put a request to a phone.
#[derive(Debug, Args)]
pub struct Request {
    /// The origin of the page that asks, such as `https://example.com`
    #[arg(long, value_name = "URL")]
    pub origin: String,

    /// How to show the code: terminal, text, png:FILE or svg:FILE (the file
    /// is removed at the end)
    #[arg(long, value_name = "FORM", default_value = "terminal", value_parser = parse_form)]
    pub qr: Form,

    /// Print stages as events for programs, in place of sentences
    #[arg(long, value_name = "FORMAT")]
    pub events: Option<EventFormat>,

    /// How to hear a phone.
    #[command(flatten)]
    pub radio: Radio,

    /// How to get to its relay.
    #[command(flatten)]
    pub network: Network,
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

/// How to hear a phone.
#[derive(Debug, Args)]
pub struct Radio {
    /// The Bluetooth adapter that listens [default: the first that is on]
    #[arg(long, value_name = "hciN", conflicts_with = "danger_air")]
    pub adapter: Option<String>,

    /// Hear phones over UDP on this loopback address in place of Bluetooth: no proximity
    #[arg(long, value_name = "ADDR", help_heading = "Danger")]
    pub danger_air: Option<SocketAddr>,
}

/// How to get to a relay.
#[derive(Debug, Args)]
pub struct Network {
    /// Instead of HOST:PORT connect to ADDR:PORT, or have the proxy connect
    /// there; certificates are still checked for HOST. May be given several
    /// times
    #[arg(long, value_name = "HOST:PORT:ADDR:PORT")]
    pub connect_to: Vec<ConnectTo>,

    /// Trust only the certificate authorities in this PEM file
    /// [default: those of the system, or of SSL_CERT_FILE or SSL_CERT_DIR]
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,

    /// Use this relay (ws:// or wss://) whatever the phone's advert names
    #[arg(long, value_name = "URL", help_heading = "Danger", value_parser = parse_relay)]
    pub danger_relay: Option<Url>,
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

fn parse_form(text: &str) -> Result<Form, String> {
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
