//! `cablecar-relay config`: the settings, without serving.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::SystemTime;

use clap::{Args, Subcommand};

use crate::config::{Config as Meant, Security};
use crate::error::Error;
use crate::settings::flags::Flags;
use crate::settings::layers::Layers;
use crate::settings::print;
use crate::warning::Warning;

#[derive(Debug, Args)]
pub(super) struct Config {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say what would be served, or what is wrong with the settings
    Check(Flags),
    /// Print the effective settings as a file, each with its origin
    Print(Flags),
}

impl Config {
    pub(super) fn run(self) -> Result<ExitCode, Error> {
        let text = match self.command {
            Command::Check(flags) => {
                let config = layers(flags)?.config()?;
                if let Security::Files(certificates) = &config.security {
                    certificates.check(SystemTime::now())?;
                }
                super::warnings(&config).iter().for_each(Warning::tell);
                summary(&config)
            }
            Command::Print(flags) => print::effective(&layers(flags)?),
        };
        match io::stdout().lock().write_all(text.as_bytes()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::System(error.to_string())),
            _ => Ok(ExitCode::SUCCESS),
        }
    }
}

/// The settings, once the person has been told what to know of them.
fn layers(flags: Flags) -> Result<Layers, Error> {
    let (layers, warned) = super::layers(flags)?;
    warned.iter().for_each(Warning::tell);
    Ok(layers)
}

/// What a relay with these settings would do, in a few lines.
fn summary(config: &Meant) -> String {
    let listen: Vec<String> = config.listen.iter().map(ToString::to_string).collect();
    let security = match config.security {
        Security::Tls(_) | Security::Files(_) => "TLS",
        Security::Acme(_) => "TLS, with certificates by ACME",
        Security::Plain => "no TLS: a proxy in front does it",
    };
    let host = config.domain.map_or_else(|| "any name".into(), |domain| domain.host());
    let admin = config.admin.listen.as_ref().map_or_else(|| "nowhere".into(), ToString::to_string);
    format!(
        "the settings are good\nlistens on: {}\nserves: {security}\nclients look for it at: {host}\nadministration: {admin}\n",
        listen.join(", "),
    )
}
