//! What is typed.

mod consent;
pub mod ctap;
pub mod exchange;
pub mod vault;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use cablecar_protocol::tunnel::{ConnectTo, TunnelServiceDomain};
use clap::{Args, Parser, Subcommand, ValueEnum};
use url::Url;

pub use consent::{AskAt, ConsentArgs, VerifyBy};

use crate::consent::scripted::Scripted;

/// Holds passkeys in an encrypted vault, and uses them for a computer that
/// shows a QR code.
///
/// Every use is a question to you, and takes the vault's passphrase. Results
/// are written to standard output, everything for people to standard error.
///
/// Relays are reached through the proxy of HTTPS_PROXY or ALL_PROXY, unless
/// NO_PROXY names them. Their certificates are checked against those of the
/// system, or of SSL_CERT_FILE or SSL_CERT_DIR where these are set.
///
/// Exit codes: 0 done (for scan: at least one request was served), 1 other,
/// 2 usage, 3 nobody came in time, 4 you declined, 5 no matching passkey,
/// 6 radio unavailable, 7 relay unreachable, 8 the computer or the relay broke
/// the protocol.
#[derive(Debug, Parser)]
#[command(name = "cablecar-phone", version, subcommand_required = true, arg_required_else_help = false)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Where the vault is, and how it is opened.
    #[command(flatten)]
    pub vault: VaultArgs,
    /// Say on standard error what happens as JSON lines, for programs
    #[arg(long, global = true, value_name = "FORMAT")]
    pub events: Option<Events>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make an empty vault
    Init(InitArgs),
    /// Scan a computer's QR code and serve it
    Scan(Box<ScanArgs>),
    /// List the passkeys in the vault; never their keys
    List(ListArgs),
    /// Be an authenticator for programs of this computer: all of CTAP 2.1 in
    /// frames, as docs/ctap-pipe.md says
    ///
    /// The vault is opened once and stays open while this runs. Starting it
    /// again is what a power cycle is to a security key. Ends at the end of
    /// the input, or when it is told to by a signal; both are exit code 0.
    Ctap(ctap::CtapArgs),
    /// Show passkeys whole, but for their keys: all of a website, or one
    Show(vault::ShowArgs),
    /// Give the account of a passkey other names
    Rename(vault::RenameArgs),
    /// Remove a passkey, after asking at the terminal
    Remove(vault::RemoveArgs),
    /// Change the vault's passphrase
    Passphrase(vault::PassphraseArgs),
    /// Write the passkeys that may leave this vault into another file, under
    /// the same passphrase
    Backup(vault::BackupArgs),
    /// Bring back the passkeys of a backup that are missing here, or make a
    /// vault of it where there is none
    ///
    /// Nothing is removed and nothing overwritten.
    Restore(vault::RestoreArgs),
    /// Set, change or remove the PIN for programs at the local pipe
    ///
    /// It takes the vault's passphrase, and spends none of the PIN's guesses.
    Pin(vault::PinArgs),
    /// Say which passkeys may be made, or choose
    Policy(vault::PolicyArgs),
    /// Bring in passkeys from Bitwarden, KeePassXC, KeePassDX and others
    ///
    /// What comes in, what is left out and why is said for each passkey. All
    /// that come in are written at once, or none.
    Import(exchange::ImportArgs),
    /// Write passkeys to a file for another password manager
    ///
    /// Passkeys that are bound to this device stay here.
    Export(exchange::ExportArgs),
    /// Check the radio, the way to the relays, the clock and the vault, and
    /// say what to do about what is found
    ///
    /// Asks for nothing and changes nothing: an advert that nobody can read
    /// is sent for a moment, and a tunnel opened and left.
    ///
    /// Exit codes: 0 nothing was found, 1 something was.
    Doctor(Box<DoctorArgs>),
    /// Print what a shell completes, for it to read
    Completions(CompletionsArgs),
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// Whose language to print
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

/// Where the vault is, and how it is opened.
#[derive(Debug, Args)]
pub struct VaultArgs {
    /// The vault [default: cablecar/vault in the data folder of XDG]
    #[arg(long, global = true, value_name = "FILE", env = "CABLECAR_VAULT")]
    pub vault: Option<PathBuf>,
    /// Read the passphrase from this file, again for each request, instead of
    /// asking at the terminal; one line end is cut
    #[arg(long, global = true, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Take an older copy of the vault for the present one
    #[arg(long, global = true)]
    pub accept_rollback: bool,
}

/// Arguments of `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Make the passphrase as cheap to try as possible, for tests that open a
    /// vault a thousand times
    #[arg(long, help_heading = DANGER)]
    pub danger_weak_kdf: bool,
}

