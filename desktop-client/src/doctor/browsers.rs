//! Whether the browsers that were told of this program would find it.

use super::{Check, Outcome, Subject};
use crate::error::Error;
use crate::install::browsers::Home;
use crate::install::examine;

/// A check for each manifest that is installed.
pub(super) fn check() -> Vec<Check> {
    let Ok(home) = Home::of_environment() else { return Vec::new() };
    let check = |(path, found): (std::path::PathBuf, Result<String, _>)| Check {
        subject: Subject::Browser,
        target: path.display().to_string(),
        outcome: match found {
            Ok(detail) => Outcome::Ok(detail),
            Err(fault) => Outcome::from(&Error::from(fault)),
        },
    };
    examine(&home).into_iter().map(check).collect()
}
