//! `cablecar-relay probe URL`: a whole sign-in through any relay, both devices
//! played here, and the time of each leg.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cablecar_protocol::tunnel::{ConnectTo, TunnelServiceDomain};
use clap::{Args, ValueEnum};
use rand_core::OsRng;
use serde::Serialize;

use crate::caller::{Trust, Url, Way};
use crate::error::Error;

mod finding;
mod legs;
mod people;

use finding::Finding;
use legs::{Legs, Walked};

/// Signs in through a relay: both devices are played here, with the real
/// protocol, and nobody has to confirm anything. Exits with 1 if something is
/// wrong with the relay.
#[derive(Debug, Args)]
pub(crate) struct Probe {
    /// Relay to probe, as wss://HOST[:PORT] or ws://HOST[:PORT]
    url: Url,
    /// How to say what was found
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Certificate authorities to believe instead of the system's
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Dial ADDR:PORT instead of HOST:PORT
    #[arg(long, value_name = "HOST:PORT:ADDR:PORT")]
    connect_to: Vec<ConnectTo>,
    /// File with the token for opening tunnels, if the relay wants one
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// How long one leg may take
    #[arg(long, value_name = "TIME", value_parser = crate::cli::time, default_value = "10")]
    patience: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line for each leg
    Text,
    /// One JSON object
    Json,
}

/// What a probe came to.
#[derive(Debug, Serialize)]
struct Report<'a> {
    relay: String,
    /// As which clients look for this host; absent if no client can.
    #[serde(skip_serializing_if = "Option::is_none")]
    domain_id: Option<u16>,
    well: bool,
    legs: &'a [Walked],
    findings: &'a [Finding],
}

impl Probe {
    /// Runs it and prints the report.
    pub(crate) fn run(self) -> Result<ExitCode, Error> {
        let trust = self.ca_file.map_or(Trust::System, Trust::File);
        let way = Way::new(self.url, self.connect_to, &trust)?;
        let token = self.token_file.as_deref().map(token).transpose()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Error::System(error.to_string()))?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let mut legs = Legs::new(self.patience);
        let domain = TunnelServiceDomain::of_host(&way.url.host);
        let mut rng = OsRng;
        let walked = people::sign_in(&way, domain, token.as_deref(), now, &mut rng, &mut legs);
        let findings: Vec<Finding> = runtime.block_on(walked).err().into_iter().collect();
        // A name that is still being looked up is not waited for.
        runtime.shutdown_timeout(Duration::from_millis(100));
        let report = Report {
            relay: way.url.to_string(),
            domain_id: domain.map(TunnelServiceDomain::id),
            well: findings.is_empty(),
            legs: legs.times(),
            findings: &findings,
        };
        let text = match self.format {
            Format::Text => report.text(),
            Format::Json => serde_json::to_string(&report).unwrap_or_default() + "\n",
        };
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        Ok(if report.well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl Report<'_> {
    fn text(&self) -> String {
        let mut text = match self.domain_id {
            Some(id) => format!("{}, domain id {id}\n", self.relay),
            None => format!("{}, no name under which clients look for a relay\n", self.relay),
        };
        for Walked { leg, ms } in self.legs {
            text += &format!("  {:10} {ms:8.2} ms  {}\n", leg.name(), leg.what());
        }
        for finding in self.findings {
            text += &format!("  {:10} {finding} ({})\n", finding.leg().name(), finding.id());
            text += &format!("  remedy: {}\n", finding.remedy());
        }
        if self.well {
            text += "well: a sign-in went through\n";
        }
        text
    }
}

/// The token in this file: its only line.
///
/// # Errors
/// [`Error::Usage`] if it cannot be read, or is none.
pub(crate) fn token(file: &Path) -> Result<String, Error> {
    let bad = |what: &str| Error::Usage(format!("--token-file {}: {what}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| bad(&error.to_string()))?;
    let token = text.trim();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(bad("no token, which is one word of printable ASCII"));
    }
    Ok(token.to_owned())
}
