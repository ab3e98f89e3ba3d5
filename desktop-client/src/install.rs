//! `cablecar install browser`: tells browsers where the program is, and takes
//! that back.
//!
//! A browser starts no program that no manifest in a folder of its own names.
//! [`browsers`] knows the folders, [`manifest`] the files. Nothing outside the
//! person's own folders is touched, and everything that was done is said, path
//! by path.

pub mod browsers;
pub mod extension;
pub mod fault;
pub mod manifest;

use std::fmt;
use std::path::{Path, PathBuf};

pub use browsers::Browser;

use browsers::{Engine, Home, Place};
use fault::Fault;
use manifest::{Found, Manifest};

/// What is to be done.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The browsers that were named; none means all that are here.
    pub browsers: Vec<Browser>,
    /// A folder in place of those that are known: for a profile elsewhere, or
    /// for all users.
    pub folder: Option<PathBuf>,
}

/// What was done with one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// It was not there, and is.
    Wrote,
    /// It was as it should be.
    Kept,
    /// It was there and said something else: this.
    Replaced(String),
    /// It is not there any more.
    Removed,
    /// It was not there to be removed.
    Absent,
    /// It is not ours, and stays.
    Left(String),
    /// To write it would do harm, or it cannot be written.
    Refused(Fault),
}

/// One file, and what was done with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Whose it is.
    pub names: String,
    /// Where it is.
    pub path: PathBuf,
    /// What was done.
    pub deed: Deed,
    /// What else this browser needs, which only a person can do.
    pub notes: Vec<String>,
}

/// All files, in the order of the browsers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account(pub Vec<Line>);

impl Account {
    /// The first thing that could not be done.
    pub fn fault(&self) -> Option<&Fault> {
        self.0.iter().find_map(|line| match &line.deed {
            Deed::Refused(fault) => Some(fault),
            _ => None,
        })
    }
}

impl Plan {
    /// Writes the manifests that name this program.
    ///
    /// # Errors
    /// [`Fault`] where nothing can be done at all; what fails for one browser
    /// is its line in the account.
    pub fn install(&self, home: &Home, program: &Path) -> Result<Account, Fault> {
        let program = manifest::program(program)?;
        let places = self.places(home)?;
        if places.is_empty() {
            return Err(Fault::NoBrowser);
        }
        let write = |place: &Place| {
            let manifest = Manifest { engine: place.engine, program: program.clone() };
            let deed = match place.blocked(home) {
                Some(profile) => Deed::Refused(Fault::ProfileWouldMove(profile)),
                None => manifest.write(&place.manifest()).unwrap_or_else(Deed::Refused),
            };
            let notes = if matches!(deed, Deed::Refused(_)) { Vec::new() } else { place.notes(&program) };
            Line { names: place.names(), path: place.manifest(), deed, notes }
        };
        Ok(Account(places.iter().map(write).collect()))
    }

    /// Removes the manifests that are ours.
    ///
    /// # Errors
    /// As [`Plan::install`].
    pub fn remove(&self, home: &Home) -> Result<Account, Fault> {
        let remove = |place: &Place| {
            let path = place.manifest();
            let deed = match manifest::find(&path, place.engine) {
                Found::Nothing => Deed::Absent,
                // A folder that somebody named is theirs.
                Found::Ours(_) => {
                    manifest::remove(&path, self.folder.is_none()).unwrap_or_else(Deed::Refused)
                }
                Found::Other(what) => Deed::Left(what),
            };
            Line { names: place.names(), path, deed, notes: Vec::new() }
        };
        let mut account = Account(self.places(home)?.iter().map(remove).collect());
        if self.browsers.is_empty() {
            account.0.retain(|line| line.deed != Deed::Absent);
        }
        Ok(account)
    }

    fn places(&self, home: &Home) -> Result<Vec<Place>, Fault> {
        match (&self.folder, self.browsers.as_slice()) {
            (None, browsers) => home.places(browsers),
            (Some(folder), [browser]) => Ok(vec![Place::elsewhere(*browser, folder)]),
            (Some(_), _) => Err(Fault::FolderForOne),
        }
    }
}

/// What is wrong with the manifests that are installed, one check each:
/// nothing where none is. For the doctor.
pub fn examine(home: &Home) -> Vec<(PathBuf, Result<String, Fault>)> {
    let places = home.places(&Browser::ALL).unwrap_or_default();
    let check = |place: &Place| {
        let path = place.manifest();
        let found = match manifest::find(&path, place.engine) {
            Found::Nothing => return None,
            Found::Ours(program) => {
                manifest::program(&program).map(|_| format!("{} starts {}", place.names(), program.display()))
            }
            Found::Other(what) => Err(Fault::Manifest(what)),
        };
        Some((path, found))
    };
    places.iter().filter_map(check).collect()
}

/// One line a file, and what is left to do under it.
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Line { names, path, deed, notes } in &self.0 {
            let path = path.display();
            match deed {
                Deed::Wrote => writeln!(f, "wrote     {path}  ({names})")?,
                Deed::Kept => writeln!(f, "kept      {path}  ({names})")?,
                Deed::Replaced(what) => writeln!(f, "replaced  {path}  ({names}), which {what}")?,
                Deed::Removed => writeln!(f, "removed   {path}  ({names})")?,
                Deed::Absent => writeln!(f, "absent    {path}  ({names})")?,
                Deed::Left(what) => writeln!(f, "left      {path}  ({names}), which {what}")?,
                Deed::Refused(fault) => {
                    writeln!(f, "refused   {path}  ({names}): {fault} ({})", fault.advice().1)?;
                }
            }
            for note in notes {
                writeln!(f, "          {note}")?;
            }
        }
        Ok(())
    }
}

impl Engine {
    /// The member of a manifest that says who may start the program, and its
    /// one value.
    fn admits(self) -> (&'static str, String) {
        use crate::doors::browser_host::caller;
        match self {
            Engine::Chromium => ("allowed_origins", caller::chromium_origin()),
            Engine::Gecko => ("allowed_extensions", caller::FIREFOX_ID.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests;
