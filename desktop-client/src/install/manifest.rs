//! The manifest of a native host: a file that names the program, and who may
//! start it.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use super::Deed;
use super::browsers::Engine;
use super::fault::Fault;
use crate::doors::browser_host::caller::HOST_NAME;

/// A manifest is a few hundred bytes; what is longer is none.
const LONGEST: u64 = 1 << 16;

/// A manifest of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Whose form it has.
    pub engine: Engine,
    /// The program that it names.
    pub program: PathBuf,
}

/// What is where a manifest of ours would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// A manifest that lets our extension, and nobody else, start this program.
    Ours(PathBuf),
    /// Something else; what it does, as the rest of a sentence.
    Other(String),
}

/// What is read of a manifest.
#[derive(Deserialize)]
struct Written {
    name: String,
    path: PathBuf,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    allowed_origins: Vec<String>,
    #[serde(default)]
    allowed_extensions: Vec<String>,
}

/// The program in the form in which a manifest names it: with all of its path,
/// and without links, which may lead elsewhere tomorrow.
///
/// # Errors
/// [`Fault::Program`] for what is no program.
pub fn program(path: &Path) -> Result<PathBuf, Fault> {
    let bad = |why: String| Fault::Program { path: path.to_owned(), why };
    let whole = path.canonicalize().map_err(|cause| bad(cause.to_string()))?;
    let about = whole.metadata().map_err(|cause| bad(cause.to_string()))?;
    if !about.is_file() {
        return Err(bad("it is no file".into()));
    }
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o111 == 0 {
        return Err(bad("it may not be run".into()));
    }
    if whole.to_str().is_none() {
        return Err(bad("its path is no text".into()));
    }
    Ok(whole)
}

/// What is at this path.
pub fn find(path: &Path, engine: Engine) -> Found {
    let mut text = String::new();
    let opened = match fs::File::open(path) {
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound && path.symlink_metadata().is_err() => {
            return Found::Nothing;
        }
        opened => opened,
    };
    let read = opened.and_then(|file| file.take(LONGEST).read_to_string(&mut text));
    if let Err(cause) = read {
        return Found::Other(format!("cannot be read: {cause}"));
    }
    let read: Written = match serde_json::from_str(&text) {
        Ok(read) => read,
        Err(cause) => return Found::Other(format!("is no manifest: {cause}")),
    };
    let (theirs, others) = match engine {
        Engine::Chromium => (read.allowed_origins, read.allowed_extensions),
        Engine::Gecko => (read.allowed_extensions, read.allowed_origins),
    };
    let (_, ours) = engine.admits();
    if read.name != HOST_NAME || read.kind != "stdio" {
        return Found::Other(format!("is of {:?}, which is not Cablecar", read.name));
    }
    if theirs != [ours] || !others.is_empty() {
        return Found::Other("admits other extensions than Cablecar's".into());
    }
    Found::Ours(read.path)
}

/// Removes a manifest, and the folders that were made for it alone.
pub(super) fn remove(path: &Path, folders_too: bool) -> Result<Deed, Fault> {
    fs::remove_file(path).map_err(|cause| Fault::Io { path: path.to_owned(), cause: cause.to_string() })?;
    // The folder of manifests and that of the browser; neither goes unless it
    // is empty.
    for folder in path.ancestors().skip(1).take(if folders_too { 2 } else { 0 }) {
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
    Ok(Deed::Removed)
}

impl Manifest {
    fn text(&self) -> String {
        let (member, admitted) = self.engine.admits();
        let mut manifest = json!({
            "name": HOST_NAME,
            "description": "Cablecar: passkeys from the phone",
            "path": self.program.to_string_lossy(),
            "type": "stdio",
        });
        if let Some(members) = manifest.as_object_mut() {
            members.insert(member.to_owned(), Value::from(vec![admitted]));
        }
        format!("{manifest:#}\n")
    }

    /// Puts it at this path, whole or not at all.
    pub(super) fn write(&self, path: &Path) -> Result<Deed, Fault> {
        let failed = |path: &Path, cause: std::io::Error| Fault::Io {
            path: path.to_owned(),
            cause: cause.to_string(),
        };
        let text = self.text();
        let deed = match find(path, self.engine) {
            Found::Nothing => Deed::Wrote,
            Found::Ours(_) if fs::read_to_string(path).is_ok_and(|there| there == text) => {
                return Ok(Deed::Kept);
            }
            Found::Ours(program) if program != self.program => {
                Deed::Replaced(format!("named {}", program.display()))
            }
            Found::Ours(_) => Deed::Replaced("said the same in other words".into()),
            Found::Other(what) => Deed::Replaced(what),
        };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|cause| failed(folder, cause))?;
        }
        let beside = path.with_extension("json.new");
        // Made anew, so that no link that is there is followed.
        let _ = fs::remove_file(&beside);
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&beside)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&beside, path));
        written.map_err(|cause| {
            let _ = fs::remove_file(&beside);
            failed(path, cause)
        })?;
        Ok(deed)
    }
}
