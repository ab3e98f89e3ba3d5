//! What is meant by what was typed.

use std::path::PathBuf;

use etcetera::BaseStrategy;

use crate::cli::ctap::CtapArgs;
use crate::cli::exchange::{ExportArgs, ImportArgs};
use crate::cli::vault::{BackupArgs, ChangePassphraseArgs, PassphraseCommand, PinCommand, RestoreArgs};
use crate::cli::{Cli, Command, DoctorArgs, Events, Format, NetworkArgs, RadioArgs, ScanArgs, VaultArgs};
use crate::consent::Way;
use crate::doctor::Examination;
use crate::error::Error;
use crate::passphrase::Source;
use crate::program::keeping::Chore;
use crate::program::pin::Errand;
use crate::proximity::Medium;
use crate::proximity::air::Air;
use crate::scan;
use crate::screen::Caution;
use crate::tunnel::Network;
use crate::tunnel::proxy::Proxies;
use crate::tunnel::token::RelayToken;
use crate::vault::{Kdf, Vault};
use crate::verification::Means;

/// A run of the program, every argument checked.
#[derive(Debug)]
pub struct Config {
    /// What to do.
    pub task: Task,
    /// The vault.
    pub vault: Vault,
    /// Where it is, for people.
    pub vault_path: PathBuf,
    /// Where its passphrase comes from.
    pub passphrase: Source,
    /// Whether programs read along.
    pub events: bool,
    /// What people should know before anything else.
    pub cautions: Vec<Caution>,
}

/// What to do.
#[derive(Debug)]
pub enum Task {
    /// Make a vault.
    Init(Kdf),
    /// Serve a computer.
    Scan(Box<Scan>),
    /// Serve programs of this computer.
    Ctap(Ctap),
    /// Look at the vault, or change something in it.
    Keep(Chore),
    /// Write a backup.
    Backup(BackupArgs),
    /// Bring one back.
    Restore(RestoreArgs),
    /// Bring passkeys in.
    Import(ImportArgs),
    /// Take passkeys out.
    Export(ExportArgs),
    /// Look for what is wrong.
    Doctor(Box<Examination>, Format),
    /// Print what this shell completes.
    Completions(clap_complete::Shell),
}

/// How to serve a computer.
#[derive(Debug)]
pub struct Scan {
    /// Where its code is.
    pub code: scan::Source,
    /// Where to meet.
    pub domain: cablecar_protocol::tunnel::TunnelServiceDomain,
    /// How to get there.
    pub network: Network,
    /// By what to be heard.
    pub medium: Medium,
    /// How the person is asked.
    pub consent: Way,
    /// How the person is verified, beside the passphrase.
    pub verify: Option<Means>,
}

/// How to serve programs of this computer.
#[derive(Debug)]
pub struct Ctap {
    /// Where to listen; standard input and output if nowhere.
    pub listen: Option<PathBuf>,
    /// The folder that is the authenticator; the vault if none.
    pub state: Option<PathBuf>,
    /// How the person is asked.
    pub consent: Way,
    /// How the person is verified, where the owner wants it: the built-in
    /// user verification.
    pub verify: Option<Means>,
    /// Whether an older copy of the vault is taken.
    pub accept_rollback: bool,
}

impl Config {
    /// Checks what was typed.
    ///
    /// # Errors
    /// [`Error::Usage`], and [`Error::Io`] where there is no home folder.
    pub fn of(cli: Cli) -> Result<Self, Error> {
        let events = cli.events == Some(Events::Json);
        let mut cautions = Vec::new();
        if cli.vault.accept_rollback {
            cautions.push(Caution::RollbackAccepted);
        }
        let task = match cli.command {
            Command::Init(args) if args.danger_weak_kdf => {
                cautions.push(Caution::WeakKdf);
                Task::Init(Kdf::DANGER_WEAK)
            }
            Command::Init(_) => Task::Init(Kdf::STANDARD),
            Command::Scan(args) => Task::Scan(Box::new(scan_of(*args, &mut cautions)?)),
            Command::Ctap(args) => Task::Ctap(ctap_of(args, cli.vault.accept_rollback, &mut cautions)?),
            Command::List(args) => Task::Keep(Chore::List(args.format)),
            Command::Show(args) => Task::Keep(Chore::Show(args)),
            Command::Rename(args) => Task::Keep(Chore::Rename(args)),
            Command::Remove(args) => Task::Keep(Chore::Remove(args)),
            Command::Passphrase(args) => {
                let PassphraseCommand::Change(args) = args.command;
                Task::Keep(change_passphrase_of(args, &mut cautions))
            }
            Command::Pin(args) => Task::Keep(Chore::Pin(match args.command {
                PinCommand::Set(args) => Errand::Set(args.pin_file),
                PinCommand::Change(args) => Errand::Change(args.pin_file),
                PinCommand::Remove => Errand::Remove,
                PinCommand::Status(args) => Errand::Status(args.format),
            })),
            Command::Policy(args) => Task::Keep(Chore::Policy(args.policy, args.format)),
            Command::Backup(args) => Task::Backup(args),
            Command::Restore(args) => Task::Restore(args),
            Command::Import(args) => Task::Import(args),
            Command::Export(args) => {
                if !args.to.is_sealed() {
                    cautions.push(Caution::PlainExport);
                }
                Task::Export(args)
            }
            Command::Doctor(args) => {
                let format = args.format;
                Task::Doctor(Box::new(doctor_of(*args, &mut cautions)?), format)
            }
            Command::Completions(args) => Task::Completions(args.shell),
        };
        let passphrase = match &cli.vault.passphrase_file {
            Some(file) => Source::File(file.clone()),
            None => Source::Terminal,
        };
        let (vault, vault_path) = vault_of(cli.vault)?;
        Ok(Self { task, vault, vault_path, passphrase, events, cautions })
    }
}

