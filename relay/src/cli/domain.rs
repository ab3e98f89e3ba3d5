//! `cablecar-relay domain`: which host belongs to an id, and which id to choose.

use std::io::{self, Write};
use std::process::ExitCode;

use cablecar_protocol::tunnel::TunnelServiceDomain;
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use crate::error::Error;

#[derive(Debug, Args)]
pub(super) struct Domain {
    #[command(subcommand)]
    command: Option<Command>,
    /// Tunnel service domain id: 0, 1, or 256 to 65535
    #[arg(value_name = "N", required = true)]
    id: Option<u16>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Search the possible hosts, or look one up
    Find(Find),
}

#[derive(Debug, Args)]
struct Find {
    /// Look up the id of this host
    #[arg(value_name = "HOST", conflicts_with_all = ["contains", "tld", "shortest", "limit"])]
    host: Option<String>,
    /// Only hosts whose label contains this text
    #[arg(long, value_name = "TEXT")]
    contains: Option<String>,
    /// Only hosts in this top-level domain
    #[arg(long, value_name = "TLD")]
    tld: Option<Tld>,
    /// Shortest first, else by id
    #[arg(long)]
    shortest: bool,
    /// At most this many
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One host a line; after a search, behind its id
    Text,
    /// One JSON object, or an array of them after a search
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Tld {
    Com,
    Org,
    Net,
    Info,
}

#[derive(Debug, Serialize)]
struct Named {
    id: u16,
    host: String,
}

/// The domain of this id, or who to blame.
pub(super) fn assigned(id: u16) -> Result<TunnelServiceDomain, Error> {
    TunnelServiceDomain::new(id).map_err(|_| Error::Unassigned(id))
}

impl Domain {
    pub(super) fn run(self) -> Result<ExitCode, Error> {
        match (self.command, self.id) {
            (Some(Command::Find(find)), _) => find.run(),
            (None, Some(id)) => {
                let named = Named::of(assigned(id)?);
                print(self.format, &named, |out| writeln!(out, "{}", named.host))
            }
            (None, None) => Err(Error::Usage("an id is needed, or the word find".into())),
        }
    }
}

impl Find {
    fn run(self) -> Result<ExitCode, Error> {
        if let Some(host) = self.host {
            let domain = TunnelServiceDomain::of_host(&host).ok_or(Error::NoDomain(host))?;
            let named = Named::of(domain);
            return print(self.format, &named, |out| writeln!(out, "{}", named.id));
        }
        let found = self.search();
        print(self.format, &found, |out| {
            found.iter().try_for_each(|named| writeln!(out, "{:5} {}", named.id, named.host))
        })
    }

    fn search(&self) -> Vec<Named> {
        let mut found: Vec<Named> = TunnelServiceDomain::all_hashed()
            .map(Named::of)
            .filter(|named| self.matches(&named.host))
            .collect();
        if self.shortest {
            found.sort_by_key(|named| named.host.len());
        }
        found.truncate(self.limit.unwrap_or(usize::MAX));
        found
    }

    fn matches(&self, host: &str) -> bool {
        let Some((label, tld)) = host.trim_start_matches("cable.").split_once('.') else { return false };
        let wanted = self.tld.map(|tld| match tld {
            Tld::Com => "com",
            Tld::Org => "org",
            Tld::Net => "net",
            Tld::Info => "info",
        });
        wanted.is_none_or(|wanted| wanted == tld)
            && self.contains.as_ref().is_none_or(|text| label.contains(&text.to_ascii_lowercase()))
    }
}

impl Named {
    fn of(domain: TunnelServiceDomain) -> Self {
        Self { id: domain.id(), host: domain.host() }
    }
}

fn print(
    format: Format,
    value: &impl Serialize,
    text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<ExitCode, Error> {
    let mut out = io::stdout().lock();
    let printed = match format {
        Format::Text => text(&mut out),
        Format::Json => {
            serde_json::to_writer(&mut out, value).map_err(Into::into).and_then(|()| writeln!(out))
        }
    };
    match printed {
        // Whoever reads the first lines only has had what they wanted.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::System(error.to_string())),
        _ => Ok(ExitCode::SUCCESS),
    }
}
