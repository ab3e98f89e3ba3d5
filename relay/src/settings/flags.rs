//! The layer of what is typed: a flag for every setting.

use std::path::PathBuf;

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use super::layers::{Given, Layers, Origin};
use super::{Row, Settings, environment, file, rows};
use crate::error::Error;

/// The flags of a command that knows all settings.
#[derive(Debug, Clone)]
pub(crate) struct Flags {
    config: Option<PathBuf>,
    given: Vec<Given>,
}

const CONFIG: &str = "config";

impl Flags {
    /// These flags over the environment over the file over the defaults.
    ///
    /// # Errors
    /// Of each of the layers.
    pub(crate) fn over(self, said: environment::Said) -> Result<Layers, Error> {
        let path = self.config.or_else(|| said.config.map(PathBuf::from));
        let mut given = path.as_deref().map(file::read).transpose()?.unwrap_or_default();
        given.extend(said.given);
        given.extend(self.given);
        Layers::of(given, path)
    }
}

impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        let config = Arg::new(CONFIG).long(CONFIG).value_name("FILE").value_parser(ValueParser::path_buf());
        let config = config.help(
            "Settings in TOML form; a flag or a variable (CABLECAR_RELAY_ and the flag in capitals) outranks it",
        );
        let defaults = Settings::default().shown();
        let all = rows().iter().zip(defaults).map(|(row, default)| row.arg(default));
        command.arg(config).args(all.collect::<Vec<_>>())
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut given = Vec::new();
        for (index, row) in rows().iter().enumerate() {
            if let Some(words) = matches.get_many::<String>(&row.flag) {
                given.push(Given { row: index, words: words.cloned().collect(), origin: Origin::Flag });
            }
        }
        Ok(Self { config: matches.get_one(CONFIG).cloned(), given })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Row {
    fn arg(&'static self, default: Option<String>) -> Arg {
        let check = self.check;
        let default = default.filter(|_| !self.many && !self.switch);
        let default = default.map(|value| format!(" [default: {}]", value.trim_matches('"')));
        let arg = Arg::new(self.flag.as_str())
            .long(self.flag.as_str())
            .value_name(self.word)
            .help_heading(self.heading)
            .help(format!("{}{}", self.help, default.unwrap_or_default()))
            .value_parser(move |word: &str| check(word).map(|()| word.to_owned()));
        match (self.many, self.switch) {
            (true, _) => arg.action(ArgAction::Append).value_delimiter(','),
            (_, true) => arg.num_args(0..=1).require_equals(true).default_missing_value("true"),
            _ => arg,
        }
    }
}
