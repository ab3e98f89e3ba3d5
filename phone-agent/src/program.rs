//! What the program does.

mod copies;
mod ctap;
mod exchange;
pub mod keeping;
mod listing;
pub mod pin;

use std::io::Write;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use cablecar_protocol::secrets::scrub_stack;
use clap::CommandFactory as _;
use rand_core::OsRng;
use serde::Serialize;
use tokio::runtime::Runtime;

use crate::cli::{Cli, Format};
use crate::config::{Config, Scan, Task};
use crate::consent::AnyConsent;
use crate::doctor;
use crate::error::Error;
use crate::passphrase::{FromSource, Source};
use crate::screen::{Caution, Notice, Screen, events, terminal};
use crate::transaction::Phone;
use crate::vault::{self, Vault};
use crate::verification::{AnyVerifier, VerifiedFirst};

/// Does what is meant.
///
/// # Errors
/// Whatever kept it from being done.
pub fn run(config: Config) -> Result<(), Error> {
    let mut screen = screen(config.events);
    config.cautions.iter().for_each(|caution| screen.notice(Notice::Caution(caution)));
    match config.task {
        Task::Init(kdf) => {
            // Before anybody thinks of a passphrase in vain.
            if let Ok(_) | Err(vault::Error::NotAVault) = config.vault.inspect() {
                return Err(vault::Error::Exists.into());
            }
            config.vault.create(&config.passphrase.choose()?, kdf, &mut OsRng)?;
            if !config.events {
                terminal::say(&format!("the vault is made: {}", config.vault_path.display()));
            }
            Ok(())
        }
        Task::Scan(scan) => {
            let vault = inspected(config.vault, config.vault_path, &mut *screen)?;
            serve(*scan, vault, config.passphrase, config.events)
        }
        Task::Keep(chore) => {
            let vault = inspected(config.vault, config.vault_path, &mut *screen)?;
            keeping::do_chore(chore, Desk { vault, passphrase: config.passphrase, quiet: config.events })
        }
        Task::Backup(args) => {
            let vault = inspected(config.vault, config.vault_path, &mut *screen)?;
            copies::back_up(args, &Desk { vault, passphrase: config.passphrase, quiet: config.events })
        }
        Task::Restore(args) => {
            let desk = Desk { vault: config.vault, passphrase: config.passphrase, quiet: config.events };
            copies::restore(args, &desk)
        }
        Task::Import(args) => {
            let vault = inspected(config.vault, config.vault_path, &mut *screen)?;
            exchange::import(&args, &vault, &config.passphrase)
        }
        Task::Export(args) => {
            let vault = inspected(config.vault, config.vault_path, &mut *screen)?;
            exchange::export(&args, &vault, &config.passphrase)
        }
        Task::Ctap(task) => {
            let opened = match &task.state {
                Some(folder) => {
                    ctap::in_folder(folder, &config.passphrase, task.accept_rollback, &mut *screen)?
                }
                None => {
                    let vault = inspected(config.vault, config.vault_path, &mut *screen)?;
                    ctap::opened(vault, config.passphrase)?
                }
            };
            ctap::serve(task, opened, config.events)
        }
        Task::Completions(shell) => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "cablecar-phone", &mut text);
            write(&String::from_utf8_lossy(&text))
        }
        Task::Doctor(examination, format) => {
            let vault = (&config.vault, config.vault_path.as_path());
            let runtime = runtime()?;
            let report = runtime.block_on(doctor::examine(*examination, vault, &mut OsRng, SystemTime::now));
            end(runtime);
            write(&match format {
                Format::Json => json(&report)?,
                Format::Text => report.to_string(),
            })?;
            match report.findings() {
                0 => Ok(()),
                findings => Err(Error::Findings(findings)),
            }
        }
    }
}

/// What it takes to keep a vault.
struct Desk {
    vault: Vault,
    passphrase: Source,
    /// Programs read along: people are told nothing.
    quiet: bool,
}

impl Desk {
    fn say(&self, line: &str) {
        if !self.quiet {
            terminal::say(line);
        }
    }
}

/// A vault that is there, before anybody is asked for anything.
fn inspected(vault: Vault, path: PathBuf, screen: &mut dyn Screen) -> Result<Vault, Error> {
    let kdf = vault.inspect().map_err(|error| match error {
        vault::Error::NotFound => Error::NoVault(path),
        other => Error::Vault(other),
    })?;
    if kdf.is_weak() {
        screen.notice(Notice::Caution(&Caution::WeakKdf));
    }
    Ok(vault)
}

/// People's surface, or programs'. Each is a way to standard error, and has
/// nothing of its own.
fn screen(events: bool) -> Box<dyn Screen> {
    if events { Box::new(events::Events) } else { Box::new(terminal::Terminal) }
}

fn serve(scan: Scan, vault: Vault, passphrase: Source, events: bool) -> Result<(), Error> {
    let invitation = scan.code.read()?;
    let verifier =
        scan.verify.map(|means| AnyVerifier::new(means, vault.clone(), passphrase.clone(), screen(events)));
    let consent = AnyConsent::new(scan.consent, screen(events), events);
    let consent = VerifiedFirst { verifier, consent };
    let (dialer, passphrases, screen) = (scan.network, FromSource::new(passphrase), screen(events));
    let runtime = runtime()?;
    // Boxed, so that nothing of it is left on the stack above.
    let outcome = runtime.block_on(Box::pin(async {
        // Before a tunnel is opened that nobody could find.
        let advertiser = scan.medium.open().await?;
        let mut phone = Phone { dialer, advertiser, consent, passphrases, screen, vault };
        phone.run(invitation, scan.domain, &mut OsRng, now()).await
    }));
    end(runtime);
    scrub_stack();
    outcome?.verdict()
}

fn runtime() -> Result<Runtime, Error> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|cause| Error::Io { what: "cannot start".into(), cause: cause.to_string() })
}

/// A bus or a resolver that does not answer may hold a thread for long, and
/// nobody waits for it.
fn end(runtime: Runtime) {
    runtime.shutdown_background();
}

fn json(value: &impl Serialize) -> Result<String, Error> {
    let text = serde_json::to_string_pretty(value);
    let text = text.map_err(|cause| Error::Io { what: "JSON".into(), cause: cause.to_string() })?;
    Ok(text + "\n")
}

/// A result.
fn write(text: &str) -> Result<(), Error> {
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(|cause| Error::Io { what: "cannot write the result".into(), cause: cause.to_string() })
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
