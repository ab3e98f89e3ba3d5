//! What a setting's value can be: read from words, and written as TOML.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use cablecar_protocol::ids::RoutingId;

use crate::config::{Address, LogAddresses, LogFormat, LogLevel, MayOpen, ProxyProtocol};
use crate::source::Network;

/// The value of a setting: one word, an optional one, or any number of them.
pub(crate) trait Value: Sized {
    /// Whether there may be several words.
    const MANY: bool = false;
    /// Whether the flag alone, without a word, means something.
    const SWITCH: bool = false;

    /// Checks one word by itself.
    fn check(word: &str) -> Result<(), String>;

    /// Reads all the words.
    fn read(words: &[String]) -> Result<Self, String>;

    /// As TOML; `None` if there is none.
    fn show(&self) -> Option<String>;
}

/// What one word can be.
pub(crate) trait Word: Sized {
    /// Written without quotes.
    const BARE: bool = false;
    /// As in [`Value`].
    const SWITCH: bool = false;

    /// Reads a word; else says what would be one.
    fn read_word(word: &str) -> Result<Self, String>;

    /// Writes it so that [`Word::read_word`] gives the same again.
    fn word(&self) -> String;
}

fn shown<T: Word>(value: &T) -> String {
    if T::BARE { value.word() } else { quoted(&value.word()) }
}

/// A text as a basic string of TOML.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\U{:08X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

impl<T: Word> Value for T {
    const SWITCH: bool = T::SWITCH;

    fn check(word: &str) -> Result<(), String> {
        T::read_word(word).map(drop)
    }

    fn read(words: &[String]) -> Result<Self, String> {
        match words {
            [word] => T::read_word(word),
            _ => Err("takes one value".into()),
        }
    }

    fn show(&self) -> Option<String> {
        Some(shown(self))
    }
}

impl<T: Word> Value for Option<T> {
    fn check(word: &str) -> Result<(), String> {
        <T as Value>::check(word)
    }

    fn read(words: &[String]) -> Result<Self, String> {
        T::read(words).map(Some)
    }

    fn show(&self) -> Option<String> {
        self.as_ref().map(shown)
    }
}

impl<T: Word> Value for Vec<T> {
    const MANY: bool = true;

    fn check(word: &str) -> Result<(), String> {
        <T as Value>::check(word)
    }

    fn read(words: &[String]) -> Result<Self, String> {
        words.iter().map(|word| T::read_word(word)).collect()
    }

    fn show(&self) -> Option<String> {
        Some(format!("[{}]", self.iter().map(shown).collect::<Vec<_>>().join(", ")))
    }
}

/// A number of bytes; as a word also in KiB, MiB or GiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

/// The units of sizes, the largest first.
const SIZES: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

impl Size {
    /// In memory. What is larger than all memory stays too large for every limit.
    pub(crate) fn usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl From<usize> for Size {
    fn from(bytes: usize) -> Self {
        Self(u64::try_from(bytes).unwrap_or(u64::MAX))
    }
}

impl From<u64> for Size {
    fn from(bytes: u64) -> Self {
        Self(bytes)
    }
}

impl Word for Size {
    fn read_word(word: &str) -> Result<Self, String> {
        let split = SIZES.iter().find_map(|(unit, bytes)| Some((word.strip_suffix(unit)?, *bytes)));
        let (number, unit) = split.unwrap_or((word, 1));
        let number: u64 = number.trim_end().parse().map_err(|_| "not a number of bytes, KiB, MiB or GiB")?;
        number.checked_mul(unit).map(Size).ok_or_else(|| "too large".into())
    }

    fn word(&self) -> String {
        let fits = |(_, bytes): &&(&str, u64)| self.0 != 0 && self.0.is_multiple_of(*bytes);
        match SIZES.iter().find(fits) {
            Some((unit, bytes)) => format!("{}{unit}", self.0 / bytes),
            None => self.0.to_string(),
        }
    }
}

/// A time; as a word in seconds, or ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) Duration);

impl From<Duration> for Time {
    fn from(time: Duration) -> Self {
        Self(time)
    }
}

impl Word for Time {
    fn read_word(word: &str) -> Result<Self, String> {
        let wrong = "not a number of seconds or ms";
        let (number, unit) = match (word.strip_suffix("ms"), word.strip_suffix('s')) {
            (Some(number), _) => (number, 1),
            (_, Some(number)) => (number, 1000),
            _ => (word, 1000),
        };
        let number: u64 = number.trim_end().parse().map_err(|_| wrong)?;
        number.checked_mul(unit).map(Duration::from_millis).map(Time).ok_or_else(|| "too long".into())
    }