/// Arguments of `scan`.
#[derive(Debug, Args)]
pub struct ScanArgs {
    /// A picture with the code anywhere in it (PNG or JPEG), or - for its text
    /// on standard input
    ///
    /// The text itself (FIDO:/ and digits) is refused here without
    /// --accept-link.
    #[arg(value_name = "CODE", required_unless_present = "camera", conflicts_with = "camera")]
    pub code: Option<String>,
    /// Accept a code's text among the arguments
    ///
    /// Programs hand over links as arguments, and any web page can open one
    /// (CVE-2024-9956): the computer that shows the code may be the page's
    /// owner's, who is then signed in as you. Give this only if you made sure
    /// that the code is on the screen in front of you. Arguments can also be
    /// seen by everybody who may list the processes of this machine.
    #[arg(long)]
    pub accept_link: bool,
    /// Look for the code with this camera, or with the first one (Linux, in
    /// builds with the feature camera)
    #[arg(long, value_name = "DEVICE", num_args = 0..=1)]
    pub camera: Option<Option<PathBuf>>,
    /// The relay at which to meet, by its domain id: 0 (Google's) as most
    /// phones do, or 256 and up for everybody else's
    #[arg(long, value_name = "N", default_value = "0", value_parser = domain)]
    pub domain_id: TunnelServiceDomain,
    /// How to be heard.
    #[command(flatten)]
    pub radio: RadioArgs,
    /// How to get to the relay.
    #[command(flatten)]
    pub network: NetworkArgs,
    /// How you are asked, and verified.
    #[command(flatten)]
    pub consent: ConsentArgs,
}

/// How to be heard.
#[derive(Debug, Args)]
pub struct RadioArgs {
    /// The Bluetooth adapter [default: the first that is on and can advertise]
    #[arg(long, value_name = "hciN", conflicts_with = "danger_air")]
    pub adapter: Option<String>,
    /// Advertise by UDP to this loopback address instead of by Bluetooth,
    /// which proves no proximity at all
    #[arg(long, value_name = "ADDR", help_heading = DANGER)]
    pub danger_air: Option<SocketAddr>,
}

/// How to get to a relay.
#[derive(Debug, Args)]
pub struct NetworkArgs {
    /// Instead of HOST:PORT connect to ADDR:PORT, or have the proxy connect
    /// there; certificates are still checked for HOST. May be given several
    /// times
    #[arg(long, value_name = "HOST:PORT:ADDR:PORT")]
    pub connect_to: Vec<ConnectTo>,
    /// Trust the certificate authorities in this PEM file, and no others
    /// [default: those of the system, or of SSL_CERT_FILE or SSL_CERT_DIR]
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Show the token in this file to the relay, if it opens tunnels only for
    /// those who have one; never to the relays with the ids 0 and 1
    #[arg(long, value_name = "FILE")]
    pub relay_token_file: Option<PathBuf>,
    /// Use this relay (ws:// or wss://), whatever the domain id says; the
    /// computer must be told the same
    #[arg(long, value_name = "URL", help_heading = DANGER, value_parser = relay)]
    pub danger_relay: Option<Url>,
}

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// A relay to try, by its domain id. May be given several times
    #[arg(long, value_name = "N", default_values = ["0", "1"], value_parser = domain)]
    pub domain_id: Vec<TunnelServiceDomain>,
    /// How to be heard.
    #[command(flatten)]
    pub radio: RadioArgs,
    /// How to get to the relays.
    #[command(flatten)]
    pub network: NetworkArgs,
    /// In which form
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

/// Arguments of `list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// In which form
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

/// The form of a list or a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Lines for people.
    Text,
    /// One JSON value for programs.
    Json,
}

/// The form of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Events {
    /// JSON lines.
    Json,
}

const DANGER: &str = "Danger";

fn domain(text: &str) -> Result<TunnelServiceDomain, String> {
    let id = text.parse::<u16>().ok();
    id.and_then(|id| TunnelServiceDomain::new(id).ok())
        .ok_or_else(|| "a domain id is 0, 1, or a number from 256 to 65535".into())
}

fn relay(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|cause| cause.to_string())?;
    if matches!(url.scheme(), "ws" | "wss") && url.has_host() {
        Ok(url)
    } else {
        Err("a relay's URL begins with ws:// or wss://".into())
    }
}

impl FromStr for Scripted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.strip_prefix("after=").map(str::parse)) {
            ("allow", _) => Ok(Scripted::Allow),
            ("deny", _) => Ok(Scripted::Deny),
            (_, Some(Ok(milliseconds))) => Ok(Scripted::After(Duration::from_millis(milliseconds))),
            _ => Err("consent is allow, deny, or after= and milliseconds".into()),
        }
    }
}
