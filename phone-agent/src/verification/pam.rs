//! The owner is whoever the system would let in, by PAM.
//!
//! PAM is asked by another program, pamtester, as it is packaged by most
//! systems. So modules of whatever origin run outside the process that holds
//! the passkeys, the password that is typed never comes here, and nothing of
//! libpam is needed to build this.

use std::fs::{File, OpenOptions};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

use super::Fault;

/// /etc/pam.d/cablecar-phone says what is asked, and /etc/pam.d/other where
/// there is no such file.
const SERVICE: &str = "cablecar-phone";
/// A person does not notice.
const LOOK: Duration = Duration::from_millis(20);

/// Whether PAM lets this user in, asked at the terminal.
pub(super) async fn verify() -> Result<bool, Fault> {
    let user = user()?;
    let terminal =
        OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(|_| Fault::NoTerminal)?;
    let side = || terminal.try_clone().map(Stdio::from).map_err(|_| Fault::NoTerminal);
    // As it was before anything was asked.
    let echo = tcgetattr(&terminal).ok();
    // Both as it is at a login: may this person in, and may this account be used.
    let child = Command::new("pamtester")
        .args([SERVICE, &user, "authenticate", "acct_mgmt"])
        .stdin(side()?)
        .stdout(side()?)
        .stderr(side()?)
        .spawn()
        .map_err(|_| Fault::NoPamtester)?;
    let mut asking = Asking { child, echo, terminal };
    loop {
        match asking.child.try_wait() {
            Ok(Some(status)) => return Ok(status.success()),
            Ok(None) => tokio::time::sleep(LOOK).await,
            Err(_) => return Err(Fault::NoPamtester),
        }
    }
}

/// The program that asks, until it has ended.
struct Asking {
    child: Child,
    terminal: File,
    echo: Option<Termios>,
}

impl Drop for Asking {
    /// Ended in the middle of a password, it would leave a terminal that
    /// shows nothing of what is typed.
    fn drop(&mut self) {
        if let Ok(Some(_)) = self.child.try_wait() {
            return;
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(echo) = &self.echo {
            let _ = tcsetattr(&self.terminal, OptionalActions::Flush, echo);
        }
    }
}

/// The name of this user, from wherever the system has its users.
fn user() -> Result<String, Fault> {
    let said = Command::new("id").arg("-un").stderr(Stdio::null()).output().map_err(|_| Fault::NoUser)?;
    let name = String::from_utf8(said.stdout).map_err(|_| Fault::NoUser)?;
    let name = name.trim();
    // A leading dash would be an option.
    if said.status.success() && !name.is_empty() && !name.starts_with('-') {
        Ok(name.to_owned())
    } else {
        Err(Fault::NoUser)
    }
}
