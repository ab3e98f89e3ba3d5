//! Whether `ssh` and the provider for it fit each other. Who has no provider
//! hears nothing of it.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Check, Outcome, Subject};

/// What the provider's file is called.
const LIBRARY: &str = "libcablecar_ssh.so";

/// The first OpenSSH whose security-key interface has the version 0x000a, the
/// provider's; it has had it ever since.
const FIRST: (u32, u32) = (9, 1);

/// Looks at `SSH_SK_PROVIDER`, else where agents load providers from.
pub(super) fn check() -> Option<Check> {
    let named = std::env::var_os("SSH_SK_PROVIDER").map(PathBuf::from).filter(|path| is_ours(path));
    let provider = named.or_else(installed)?;
    let outcome = if provider.exists() { judge(said().as_deref()) } else { missing(&provider) };
    Some(Check { subject: Subject::Ssh, target: provider.display().to_string(), outcome })
}

/// Others make providers too.
fn is_ours(provider: &Path) -> bool {
    provider
        .file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| name.starts_with("libcablecar_ssh"))
}

fn installed() -> Option<PathBuf> {
    let home = std::env::var_os("HOME").map(|home| Path::new(&home).join(".local/lib"));
    let folders = ["/usr/local/lib", "/usr/lib"].into_iter().map(PathBuf::from).chain(home);
    folders.map(|folder| folder.join(LIBRARY)).find(|file| file.exists())
}

/// What `ssh -V` says, on standard error; nothing if there is no `ssh`.
fn said() -> Option<String> {
    let output = Command::new("ssh").arg("-V").output().ok()?;
    Some(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

fn missing(provider: &Path) -> Outcome {
    Outcome::Finding {
        detail: format!("SSH_SK_PROVIDER names {}, which is not there", provider.display()),
        id: "ssh.provider",
        remedy: "put the library there, or have SSH_SK_PROVIDER name where it is",
    }
}

fn judge(said: Option<&str>) -> Outcome {
    let Some(said) = said else { return Outcome::Skipped("there is no ssh here".into()) };
    match version(said) {
        None => Outcome::Skipped(format!("{said:?} is not OpenSSH")),
        Some(found) if found < FIRST => Outcome::Finding {
            detail: format!("{said} speaks an older version of the interface for security keys"),
            id: "ssh.too-old",
            remedy: "use OpenSSH 9.1 or later",
        },
        Some(_) => Outcome::Ok(said.to_owned()),
    }
}

/// `OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL …`
fn version(said: &str) -> Option<(u32, u32)> {
    let (major, rest) = said.strip_prefix("OpenSSH_")?.split_once('.')?;
    let minor: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openssh_says_its_version_in_its_way() {
        assert_eq!(version("OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19 27 Jan 2026"), Some((9, 2)));
        assert_eq!(version("OpenSSH_10.0p2, LibreSSL 4.1.0"), Some((10, 0)));
        assert_eq!(version("OpenSSH_for_Windows_9.5p1, LibreSSL 3.8.2"), None);
        assert_eq!(version("Dropbear v2022.83"), None);
    }

    #[test]
    fn an_ssh_that_is_too_old_is_found() {
        let id = |said| match judge(said) {
            Outcome::Ok(_) => "ok",
            Outcome::Skipped(_) => "skipped",
            Outcome::Finding { id, .. } => id,
        };
        assert_eq!(id(Some("OpenSSH_9.1p1")), "ok");
        assert_eq!(id(Some("OpenSSH_10.0p2")), "ok");
        assert_eq!(id(Some("OpenSSH_9.0p1")), "ssh.too-old");
        assert_eq!(id(Some("OpenSSH_8.4p1")), "ssh.too-old");
        assert_eq!(id(Some("Dropbear v2022.83")), "skipped");
        assert_eq!(id(None), "skipped");
    }

    #[test]
    fn only_our_own_library_is_looked_at() {
        assert!(is_ours(Path::new("/usr/local/lib/libcablecar_ssh.so")));
        assert!(!is_ours(Path::new("internal")));
        assert!(!is_ours(Path::new("/usr/lib/libother.so")));
    }
}
