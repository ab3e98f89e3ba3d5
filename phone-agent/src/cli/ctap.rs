//! Arguments of `ctap`.

use std::path::PathBuf;

use clap::Args;

use super::consent::ConsentArgs;

/// Arguments of `ctap`.
#[derive(Debug, Args)]
#[group(id = "transport", required = true, multiple = false, args = ["stdio", "listen"])]
pub struct CtapArgs {
    /// Speak on standard input and output, to the end of the input
    #[arg(long)]
    pub stdio: bool,
    /// Speak on a socket that only this user can reach, with one client after
    /// the other
    #[arg(long, value_name = "unix:PATH", value_parser = socket)]
    pub listen: Option<PathBuf>,
    /// Be the authenticator that lies in this folder, and not the vault
    ///
    /// It is made if it is not there. Without --passphrase-file the vault's
    /// key is put beside it, so that it is as safe as the folder.
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// How the person is asked, and verified.
    #[command(flatten)]
    pub consent: ConsentArgs,
}

fn socket(text: &str) -> Result<PathBuf, String> {
    match text.strip_prefix("unix:") {
        Some(path) if !path.is_empty() => Ok(path.into()),
        _ => Err("a socket is unix: and its path".into()),
    }
}
