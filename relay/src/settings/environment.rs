//! The layer of the environment.

use std::ffi::OsString;

use super::layers::{Given, Origin};
use super::{nearest, rows};
use crate::error::Error;
use crate::warning::Warning;

/// What the names of all variables begin with.
pub(crate) const PREFIX: &str = "CABLECAR_RELAY_";

/// Names the file.
pub(crate) const CONFIG: &str = "CABLECAR_RELAY_CONFIG";

/// What the environment says.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) given: Vec<Given>,
    /// The file to read.
    pub(crate) config: Option<OsString>,
    /// Variables that look like ours and are none.
    pub(crate) warnings: Vec<Warning>,
}

/// Reads these variables. An empty one is as good as none.
///
/// # Errors
/// [`Error::Value`] for one that is no text.
pub(crate) fn read(variables: impl Iterator<Item = (OsString, OsString)>) -> Result<Said, Error> {
    let mut said = Said::default();
    for (name, value) in variables {
        let name = name.to_string_lossy();
        if !name.starts_with(PREFIX) || value.is_empty() {
            continue;
        }
        if name == CONFIG {
            said.config = Some(value);
            continue;
        }
        let Some(row) = rows().iter().position(|row| row.variable == name) else {
            let known = rows().iter().map(|row| row.variable.as_str()).chain([CONFIG]);
            let nearest = nearest(&name, known);
            said.warnings.push(Warning::UnknownVariable { name: name.into_owned(), nearest });
            continue;
        };
        let problem = |_| Error::Value { place: name.into_owned(), problem: "is not UTF-8".into() };
        let value = value.into_string().map_err(problem)?;
        let many = rows().get(row).is_some_and(|row| row.many);
        let words = if many { value.split(',').map(str::to_owned).collect() } else { vec![value] };
        said.given.push(Given { row, words, origin: Origin::Environment });
    }
    Ok(said)
}
