//! The layers laid over each other, and where each value came from.

use std::path::PathBuf;

use super::value::quoted;
use super::{Row, Settings, file, rows};
use crate::error::Error;

/// Where a value came from, the weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// Nobody said anything.
    Default,
    /// The file, in this line.
    File {
        /// From 1.
        line: usize,
    },
    /// A variable.
    Environment,
    /// Typed.
    Flag,
}

/// One setting as somebody gave it.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    /// Which, in [`rows`].
    pub(crate) row: usize,
    /// Its value, or values.
    pub(crate) words: Vec<String>,
    /// By whom.
    pub(crate) origin: Origin,
}

/// Settings, and where each came from.
#[derive(Debug, Clone)]
pub(crate) struct Layers {
    pub(crate) settings: Settings,
    /// In the order of [`rows`].
    pub(crate) origins: Vec<Origin>,
    pub(crate) file: Option<PathBuf>,
}

impl Layers {
    /// The defaults, and over them all that was given, in order of strength.
    /// A list replaces a weaker one, and does not add to it.
    ///
    /// # Errors
    /// [`Error::Value`], with the place of the wrong one.
    pub(crate) fn of(mut given: Vec<Given>, file: Option<PathBuf>) -> Result<Self, Error> {
        let origins = vec![Origin::Default; rows().len()];
        let mut layers = Self { settings: Settings::default(), origins, file };
        given.sort_by_key(|given| match given.origin {
            Origin::File { .. } => Origin::File { line: 0 },
            other => other,
        });
        for Given { row: index, words, origin } in given {
            let Some(row) = rows().get(index) else { continue };
            let set = layers.settings.set(row, &words);
            set.map_err(|problem| {
                let problem = format!("cannot be {}: {problem}", quoted(&words.join(",")));
                Error::Value { place: layers.place(row, origin), problem }
            })?;
            if let Some(known) = layers.origins.get_mut(index) {
                *known = origin;
            }
        }
        Ok(layers)
    }

    /// The defaults, and over them what this file says.
    ///
    /// # Errors
    /// Of the file, and of [`Layers::of`].
    pub(crate) fn of_file(path: PathBuf) -> Result<Self, Error> {
        Self::of(file::read(&path)?, Some(path))
    }

    /// Where somebody looks who wants to change this value.
    pub(crate) fn place(&self, row: &Row, origin: Origin) -> String {
        match origin {
            Origin::Default | Origin::Flag => format!("--{}", row.flag),
            Origin::Environment => row.variable.clone(),
            Origin::File { line } => {
                let file = self.file.as_deref().unwrap_or_else(|| "".as_ref()).display();
                format!("{file}:{line}: {}", row.path())
            }
        }
    }

    /// The same error, with the place that the flag's value came from.
    pub(crate) fn locate(&self, error: Error) -> Error {
        let Error::Setting { setting, problem } = error else { return error };
        let flag = setting.trim_start_matches('-');
        match rows().iter().zip(&self.origins).find(|(row, _)| row.flag == flag) {
            Some((row, origin)) => {
                Error::Value { place: self.place(row, *origin), problem: problem.to_owned() }
            }
            None => Error::Setting { setting, problem },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(flag: &str, word: &str, origin: Origin) -> Given {
        let row = rows().iter().position(|row| row.flag == flag).unwrap();
        Given { row, words: vec![word.into()], origin }
    }

    #[test]
    fn the_strongest_layer_wins_in_whatever_order_they_come() {
        let layers = [Origin::Flag, Origin::Environment, Origin::File { line: 3 }];
        for turn in 0..3 {
            let mut all: Vec<_> = layers
                .iter()
                .zip(["1", "2", "3"])
                .map(|(origin, word)| given("held", word, *origin))
                .collect();
            all.rotate_left(turn);
            for expected in 1..=3 {
                let held = Layers::of(all.clone(), None).unwrap().settings.limits.held;
                assert_eq!(held.0, expected);
                let strongest = all.iter().enumerate().max_by_key(|(_, given)| given.origin).unwrap().0;
                all.remove(strongest);
            }
            assert_eq!(Layers::of(all, None).unwrap().settings.limits.held, crate::defaults::HELD.into());
        }
    }

    #[test]
    fn a_wrong_value_is_named_by_its_place() {
        let place = |origin| {
            let layers = Layers::of(vec![given("max-head", "1", origin)], Some("relay.toml".into())).unwrap();
            layers.locate(Error::Setting { setting: "--max-head", problem: "is wrong" }).to_string()
        };
        assert_eq!(place(Origin::Flag), "--max-head is wrong");
        assert_eq!(place(Origin::Environment), "CABLECAR_RELAY_MAX_HEAD is wrong");
        assert_eq!(place(Origin::File { line: 7 }), "relay.toml:7: limits.max-head is wrong");
    }
}
