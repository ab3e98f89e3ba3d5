//! Arguments of `ctap`.

use std::path::PathBuf;

use clap::Args;

use super::{Network, Radio, Showing};

/// Arguments of `ctap`.
#[derive(Debug, Args)]
#[group(id = "transport", required = true, multiple = false, args = ["stdio", "listen"])]
pub struct Ctap {
    /// Speak on standard input and output, to the end of the input
    #[arg(long)]
    pub stdio: bool,

    /// Speak on a socket that only this user can reach, with one client after
    /// the other
    #[arg(long, value_name = "unix:PATH", value_parser = socket)]
    pub listen: Option<PathBuf>,

    /// How to follow a request.
    #[command(flatten)]
    pub showing: Showing,

    /// How to hear a phone.
    #[command(flatten)]
    pub radio: Radio,

    /// How to get to its relay.
    #[command(flatten)]
    pub network: Network,
}

fn socket(text: &str) -> Result<PathBuf, String> {
    match text.strip_prefix("unix:") {
        Some(path) if !path.is_empty() => Ok(path.into()),
        _ => Err("a socket is unix: and its path".into()),
    }
}
