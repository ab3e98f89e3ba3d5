//! What was typed.

use std::net::SocketAddr;
use std::path::PathBuf;

use cablecar_protocol::tunnel::ConnectTo;
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
    Create(Common),
    /// Sign in with a passkey on a phone.
    Get(Common),
}

impl Command {
    /// The arguments, which all commands share.
    pub fn common(&self) -> &Common {
        match self {
            Command::Create(common) | Command::Get(common) => common,
        }
    }
}

/// Arguments of every command.
#[derive(Debug, Args)]
pub struct Common {
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

    /// Listen with this Bluetooth adapter, such as hci0; without it, with the
    /// first that is on
    #[arg(long, value_name = "NAME", conflicts_with = "danger_air")]
    pub adapter: Option<String>,

    /// Dial ADDR:PORT in place of HOST:PORT; the certificate is still checked
    #[arg(long, value_name = "HOST:PORT:ADDR:PORT")]
    pub connect_to: Vec<ConnectTo>,

    /// Trust only the certificate authorities in this PEM file
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,

    /// Hear phones over UDP on this loopback address in place of Bluetooth: no proximity
    #[arg(long, value_name = "ADDR", help_heading = "Danger")]
    pub danger_air: Option<SocketAddr>,

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
