//! Arguments as getopt reads them: letters behind one dash, together or apart,
//! a value behind its letter or after it.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::Failure;

/// What follows the verb.
pub(super) struct Arguments(Vec<String>);

/// What was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    letters: Vec<char>,
    values: BTreeMap<char, Vec<String>>,
    /// What has no dash: device, key file, type.
    pub(super) rest: Vec<String>,
}

impl Arguments {
    /// Takes the verb off the front, which is the first letter: `-G -r` and
    /// `-Gr` are the same.
    pub(super) fn split(arguments: Vec<OsString>) -> Result<(char, Self), Failure> {
        let texts: Result<Vec<_>, _> = arguments.into_iter().map(OsString::into_string).collect();
        let texts = texts.map_err(|_| Failure::said("an argument is not UTF-8"))?;
        let (first, rest) = texts.split_first().ok_or(Failure::Usage)?;
        let mut letters = first.strip_prefix('-').ok_or(Failure::Usage)?.chars();
        let verb = letters.next().ok_or(Failure::Usage)?;
        let also = Some(letters.as_str()).filter(|also| !also.is_empty()).map(|also| format!("-{also}"));
        Ok((verb, Self(also.into_iter().chain(rest.iter().cloned()).collect())))
    }

    /// Reads letters that stand alone, such as `plain`, and with a value. The
    /// ones of `never` exist there, and nothing here can do what they mean.
    pub(super) fn read(self, plain: &str, never: &str, valued: &str) -> Result<Options, Failure> {
        let mut options = Options::default();
        let mut arguments = self.0.into_iter();
        while let Some(argument) = arguments.next() {
            let Some(letters) = argument.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
                options.rest.push(argument);
                continue;
            };
            if argument == "--" {
                options.rest.extend(arguments);
                break;
            }
            let mut letters = letters.chars();
            while let Some(letter) = letters.next() {
                if plain.contains(letter) {
                    options.letters.push(letter);
                } else if valued.contains(letter) {
                    let behind = Some(letters.as_str().to_owned()).filter(|value| !value.is_empty());
                    let value = behind.or_else(|| arguments.next()).ok_or(Failure::Usage)?;
                    options.values.entry(letter).or_default().push(value);
                    break;
                } else if never.contains(letter) {
                    return Err(Failure::Said(format!("-{letter} is not for phones: {}", why_not(letter))));
                } else {
                    return Err(Failure::Usage);
                }
            }
        }
        Ok(options)
    }
}

fn why_not(letter: char) -> &'static str {
    match letter {
        'b' => "large blobs do not pass a tunnel",
        'h' => "hmac-secret needs an agreement on keys, which does not pass a tunnel",
        'u' => "U2F does not pass a tunnel",
        _ => "it does not pass a tunnel",
    }
}

impl Options {
    pub(super) fn has(&self, letter: char) -> bool {
        self.letters.contains(&letter)
    }

    /// The last value of this letter, as getopt's users take it.
    pub(super) fn value(&self, letter: char) -> Option<&str> {
        self.values.get(&letter).and_then(|values| values.last()).map(String::as_str)
    }

    pub(super) fn values(&self, letter: char) -> impl Iterator<Item = &str> {
        self.values.get(&letter).into_iter().flatten().map(String::as_str)
    }
}
