//! Settings in layers: what was typed, the environment, a file, and the
//! defaults, each over the next.
//!
//! Each table of the file is one `table!` in one file below. A line there is
//! a key of the file, a flag, a variable, a line of `--help`, of `config
//! print` and of `docs/relay-settings.md`; what it does is said once more,
//! where the table becomes a part of [`Config`](crate::Config).

use std::sync::LazyLock;

pub(crate) mod environment;
pub(crate) mod file;
pub(crate) mod flags;
pub(crate) mod layers;
mod meaning;
#[cfg(test)]
mod page;
pub(crate) mod print;
mod reasons;
pub(crate) mod value;

mod access;
mod acme;
mod admin;
mod limits;
mod log;
mod proxy;
mod serving;
mod tls;

use value::Value;

/// One setting, whatever its value.
#[derive(Debug)]
pub(crate) struct Row {
    /// The table that it stands in; empty for the top of the file.
    pub(crate) table: &'static str,
    /// The heading in `--help`.
    pub(crate) heading: &'static str,
    /// Its name in that table.
    pub(crate) key: String,
    /// What is typed, without the dashes.
    pub(crate) flag: String,
    /// The variable of the environment.
    pub(crate) variable: String,
    /// What stands for the value in `--help`.
    pub(crate) word: &'static str,
    /// What it is, in one sentence.
    pub(crate) help: &'static str,
    /// The constant in `defaults.rs` that is the default.
    pub(crate) constant: Option<&'static str>,
    /// Whether it may have several values.
    pub(crate) many: bool,
    /// Whether the flag needs no value.
    pub(crate) switch: bool,
    /// Whether this can be one of its values.
    pub(crate) check: fn(&str) -> Result<(), String>,
}

impl Row {
    fn new<T: Value>(
        (table, heading): (&'static str, &'static str),
        field: &str,
        word: &'static str,
        help: &'static str,
        constant: Option<&'static str>,
    ) -> Self {
        let key = field.replace('_', "-");
        let flag = match table {
            "" | "limits" => key.clone(),
            table => format!("{table}-{key}"),
        };
        let variable = format!("{}{}", environment::PREFIX, flag.replace('-', "_").to_uppercase());
        let (many, switch, check) = (T::MANY, T::SWITCH, T::check);
        Self { table, heading, key, flag, variable, word, help: help.trim(), constant, many, switch, check }
    }

    /// How it is called in the file, from the top.
    pub(crate) fn path(&self) -> String {
        match self.table {
            "" => self.key.clone(),
            table => format!("{table}.{}", self.key),
        }
    }
}

/// A table of the file. Written by `table!`.
trait Table {
    fn rows() -> Vec<Row>;
    fn set(&mut self, key: &str, words: &[String]) -> Result<(), String>;
    fn shown(&self) -> Vec<Option<String>>;
}

/// A table: its type, its name in the file, its heading in `--help`; then a
/// line for each key with its help, its placeholder, its type, and the
/// constant in `defaults.rs` that it has if nobody says anything.
macro_rules! table {
    ($(#[$about:meta])* $name:ident $table:literal $heading:literal {
        $( $(#[doc = $help:literal])+ $field:ident $word:literal: $type:ty $(= $constant:ident)?; )+
    }) => {
        $(#[$about])*
        #[derive(Debug, Clone)]
        pub(crate) struct $name { $( pub(crate) $field: $type, )+ }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $field: $crate::settings::or_default!($type $(, $constant)?), )+ }
            }
        }

        impl $crate::settings::Table for $name {
            fn rows() -> Vec<$crate::settings::Row> {
                vec![ $( $crate::settings::Row::new::<$type>(
                    ($table, $heading),
                    stringify!($field),
                    $word,
                    concat!($($help),+),
                    [$(stringify!($constant),)?].first().copied(),
                ), )+ ]
            }

            fn set(&mut self, key: &str, words: &[String]) -> Result<(), String> {
                match key.replace('-', "_").as_str() {
                    $( stringify!($field) => self.$field = $crate::settings::value::Value::read(words)?, )+
                    _ => return Err("is unknown".into()),
                }
                Ok(())
            }

            fn shown(&self) -> Vec<Option<String>> {
                vec![ $( $crate::settings::value::Value::show(&self.$field), )+ ]
            }
        }
    };
}

macro_rules! or_default {
    ($type:ty) => {
        <$type>::default()
    };
    ($type:ty, $constant:ident) => {
        <$type>::from($crate::defaults::$constant)
    };
}

use {or_default, table};

macro_rules! tables {
    ($($field:ident: $type:ty = $name:literal,)+) => {
        /// All settings, each with a value.
        #[derive(Debug, Clone, Default)]
        pub(crate) struct Settings { $( pub(crate) $field: $type, )+ }

        impl Settings {
            /// Sets one of them.
            fn set(&mut self, row: &Row, words: &[String]) -> Result<(), String> {
                match row.table {
                    $( $name => self.$field.set(&row.key, words), )+
                    _ => Err("is unknown".into()),
                }
            }

            /// Their values as TOML, in the order of [`rows`].
            pub(crate) fn shown(&self) -> Vec<Option<String>> {
                [$( self.$field.shown(), )+].concat()
            }
        }

        static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
            let mut rows = Vec::new();
            $( rows.extend(<$type>::rows()); )+
            rows
        });
    };
}

tables! {
    serving: serving::Serving = "",
    tls: tls::Tls = "tls",
    acme: acme::Acme = "acme",
    proxy: proxy::Proxy = "proxy",
    access: access::Access = "access",
    limits: limits::Limits = "limits",
    admin: admin::Admin = "admin",
    log: log::Log = "log",
}

/// All settings there are, by table.
pub(crate) fn rows() -> &'static [Row] {
    &ROWS
}

/// The known name that is most like this one.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> &'a str {
    let likeness = |known: &str| strsim::normalized_damerau_levenshtein(name, known);
    known.max_by(|a, b| likeness(a).total_cmp(&likeness(b))).unwrap_or_default()
}