fn change_passphrase_of(args: ChangePassphraseArgs, cautions: &mut Vec<Caution>) -> Chore {
    let source = args.new_passphrase_file.map_or(Source::Terminal, Source::File);
    if args.danger_weak_kdf {
        cautions.push(Caution::WeakKdf);
        return Chore::ChangePassphrase(source, Kdf::DANGER_WEAK);
    }
    Chore::ChangePassphrase(source, Kdf::STANDARD)
}

fn scan_of(args: ScanArgs, cautions: &mut Vec<Caution>) -> Result<Scan, Error> {
    let code = code_of(args.code, args.camera, args.accept_link)?;
    if args.accept_link {
        cautions.push(Caution::LinkAccepted);
    }
    let (medium, consent) = (medium_of(args.radio, cautions)?, args.consent.way(cautions)?);
    // The passphrase is asked for anyway.
    let verify = args.consent.means()?.filter(|means| *means != Means::Passphrase);
    let network = network_of(args.network, cautions)?;
    Ok(Scan { code, domain: args.domain_id, network, medium, consent, verify })
}

fn ctap_of(args: CtapArgs, accept_rollback: bool, cautions: &mut Vec<Caution>) -> Result<Ctap, Error> {
    let (consent, verify) = (args.consent.way(cautions)?, args.consent.means()?);
    Ok(Ctap { listen: args.listen, state: args.state, consent, verify, accept_rollback })
}

fn code_of(
    code: Option<String>,
    camera: Option<Option<PathBuf>>,
    accept_link: bool,
) -> Result<scan::Source, Error> {
    match (code.map(scan::Source::of_argument), camera) {
        (Some(scan::Source::Text(_)), _) if !accept_link => Err(Error::HandedOver),
        (Some(source), _) => Ok(source),
        (None, Some(device)) => Ok(scan::Source::Camera(device)),
        (None, None) => Err(Error::Usage("there is no code to scan".into())),
    }
}

fn doctor_of(args: DoctorArgs, cautions: &mut Vec<Caution>) -> Result<Examination, Error> {
    // Only one relay answers to --danger-relay.
    let relays = if args.network.danger_relay.is_some() { 1 } else { usize::MAX };
    Ok(Examination {
        medium: medium_of(args.radio, cautions)?,
        domains: args.domain_id.into_iter().take(relays).collect(),
        network: network_of(args.network, cautions)?,
    })
}

fn medium_of(args: RadioArgs, cautions: &mut Vec<Caution>) -> Result<Medium, Error> {
    let Some(address) = args.danger_air else { return Ok(Medium::Bluetooth(args.adapter)) };
    cautions.push(Caution::NoProximity);
    Air::to(address).map(Medium::Air)
}

fn network_of(args: NetworkArgs, cautions: &mut Vec<Caution>) -> Result<Network, Error> {
    if args.danger_relay.is_some() {
        cautions.push(Caution::OtherRelay);
    }
    let network = Network::new(args.ca_file.as_deref(), args.connect_to, args.danger_relay)?;
    let token = args.relay_token_file.as_deref().map(RelayToken::from_file).transpose()?;
    Ok(network.through(Proxies::of_environment()).with_token(token))
}

fn vault_of(args: VaultArgs) -> Result<(Vault, PathBuf), Error> {
    let folders = etcetera::choose_base_strategy();
    // Without a home the anchor is missing, which is no error.
    let state: Option<PathBuf> =
        folders.as_ref().ok().map(|folders| folders.state_dir().unwrap_or_else(|| folders.data_dir()));
    let path = match (args.vault, folders) {
        (Some(path), _) => path,
        (None, Ok(folders)) => folders.data_dir().join("cablecar").join("vault"),
        (None, Err(cause)) => {
            let what = "there is no data folder for the vault".into();
            return Err(Error::Io { what, cause: cause.to_string() });
        }
    };
    let vault = Vault::in_file(path.clone(), state.map(|folder| folder.join("cablecar")));
    Ok((vault.accept_rollback(args.accept_rollback), path))
}
