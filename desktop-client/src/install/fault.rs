//! Why something was not installed.

use std::path::PathBuf;

use crate::error::Class;

/// What stands in the way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// None of the browsers that we know has been used here.
    #[error("none of the browsers that Cablecar knows has been used by this person")]
    NoBrowser,
    /// `--folder` without one `--browser`.
    #[error("--folder needs exactly one --browser, whose kind of manifest it is")]
    FolderForOne,
    /// There is no home.
    #[error("HOME does not say where this person's folders are")]
    NoHome,
    /// The folders are not this program's to write.
    #[error("on this system manifests are named in a registry, which Cablecar does not write")]
    Platform,
    /// The program that a manifest is to name, or names.
    #[error("{} is no program that a browser could start: {why}", .path.display())]
    Program {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Firefox would take the folder for its old one.
    #[error(
        "its profile is in {}, and Firefox would look for it elsewhere if this folder were made",
        .0.display()
    )]
    ProfileWouldMove(PathBuf),
    /// A manifest of our name that is none of ours.
    #[error("the manifest {0}")]
    Manifest(String),
    /// A folder for the extension that holds something else.
    #[error("{} holds something else than Cablecar's extension", .0.display())]
    ExtensionFolder(PathBuf),
    /// What the system says.
    #[error("{}: {cause}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        cause: String,
    },
}

impl Fault {
    /// Exit class, stable id and remedy.
    pub fn advice(&self) -> (Class, &'static str, &'static str) {
        match self {
            Fault::NoBrowser => (
                Class::Other,
                "install.no-browser",
                "start the browser once, or name it: cablecar install browser --browser firefox",
            ),
            Fault::FolderForOne => (Class::Usage, "usage.arguments", "see cablecar install browser --help"),
            Fault::NoHome => (Class::Usage, "install.no-home", "set HOME, or give --folder"),
            Fault::Platform => (
                Class::Other,
                "install.platform",
                "have the manifest written with --folder, and name it in the registry as the browser's maker says",
            ),
            Fault::Program { .. } => (
                Class::Usage,
                "install.program",
                "put cablecar where it stays, and run cablecar install browser from there, or give --program",
            ),
            Fault::ProfileWouldMove(_) => (
                Class::Other,
                "install.profile-would-move",
                "for all users instead: sudo cablecar install browser --browser firefox --folder /usr/lib/mozilla/native-messaging-hosts",
            ),
            Fault::Manifest(_) => {
                (Class::Other, "install.manifest", "write it anew: cablecar install browser")
            }
            Fault::ExtensionFolder(_) => (
                Class::Usage,
                "install.extension-folder",
                "give a folder that is not there yet, or an empty one",
            ),
            Fault::Io { .. } => (Class::Other, "system.io", "check the path and its permissions"),
        }
    }
}
