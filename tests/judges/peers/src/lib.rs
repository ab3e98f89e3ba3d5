//! What the driver tells a peer, and what a peer says.
//!
//! Each program reads one thing on its standard input (a computer: the options
//! of a ceremony as JSON; a phone: the text of the code), writes one JSON object
//! a line on its standard output and its log on standard error, and exits with 0
//! only if its library said that all went well. Whether the result is good, the
//! driver asks a relying party.

use std::collections::HashMap;
use std::error::Error;
use std::io::Read;

use serde::Deserialize;
use serde_json::Value;

/// What any of the libraries can come to.
pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// The words of the command line: first what is to be done, then `--name value`.
#[derive(Debug)]
pub struct Words {
    /// The first word that is no option, such as `create`.
    pub what: String,
    options: HashMap<String, String>,
}

impl Words {
    /// Reads the command line.
    ///
    /// # Errors
    ///
    /// An option without a value, or a second word.
    pub fn read() -> Outcome<Self> {
        let mut words = Self { what: String::new(), options: HashMap::new() };
        let mut rest = std::env::args().skip(1);
        while let Some(word) = rest.next() {
            if let Some(name) = word.strip_prefix("--") {
                let value = rest.next().ok_or_else(|| format!("--{name} wants a value"))?;
                words.options.insert(name.to_owned(), value);
            } else if words.what.is_empty() {
                words.what = word;
            } else {
                return Err(format!("what is {word}?").into());
            }
        }
        Ok(words)
    }

    /// The value of `--name`, if it was given.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str)
    }
}

/// A ceremony, as a web page would start it.
#[derive(Debug, Deserialize)]
pub struct Ceremony {
    /// The page's origin, such as `https://example.org`.
    pub origin: String,
    /// `PublicKeyCredentialCreationOptionsJSON` or `…RequestOptionsJSON`.
    #[serde(rename = "publicKey")]
    pub public_key: Value,
}

impl Ceremony {
    /// Reads it from standard input.
    ///
    /// # Errors
    ///
    /// Standard input cannot be read or is no such JSON.
    pub fn read() -> Outcome<Self> {
        Ok(serde_json::from_str(&standard_input()?)?)
    }
}

/// All of standard input.
///
/// # Errors
///
/// It cannot be read, or is not UTF-8.
pub fn standard_input() -> Outcome<String> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    Ok(text)
}

/// Says one thing to the driver: a JSON object on a line by itself.
pub fn say(name: &str, value: impl Into<Value>) {
    println!("{}", serde_json::json!({ name: value.into() }));
}

/// The library's log goes to standard error: warnings, or what `PEER_LOG` names
/// (`debug`, `trace`).
pub fn log() {
    let level = std::env::var("PEER_LOG").ok().and_then(|name| name.parse().ok());
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_max_level(level.unwrap_or(tracing::Level::WARN))
        .init();
}
