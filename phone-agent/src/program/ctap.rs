//! `ctap`: the authenticator for programs of this computer.

use std::future::Future;
use std::path::Path;
use std::time::Instant;

use rand_core::OsRng;

use super::{end, now, runtime, screen};
use crate::config::Ctap;
use crate::consent::AnyConsent;
use crate::ctap2::{Device, Moment};
use crate::error::Error;
use crate::passphrase::Source;
use crate::pipe::engine::Engine;
#[cfg(unix)]
use crate::pipe::socket::Socket;
use crate::pipe::state_folder::{self, Opened};
use crate::pipe::{Authenticator, stdio};
#[cfg(unix)]
use crate::screen::terminal;
use crate::screen::{Caution, Notice, Screen};
use crate::vault::Vault;
use crate::verification::AnyVerifier;

/// The vault of a state folder, opened.
pub(super) fn in_folder(
    folder: &Path,
    passphrase: &Source,
    accept_rollback: bool,
    screen: &mut dyn Screen,
) -> Result<Opened, Error> {
    let opened = state_folder::open(folder, passphrase, accept_rollback, &mut OsRng)?;
    if opened.key_beside {
        screen.notice(Notice::Caution(&Caution::KeyBeside));
    }
    if opened.is_weak {
        screen.notice(Notice::Caution(&Caution::WeakKdf));
    }
    Ok(opened)
}

/// The person's own vault, opened.
pub(super) fn opened(vault: Vault, source: Source) -> Result<Opened, Error> {
    let unlocked = vault.unlock(&source.read(0)?)?;
    Ok(Opened { unlocked, vault, source, key_beside: false, is_weak: false })
}

/// Serves until the input or the program is ended.
pub(super) fn serve(task: Ctap, opened: Opened, events: bool) -> Result<(), Error> {
    let Opened { unlocked, vault, source, .. } = opened;
    let device = Device::new(unlocked, task.verify.is_some(), &mut OsRng)?;
    // An authenticator has power once it can answer: whoever typed the
    // passphrase slowly has the time for a reset all the same.
    let power_up = Instant::now();
    let mut authenticator = Authenticator {
        engine: Engine::new(device, OsRng),
        consent: AnyConsent::new(task.consent, screen(events), events),
        verifier: task.verify.map(|means| AnyVerifier::new(means, vault, source, screen(events))),
        screen: screen(events),
        now: || Moment { since_power_up: power_up.elapsed(), epoch: now() },
    };
    let runtime = runtime()?;
    let outcome = runtime.block_on(async {
        let stop = stopped()?;
        match task.listen {
            None => {
                let failed = |cause: std::io::Error| Error::PipeBroke(cause.to_string());
                let (mut input, mut output) = stdio::open().map_err(failed)?;
                tokio::select! {
                    biased;
                    () = stop => Ok(()),
                    served = authenticator.serve(&mut input, &mut output) => served,
                }
            }
            #[cfg(not(unix))]
            Some(_) => Err(Error::Usage("there are no unix sockets here: give --stdio".into())),
            #[cfg(unix)]
            Some(path) => {
                let socket = Socket::listen(&path)?;
                if !events {
                    terminal::say(&format!("listening at {}", path.display()));
                }
                tokio::select! {
                    biased;
                    () = stop => Ok(()),
                    failed = socket.serve(&mut authenticator) => failed,
                }
            }
        }
    });
    end(runtime);
    outcome
}

/// Ends when somebody ends the program: SIGTERM, or SIGINT.
fn stopped() -> Result<impl Future<Output = ()>, Error> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let failed = |cause: std::io::Error| Error::Io {
            what: "cannot listen for signals".into(),
            cause: cause.to_string(),
        };
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
