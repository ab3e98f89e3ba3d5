//! JSON of strangers: bounded before it is parsed, and lenient where programs
//! differ.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use zeroize::Zeroize;

use super::{Error, Format};
use crate::defaults;

/// Without the byte order mark that some editors put before it.
pub(super) fn without_mark(file: &[u8]) -> &[u8] {
    file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file)
}

/// Parses a whole file.
///
/// # Errors
/// [`Error::TooLarge`], [`Error::TooDeep`], [`Error::NotJson`],
/// [`Error::Truncated`], [`Error::Shape`].
pub(super) fn parse<'a, T: Deserialize<'a>>(file: &'a [u8]) -> Result<T, Error> {
    let text = without_mark(file);
    if text.len() > defaults::MAX_EXCHANGE_FILE {
        return Err(Error::TooLarge);
    }
    bound_depth(text)?;
    serde_json::from_slice(text).map_err(|error| fault(&error))
}

fn fault(error: &serde_json::Error) -> Error {
    use serde_json::error::Category;
    let at = format!("line {}, column {}", error.line(), error.column());
    match error.classify() {
        Category::Eof => Error::Truncated,
        Category::Data if error.to_string().starts_with(TOO_MANY) => Error::TooMany("200,000 items"),
        // Serde quotes what it found, which may be a secret: only the place is told.
        Category::Data => Error::Shape(at),
        Category::Syntax | Category::Io => Error::NotJson(at),
    }
}

/// Refuses what is nested too deep, before anything recurses into it.
fn bound_depth(text: &[u8]) -> Result<(), Error> {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                if depth > defaults::MAX_EXCHANGE_DEPTH {
                    return Err(Error::TooDeep);
                }
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// Which of the formats an object is.
///
/// # Errors
/// [`Error::Unknown`], and those of [`parse`].
pub(super) fn guess(text: &[u8]) -> Result<Format, Error> {
    #[derive(serde::Deserialize)]
    struct Marks {
        accounts: Option<IgnoredAny>,
        encrypted: Option<IgnoredAny>,
        items: Option<IgnoredAny>,
    }
    let marks: Marks = parse(text)?;
    match (marks.accounts, marks.encrypted.or(marks.items)) {
        (Some(_), None) => Ok(Format::Cxf),
        (None, Some(_)) => Ok(Format::Bitwarden),
        _ => Err(Error::Unknown),
    }
}

/// A piece of the file that is parsed later, by itself: what is wrong with it
/// is wrong with it alone.
pub(super) type Piece<'a> = &'a RawValue;

/// Parses a piece; `None` if it is something else.
pub(super) fn piece<'a, T: Deserialize<'a>>(piece: Piece<'a>) -> Option<T> {
    serde_json::from_str(piece.get()).ok()
}

/// A list with a bound, of pieces.
#[derive(Default)]
pub(super) struct Pieces<'a>(pub(super) Vec<Piece<'a>>);

const TOO_MANY: &str = "too many";

impl<'de: 'a, 'a> Deserialize<'de> for Pieces<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct List<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for List<'a> {
            type Value = Pieces<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Pieces(Vec::new()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut pieces = Vec::new();
                while let Some(piece) = list.next_element()? {
                    if pieces.len() == defaults::MAX_EXCHANGE_ITEMS {
                        return Err(serde::de::Error::custom(TOO_MANY));
                    }
                    pieces.push(piece);
                }
                Ok(Pieces(pieces))
            }
        }
        from.deserialize_any(List(PhantomData))
    }
}

/// A value that some programs write as text and others do not. Texts that had
/// to be copied are cleared.
#[derive(Default)]
pub(super) enum Value<'a> {
    /// Absent, or null.
    #[default]
    None,
    /// True or false.
    Bool(bool),
    /// A whole number, not negative.
    Number(u64),
    /// A text.
    Text(Cow<'a, str>),
}

