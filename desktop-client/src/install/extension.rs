//! The browser extension, which lies within the program: one file is all that
//! has to be brought to another computer.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::fault::Fault;
use crate::doors::browser_host::caller::FIREFOX_ID;

/// Its files: path within the extension, and content.
pub const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/extension.rs"));

/// Writes the extension into a folder, for a browser to load it from. One that
/// is there already, in whatever version, is brought to this one.
///
/// # Errors
/// [`Fault::ExtensionFolder`] for a folder that holds something else.
pub fn unpack(folder: &Path) -> Result<usize, Fault> {
    let failed =
        |path: &Path, cause: std::io::Error| Fault::Io { path: path.to_owned(), cause: cause.to_string() };
    let is_empty = fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
    if folder.exists() && !(folder.is_dir() && (is_empty || is_ours(folder))) {
        return Err(Fault::ExtensionFolder(folder.to_owned()));
    }
    for (name, content) in FILES {
        let path: PathBuf = folder.join(name);
        if let Some(above) = path.parent() {
            fs::create_dir_all(above).map_err(|cause| failed(above, cause))?;
        }
        fs::write(&path, content).map_err(|cause| failed(&path, cause))?;
    }
    Ok(FILES.len())
}

fn is_ours(folder: &Path) -> bool {
    let manifest = fs::read(folder.join("manifest.json")).unwrap_or_default();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap_or_default();
    manifest.pointer("/browser_specific_settings/gecko/id").and_then(Value::as_str) == Some(FIREFOX_ID)
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::doors::browser_host::caller::CHROMIUM_ID;

    fn manifest() -> Value {
        let (_, manifest) = FILES.iter().find(|(name, _)| *name == "manifest.json").unwrap();
        serde_json::from_slice(manifest).unwrap()
    }

    #[test]
    fn the_ids_are_those_that_the_manifest_gives() {
        use base64ct::{Base64, Encoding};
        let key = Base64::decode_vec(manifest()["key"].as_str().unwrap()).unwrap();
        // Chromium's ids: the first half of the hash, with letters for digits.
        let id: String = Sha256::digest(key)[..16]
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .map(|digit| char::from(b'a' + digit))
            .collect();
        assert_eq!(id, CHROMIUM_ID);
        assert_eq!(manifest()["browser_specific_settings"]["gecko"]["id"], FIREFOX_ID);
        assert_eq!(manifest()["version"], env!("CARGO_PKG_VERSION"));
    }

    #[test]
    fn what_the_program_carries_is_the_extension_and_whole() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("extension");
        for (name, content) in FILES {
            assert_eq!(&fs::read(folder.join(name)).unwrap(), content, "{name}");
        }
        assert!(FILES.len() > 10, "only {} files", FILES.len());
        let size: usize = FILES.iter().map(|(_, content)| content.len()).sum();
        assert!(size < 200_000, "{size} bytes in a program that is to be carried along");
    }

    #[test]
    fn it_is_unpacked_over_nothing_but_itself() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("some/where");
        for _ in 0..2 {
            assert_eq!(unpack(&folder), Ok(FILES.len()));
        }
        let (name, content) = FILES.iter().find(|(name, _)| name.contains('/')).unwrap();
        fs::write(folder.join(name), "old").unwrap();
        unpack(&folder).unwrap();
        assert_eq!(&fs::read(folder.join(name)).unwrap(), content);

        let precious = home.path().join("precious");
        fs::create_dir(&precious).unwrap();
        assert!(unpack(&precious).is_ok(), "an empty folder is good");
        for manifest in ["", "{}", r#"{"browser_specific_settings": {"gecko": {"id": "a@example.com"}}}"#] {
            fs::write(precious.join("manifest.json"), manifest).unwrap();
            assert_eq!(unpack(&precious), Err(Fault::ExtensionFolder(precious.clone())));
            assert_eq!(fs::read_to_string(precious.join("manifest.json")).unwrap(), manifest);
        }
        let file = home.path().join("file");
        fs::write(&file, "").unwrap();
        assert_eq!(unpack(&file), Err(Fault::ExtensionFolder(file)));
    }
}
