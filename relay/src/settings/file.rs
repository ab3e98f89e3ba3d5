//! The layer of the file.
//!
//! The tree is walked here and not by serde, because every complaint is to
//! name the line and the key.

use std::ops::Range;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::layers::{Given, Origin};
use super::{nearest, rows};
use crate::error::Error;

/// Reads the settings of this file.
///
/// # Errors
/// [`Error::ConfigFile`], [`Error::NotToml`], [`Error::UnknownKey`], or
/// [`Error::Value`] for what is no value at all.
pub(crate) fn read(path: &Path) -> Result<Vec<Given>, Error> {
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|cause| Error::ConfigFile { path: path.into(), cause })?;
    parse(&text, path)
}

fn parse(text: &str, path: &Path) -> Result<Vec<Given>, Error> {
    let walk = Walk { text, path };
    let tree = DeTable::parse(text).map_err(|error| Error::NotToml {
        place: walk.place(error.span().unwrap_or_default()),
        problem: error.message().to_owned(),
    })?;
    let mut given = Vec::new();
    for (key, value) in tree.get_ref() {
        match value.get_ref() {
            DeValue::Table(table) if is_table(key.get_ref()) => {
                for (inner, value) in table {
                    given.push(walk.one(key.get_ref(), inner.get_ref(), inner.span(), value.get_ref())?);
                }
            }
            value => given.push(walk.one("", key.get_ref(), key.span(), value)?),
        }
    }
    // In the order of the file, so that the first mistake is named first.
    given.sort_by_key(|given| given.origin);
    Ok(given)
}

fn is_table(name: &str) -> bool {
    !name.is_empty() && rows().iter().any(|row| row.table == name)
}

struct Walk<'a> {
    text: &'a str,
    path: &'a Path,
}

impl Walk<'_> {
    fn line(&self, span: &Range<usize>) -> usize {
        let before = self.text.as_bytes().iter().take(span.start);
        before.filter(|byte| **byte == b'\n').count() + 1
    }

    fn place(&self, span: Range<usize>) -> String {
        format!("{}:{}", self.path.display(), self.line(&span))
    }

    fn one(&self, table: &str, key: &str, span: Range<usize>, value: &DeValue) -> Result<Given, Error> {
        let origin = Origin::File { line: self.line(&span) };
        let found = rows().iter().enumerate().find(|(_, row)| row.table == table && row.key == key);
        let Some((index, row)) = found else { return Err(self.unknown(table, key, span, value)) };
        let wrong = |problem: &str| Error::Value {
            place: format!("{}: {}", self.place(span.clone()), row.path()),
            problem: problem.into(),
        };
        let words = match value {
            DeValue::Array(values) if row.many => {
                let words = values.iter().map(|value| word(value.get_ref()));
                words.collect::<Option<_>>().ok_or_else(|| wrong("must be a list of plain values"))?
            }
            DeValue::Array(_) => return Err(wrong("takes one value, and not a list")),
            value => vec![word(value).ok_or_else(|| wrong("must be a text, a whole number, true or false"))?],
        };
        Ok(Given { row: index, words, origin })
    }

    fn unknown(&self, table: &str, key: &str, span: Range<usize>, value: &DeValue) -> Error {
        let is_table = matches!(value, DeValue::Table(_));
        let same_name = rows().iter().filter(|row| row.key == key).map(|row| in_words(row.table, &row.key));
        let nearest = if is_table && table.is_empty() {
            format!("[{}]", nearest(key, rows().iter().map(|row| row.table)))
        } else if let Some(elsewhere) = same_name.reduce(|first, _| first) {
            elsewhere
        } else {
            let here = rows().iter().filter(|row| row.table == table || table.is_empty());
            let nearest = nearest(key, here.map(|row| row.key.as_str()));
            let found = rows().iter().filter(|row| row.key == nearest);
            let found = found.max_by_key(|row| row.table == table);
            found.map(|row| in_words(row.table, &row.key)).unwrap_or_default()
        };
        let unknown = if is_table && table.is_empty() { format!("[{key}]") } else { in_words(table, key) };
        Error::UnknownKey { place: self.place(span), unknown, nearest }
    }
}

/// A key, and the table it stands in.
fn in_words(table: &str, key: &str) -> String {
    match table {
        "" => format!("{key} at the top"),
        table => format!("{key} in [{table}]"),
    }
}

/// A plain value as it would be typed.
fn word(value: &DeValue) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.clone().into_owned()),
        // Hexadecimal or binary numbers have a prefix; such are left to say
        // themselves what is wrong with them.
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Float(number) => Some(number.to_string()),
        DeValue::Boolean(yes) => Some(yes.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Given>, String> {
        parse(text, Path::new("relay.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn keys_are_found_with_their_lines() {
        let given = read("listen = [\"[::]:443\", 'unix:/a']\nplain = true\n\n[limits]\nheld = 7\n").unwrap();
        let said: Vec<_> = given
            .iter()
            .map(|given| (rows()[given.row].path(), given.words.join(" "), given.origin))
            .collect();
        assert_eq!(
            said,
            [
                ("listen".into(), "[::]:443 unix:/a".into(), Origin::File { line: 1 }),
                ("plain".into(), "true".into(), Origin::File { line: 2 }),
                ("limits.held".into(), "7".into(), Origin::File { line: 5 }),
            ]
        );
        assert_eq!(read("limits.held = 8").unwrap()[0].words, ["8"]);
        assert!(read("").unwrap().is_empty());
    }

    #[test]
    fn unknown_names_are_errors_that_name_the_nearest() {
        for (text, complaint) in [
            (
                "\n[limits]\nmax-mesage = 1",
                "relay.toml:3: there is no max-mesage in [limits]; the nearest is max-message in [limits]",
            ),
            (
                "max-message = 1",
                "relay.toml:1: there is no max-message at the top; the nearest is max-message in [limits]",
            ),
            ("lisen = 1", "relay.toml:1: there is no lisen at the top; the nearest is listen at the top"),
            ("[limit]\nheld = 1", "relay.toml:1: there is no [limit]; the nearest is [limits]"),
            (
                "[tls]\ncertificate = 1",
                "relay.toml:2: there is no certificate in [tls]; the nearest is cert in [tls]",
            ),
            (
                "[log]\nmax_message = 1",
                "relay.toml:2: there is no max_message in [log]; the nearest is format in [log]",
            ),
        ] {
            let found = read(text).unwrap_err();
            let head = complaint.split("; ").next().unwrap();
            assert!(found.starts_with(head), "{text}: {found}");
            if !text.starts_with("[log]") {
                assert_eq!(found, complaint);
            }
        }
    }

    #[test]
    fn what_is_no_value_is_an_error_with_its_line() {
        for (text, place) in [
            ("plain = [true]", "relay.toml:1: plain takes one value"),
            ("listen = [[1]]", "relay.toml:1: listen must be a list"),
            ("plain = 1979-05-27", "relay.toml:1: plain must be"),
            ("[limits]\nheld.x = 1", "relay.toml:2: limits.held must be"),
            ("plain = true\nplain = true", "relay.toml:2: "),
            ("a b", "relay.toml:1: "),
        ] {
            let found = read(text).unwrap_err();
            assert!(found.starts_with(place), "{text}: {found}");
        }
    }
}