    fn word(&self) -> String {
        match self.0.subsec_millis() {
            0 => format!("{}s", self.0.as_secs()),
            _ => format!("{}ms", self.0.as_millis()),
        }
    }
}

macro_rules! whole_numbers {
    ($($type:ty)+) => { $(
        impl Word for $type {
            const BARE: bool = true;

            fn read_word(word: &str) -> Result<Self, String> {
                word.parse().map_err(|_| format!("not a whole number from 0 to {}", <$type>::MAX))
            }

            fn word(&self) -> String {
                self.to_string()
            }
        }
    )+ };
}

whole_numbers!(u8 u16 u32 u64);

macro_rules! as_it_is_written {
    ($($type:ty: $wrong:expr),+ $(,)?) => { $(
        impl Word for $type {
            fn read_word(word: &str) -> Result<Self, String> {
                <$type>::from_str(word).map_err($wrong)
            }

            fn word(&self) -> String {
                self.to_string()
            }
        }
    )+ };
}

as_it_is_written!(
    Address: |wrong| wrong.to_string(),
    Network: |wrong| wrong.to_string(),
    SocketAddr: |_| "not an address with a port, such as 192.0.2.1:443".into(),
);

impl Word for bool {
    const BARE: bool = true;
    const SWITCH: bool = true;

    fn read_word(word: &str) -> Result<Self, String> {
        match word {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err("neither true nor false".into()),
        }
    }

    fn word(&self) -> String {
        self.to_string()
    }
}

impl Word for String {
    fn read_word(word: &str) -> Result<Self, String> {
        if word.is_empty() { Err("empty".into()) } else { Ok(word.to_owned()) }
    }

    fn word(&self) -> String {
        self.clone()
    }
}

impl Word for PathBuf {
    fn read_word(word: &str) -> Result<Self, String> {
        String::read_word(word).map(PathBuf::from)
    }

    fn word(&self) -> String {
        self.to_string_lossy().into_owned()
    }
}

impl Word for RoutingId {
    fn read_word(word: &str) -> Result<Self, String> {
        RoutingId::from_hex(word).map_err(|_| "not 6 hexadecimal digits".into())
    }

    fn word(&self) -> String {
        self.to_hex()
    }
}

macro_rules! choices {
    ($($type:ident { $($variant:ident = $word:literal),+ $(,)? })+) => { $(
        impl Word for $type {
            fn read_word(word: &str) -> Result<Self, String> {
                match word {
                    $($word => Ok($type::$variant),)+
                    _ => Err(concat!("none of:", $(" ", $word),+).into()),
                }
            }

            fn word(&self) -> String {
                match self { $($type::$variant => $word,)+ }.into()
            }
        }
    )+ };
}

choices! {
    ProxyProtocol { ForwardedFor = "forwarded-for", ProxyHeader = "proxy-v1v2" }
    MayOpen { Anyone = "anyone", Networks = "networks", Token = "token", Callout = "callout" }
    LogFormat { Text = "text", Json = "json" }
    LogLevel { Error = "error", Warn = "warn", Info = "info", Debug = "debug", Trace = "trace" }
    LogAddresses { Off = "off", Truncated = "truncated" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_have_units() {
        let size = |word: &str| Size::read_word(word).ok().map(|size| size.0);
        assert_eq!(size("128KiB"), Some(128 * 1024));
        assert_eq!(size("1 MiB"), Some(1 << 20));
        assert_eq!(size("2GiB"), Some(2 << 30));
        assert_eq!(size("77"), Some(77));
        for wrong in ["KiB", "-1", "99999999999999999999", "17179869184GiB", "1.5MiB", ""] {
            assert_eq!(size(wrong), None, "{wrong}");
        }
        let time = |word: &str| Time::read_word(word).ok().map(|time| time.0);
        assert_eq!(time("90"), Some(Duration::from_secs(90)));
        assert_eq!(time("90s"), Some(Duration::from_secs(90)));
        assert_eq!(time("1500ms"), Some(Duration::from_millis(1500)));
        for wrong in ["s", "1h", "1.5", "-1", ""] {
            assert_eq!(time(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        for bytes in [0, 1, 1023, 1024, 1025, 131_072, 1 << 20, 3 << 30, u64::MAX] {
            assert_eq!(Size::read_word(&Size(bytes).word()), Ok(Size(bytes)));
        }
        for ms in [0, 1, 999, 1000, 90_000, 90_001] {
            let time = Time(Duration::from_millis(ms));
            assert_eq!(Time::read_word(&time.word()), Ok(time));
        }
        assert_eq!(Size(131_072).show().unwrap(), "\"128KiB\"");
        assert_eq!(vec![1_u32, 2].show().unwrap(), "[1, 2]");
        assert_eq!(quoted("a\"\\\n\u{7f}ü"), "\"a\\\"\\\\\\U0000000A\\U0000007Fü\"");
    }
}