impl<'a> Value<'a> {
    /// The text, unless it is empty. Of another type: an error.
    pub(super) fn text(&self) -> Result<Option<&str>, Mistyped> {
        match self {
            Value::None => Ok(None),
            Value::Text(text) => Ok(Some(text.as_ref()).filter(|text| !text.is_empty())),
            Value::Bool(_) | Value::Number(_) => Err(Mistyped),
        }
    }

    /// The number, written as one or as text.
    pub(super) fn number(&self) -> Result<Option<u64>, Mistyped> {
        match self {
            Value::None => Ok(None),
            Value::Number(number) => Ok(Some(*number)),
            Value::Text(text) if text.is_empty() => Ok(None),
            Value::Text(text) => text.parse().map(Some).map_err(|_| Mistyped),
            Value::Bool(_) => Err(Mistyped),
        }
    }

    /// True or false, written as such or as text in any case.
    pub(super) fn truth(&self) -> Result<Option<bool>, Mistyped> {
        match self {
            Value::None => Ok(None),
            Value::Bool(truth) => Ok(Some(*truth)),
            Value::Text(text) if text.is_empty() => Ok(None),
            Value::Text(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Value::Text(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Value::Text(_) | Value::Number(_) => Err(Mistyped),
        }
    }

    /// Whether there is anything.
    pub(super) fn is_there(&self) -> bool {
        !matches!(self, Value::None)
    }
}

/// Of another type than it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mistyped;

impl Drop for Value<'_> {
    fn drop(&mut self) {
        if let Value::Text(Cow::Owned(text)) = self {
            text.zeroize();
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Value<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Any<'a> {
            type Value = Value<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number, true, false or null")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Value::None)
            }

            fn visit_bool<E>(self, truth: bool) -> Result<Self::Value, E> {
                Ok(Value::Bool(truth))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Value::Number(number))
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Value::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Value::Text(Cow::Owned(text.to_owned())))
            }
        }
        from.deserialize_any(Any(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_each_program_writes_them() {
        let value = |text: &'static str| serde_json::from_str::<Value<'_>>(text).unwrap();
        assert_eq!(value(r#""0""#).number(), Ok(Some(0)));
        assert_eq!(value("7").number(), Ok(Some(7)));
        assert_eq!(value("null").number(), Ok(None));
        assert_eq!(value(r#""seven""#).number(), Err(Mistyped));
        assert_eq!(value(r#""-1""#).number(), Err(Mistyped));
        assert_eq!(value(r#""true""#).truth(), Ok(Some(true)));
        assert_eq!(value("false").truth(), Ok(Some(false)));
        assert_eq!(value(r#""perhaps""#).truth(), Err(Mistyped));
        assert_eq!(value(r#""a\/b""#).text(), Ok(Some("a/b")));
        assert_eq!(value(r#""""#).text(), Ok(None));
        assert_eq!(value("1").text(), Err(Mistyped));
        for wrong in ["[]", "{}", "-1", "0.5", "1e400"] {
            assert!(serde_json::from_str::<Value<'_>>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn depth_is_bounded_and_brackets_in_texts_are_no_depth() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse::<IgnoredAny>(nested(defaults::MAX_EXCHANGE_DEPTH).as_bytes()).is_ok());
        let deeper = nested(defaults::MAX_EXCHANGE_DEPTH + 1);
        assert!(matches!(parse::<IgnoredAny>(deeper.as_bytes()), Err(Error::TooDeep)));
        let text = format!(r#"["\"{}\\"]"#, "[".repeat(1000));
        assert!(parse::<IgnoredAny>(text.as_bytes()).is_ok());
    }

    #[test]
    fn faults_have_names_and_quote_nothing() {
        for (text, expected) in [
            (&b"[1"[..], Error::Truncated),
            (b"[1,]", Error::NotJson("line 1, column 4".into())),
            (b"\xff", Error::NotJson("line 1, column 1".into())),
            (b"{\"a\":1}", Error::Shape("line 1, column 0".into())),
        ] {
            let found = parse::<Pieces<'_>>(text).err().unwrap();
            assert_eq!(std::mem::discriminant(&found), std::mem::discriminant(&expected), "{found}");
        }
    }
}
