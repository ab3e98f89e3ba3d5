//! CTAP2 canonical CBOR, strict in both directions.
//!
//! Canonical: the shortest form of every integer and length, definite
//! lengths, map keys ascending (major type, then length, then bytes) and
//! unique, no tags, no floats, no simple values but false, true and null,
//! UTF-8 text, integers within `i64`, and nothing behind the item.
//!
//! [`parse`] walks the input once, proves all of that, allocates nothing, and
//! gives an [`Item`]: a view of bytes that are known to be good. What is not
//! good by the look of it is decoded and encoded by `ciborium-ll`; a header is
//! the shortest exactly if encoding it again gives the bytes it was read from.

mod write;

use std::fmt;

use ciborium_ll::{Decoder, Encoder, Header, simple};

pub use crate::error::CborFault;
pub use write::{Entries, Sequence, Writer};

/// Containers within containers that a QR code may have.
pub const QR_DEPTH: usize = 4;
/// Containers within containers that a CTAP message may have.
pub const CTAP_DEPTH: usize = 8;

/// Proves that `input` is one canonical item with at most `depth` containers
/// inside each other.
///
/// # Errors
/// The first [`CborFault`] from the left.
pub fn parse(input: &[u8], depth: usize) -> Result<Item<'_>, CborFault> {
    let (item, rest) = parse_prefix(input, depth)?;
    if rest.is_empty() { Ok(item) } else { Err(CborFault::Trailing) }
}

/// Like [`parse`], but gives what follows the item instead of refusing it.
///
/// # Errors
/// The first [`CborFault`] from the left.
pub fn parse_prefix(input: &[u8], depth: usize) -> Result<(Item<'_>, &[u8]), CborFault> {
    let rest = skip_item(input, depth)?;
    Ok((Item { bytes: front(input, rest) }, rest))
}

/// Like [`parse`], of a map: the values under the keys 0 to `N` − 1, found by
/// the same walk that proves all of it. Other keys are proven and left out.
///
/// # Errors
/// The first [`CborFault`] from the left; [`CborFault::Forbidden`] if it is no
/// map.
pub fn parse_fields<const N: usize>(input: &[u8], depth: usize) -> Result<[Option<Item<'_>>; N], CborFault> {
    let mut fields = [None; N];
    let (header, body) = pull(input)?;
    let Header::Map(Some(length)) = header else {
        return Err(parse(input, depth).err().unwrap_or(CborFault::Forbidden));
    };
    let rest = skip_map(body, length, depth, |key, value| {
        let Header::Positive(key) = key else { return };
        let field = usize::try_from(key).ok().and_then(|key| fields.get_mut(key));
        field.into_iter().for_each(|field| *field = Some(Item { bytes: value }));
    })?;
    if rest.is_empty() { Ok(fields) } else { Err(CborFault::Trailing) }
}

/// One canonical item, borrowed from the input that held it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Item<'a> {
    bytes: &'a [u8],
}

/// What an [`Item`] is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind<'a> {
    /// Major types 0 and 1.
    Int(i64),
    /// Major type 2.
    Bytes(&'a [u8]),
    /// Major type 3.
    Text(&'a str),
    /// Major type 4.
    Array(Array<'a>),
    /// Major type 5.
    Map(Map<'a>),
    /// `false` or `true`.
    Bool(bool),
    /// `null`.
    Null,
}

impl<'a> Item<'a> {
    /// The bytes of the item.
    pub fn encoded(&self) -> &'a [u8] {
        self.bytes
    }

    /// What it is.
    pub fn kind(&self) -> Kind<'a> {
        // The bytes were proven when the item was made, so the fallback is
        // never taken; it saves a panic.
        self.read_kind().unwrap_or(Kind::Null)
    }

    fn read_kind(&self) -> Option<Kind<'a>> {
        let (header, body) = pull(self.bytes).ok()?;
        Some(match header {
            Header::Positive(value) => Kind::Int(i64::try_from(value).ok()?),
            Header::Negative(value) => Kind::Int(!i64::try_from(value).ok()?),
            Header::Bytes(_) => Kind::Bytes(body),
            Header::Text(_) => Kind::Text(std::str::from_utf8(body).ok()?),
            Header::Array(Some(length)) => Kind::Array(Array { length, body }),
            Header::Map(Some(length)) => Kind::Map(Map { length, body }),
            Header::Simple(simple::FALSE) => Kind::Bool(false),
            Header::Simple(simple::TRUE) => Kind::Bool(true),
            _ => Kind::Null,
        })
    }

    /// The integer, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        if let Kind::Int(value) = self.kind() { Some(value) } else { None }
    }

    /// The integer, if it is one and not negative.
    pub fn as_unsigned(&self) -> Option<u64> {
        self.as_int().and_then(|value| u64::try_from(value).ok())
    }

    /// The bytes, if it is a byte string.
    pub fn as_bytes(&self) -> Option<&'a [u8]> {
        if let Kind::Bytes(value) = self.kind() { Some(value) } else { None }
    }

    /// The bytes, if it is a byte string of exactly this length.
    pub fn as_array_of<const N: usize>(&self) -> Option<[u8; N]> {
        self.as_bytes().and_then(|bytes| bytes.try_into().ok())
    }

    /// The text, if it is text.
    pub fn as_text(&self) -> Option<&'a str> {
        if let Kind::Text(value) = self.kind() { Some(value) } else { None }
    }

    /// The truth value, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Kind::Bool(value) = self.kind() { Some(value) } else { None }
    }

    /// The array, if it is one.
    pub fn as_array(&self) -> Option<Array<'a>> {
        if let Kind::Array(value) = self.kind() { Some(value) } else { None }
    }

    /// The map, if it is one.
    pub fn as_map(&self) -> Option<Map<'a>> {
        if let Kind::Map(value) = self.kind() { Some(value) } else { None }
    }
}

/// The items of an array.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Array<'a> {
    length: usize,
    body: &'a [u8],
}

impl<'a> Array<'a> {
    /// Number of items.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The items in order.
    pub fn iter(&self) -> impl Iterator<Item = Item<'a>> + use<'a> {
        Items { rest: self.body }
    }
}

/// The entries of a map, keys ascending.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Map<'a> {
    length: usize,
    body: &'a [u8],
}

impl<'a> Map<'a> {
    /// Number of entries.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The entries in order.
    pub fn iter(&self) -> impl Iterator<Item = (Item<'a>, Item<'a>)> + use<'a> {
        let mut items = Items { rest: self.body };
        std::iter::from_fn(move || Some((items.next()?, items.next()?)))
    }

    /// The value under an integer key.
    pub fn get(&self, key: i64) -> Option<Item<'a>> {
        self.iter().find(|(k, _)| k.as_int() == Some(key)).map(|(_, value)| value)
    }

    /// The value under a text key.
    pub fn get_text(&self, key: &str) -> Option<Item<'a>> {
        self.iter().find(|(k, _)| k.as_text() == Some(key)).map(|(_, value)| value)
    }
}

/// What is read may be a secret, so nothing prints more than its type.
macro_rules! silent {
    ($($name:ident),*) => {
        $(impl fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        })*
    };
}

silent!(Item, Kind, Array, Map);

/// Items that stand one after the other in proven bytes.
struct Items<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let rest = skip_proven(self.rest)?;
        let bytes = front(self.rest, rest);
        self.rest = rest;
        Some(Item { bytes })
    }
}

/// Proves one item at the start of `input` and gives what follows it.
fn skip_item(input: &[u8], depth: usize) -> Result<&[u8], CborFault> {
    let (header, rest) = pull(input)?;
    skip_body(header, rest, depth)
}

/// The same behind the item's header.
fn skip_body(header: Header, rest: &[u8], depth: usize) -> Result<&[u8], CborFault> {
    match header {
        Header::Positive(value) | Header::Negative(value) => {
            i64::try_from(value).map_err(|_| CborFault::Range)?;
            Ok(rest)
        }
        Header::Bytes(Some(length)) => rest.get(length..).ok_or(CborFault::Truncated),
        Header::Text(Some(length)) => {
            let (text, rest) = rest.split_at_checked(length).ok_or(CborFault::Truncated)?;
            std::str::from_utf8(text).map_err(|_| CborFault::Utf8)?;
            Ok(rest)
        }
        Header::Array(Some(length)) => {
            let depth = inner_depth(depth, length, rest)?;
            (0..length).try_fold(rest, |rest, _| skip_item(rest, depth))
        }
        Header::Map(Some(length)) => skip_map(rest, length, depth, |_, _| ()),
        Header::Simple(simple::FALSE | simple::TRUE | simple::NULL) => Ok(rest),
        Header::Bytes(None) | Header::Text(None) | Header::Array(None) | Header::Map(None) => {
            Err(CborFault::Indefinite)
        }
        Header::Break | Header::Simple(_) | Header::Float(_) | Header::Tag(_) => Err(CborFault::Forbidden),
    }
}

/// Proves the entries of a map and gives what follows them. `each` gets the
/// key's header and the value's bytes.
fn skip_map<'a>(
    mut rest: &'a [u8],
    length: usize,
    depth: usize,
    mut each: impl FnMut(Header, &'a [u8]),
) -> Result<&'a [u8], CborFault> {
    let depth = inner_depth(depth, length, rest)?;
    // No key is as short as this.
    let mut previous: &[u8] = &[];
    for _ in 0..length {
        let (header, body) = pull(rest)?;
        let value = skip_key(header, body)?;
        let key = front(rest, value);
        // In canonical form the encoded keys ascend byte by byte: the major
        // type stands in front, the length next.
        let ascends = match (previous, key) {
            ([previous], [key]) => previous < key,
            _ => previous < key,
        };
        if !ascends {
            return Err(CborFault::Keys);
        }
        previous = key;
        rest = skip_item(value, depth)?;
        each(header, front(value, rest));
    }
    Ok(rest)
}

/// What stands before `rest`, which is the end of `input`.
fn front<'a>(input: &'a [u8], rest: &[u8]) -> &'a [u8] {
    input.get(..input.len().saturating_sub(rest.len())).unwrap_or_default()
}

/// Gives what follows the item at the start of proven bytes.
fn skip_proven(input: &[u8]) -> Option<&[u8]> {
    let (header, rest) = pull(input).ok()?;
    match header {
        Header::Bytes(Some(length)) | Header::Text(Some(length)) => rest.get(length..),
        Header::Array(Some(length)) => (0..length).try_fold(rest, |rest, _| skip_proven(rest)),
        Header::Map(Some(length)) => {
            (0..length).try_fold(rest, |rest, _| skip_proven(rest).and_then(skip_proven))
        }
        _ => Some(rest),
    }
}

/// A container's items may nest one level less; and there cannot be more of
/// them than bytes, whatever the header says.
fn inner_depth(depth: usize, length: usize, rest: &[u8]) -> Result<usize, CborFault> {
    if length > rest.len() {
        return Err(CborFault::Truncated);
    }
    depth.checked_sub(1).ok_or(CborFault::Depth)
}

/// Keys are integers, bytes or text: what CTAP and WebAuthn use.
fn skip_key(header: Header, rest: &[u8]) -> Result<&[u8], CborFault> {
    match header {
        Header::Positive(_) | Header::Negative(_) | Header::Bytes(Some(_)) | Header::Text(Some(_)) => {
            skip_body(header, rest, 0)
        }
        Header::Bytes(None) | Header::Text(None) => Err(CborFault::Indefinite),
        _ => Err(CborFault::Keys),
    }
}

/// The header at the start of `input`, in its shortest form, and what follows.
#[inline]
fn pull(input: &[u8]) -> Result<(Header, &[u8]), CborFault> {
    match usual_header(input) {
        Some(pulled) => Ok(pulled),
        None => pull_any(input),
    }
}

/// A header as nearly all are: a value that is allowed, in its shortest form.
/// `None` where it takes a closer look to say what it is, or what is wrong.
#[inline]
fn usual_header(input: &[u8]) -> Option<(Header, &[u8])> {
    let (first, rest) = input.split_first()?;
    let (argument, rest) = match first & 0x1f {
        short @ 0..24 => (u64::from(short), rest),
        24 => longer::<1>(rest, 24)?,
        25 => longer::<2>(rest, 1 << 8)?,
        26 => longer::<4>(rest, 1 << 16)?,
        27 => longer::<8>(rest, 1 << 32)?,
        _ => return None,
    };
    let length = || usize::try_from(argument).ok().map(Some);
    let header = match first >> 5 {
        0 => Header::Positive(argument),
        1 => Header::Negative(argument),
        2 => Header::Bytes(length()?),
        3 => Header::Text(length()?),
        4 => Header::Array(length()?),
        5 => Header::Map(length()?),
        7 => match *first {
            0xf4 => Header::Simple(simple::FALSE),
            0xf5 => Header::Simple(simple::TRUE),
            0xf6 => Header::Simple(simple::NULL),
            _ => return None,
        },
        _ => return None,
    };
    Some((header, rest))
}

/// An argument of `N` bytes behind the first, and what follows. It is the
/// shortest form of `least` and above.
#[inline]
fn longer<const N: usize>(rest: &[u8], least: u64) -> Option<(u64, &[u8])> {
    let (bytes, rest) = rest.split_first_chunk::<N>()?;
    let argument = bytes.iter().fold(0, |all, byte| all << 8 | u64::from(*byte));
    (argument >= least).then_some((argument, rest))
}

fn pull_any(input: &[u8]) -> Result<(Header, &[u8]), CborFault> {
    let mut decoder = Decoder::from(input);
    let header = decoder.pull().map_err(|error| match error {
        ciborium_ll::Error::Io(_) => CborFault::Truncated,
        ciborium_ll::Error::Syntax(_) => CborFault::Forbidden,
    })?;
    let (read, rest) = input.split_at_checked(decoder.offset()).ok_or(CborFault::Truncated)?;
    // Floats have no shortest form worth finding: they are refused anyway.
    if !matches!(header, Header::Float(_)) && !is_shortest(header, read) {
        return Err(CborFault::NotShortest);
    }
    Ok((header, rest))
}

fn is_shortest(header: Header, read: &[u8]) -> bool {
    let mut room = [0u8; 9];
    let mut free = room.as_mut_slice();
    if Encoder::from(&mut free).push(header).is_err() {
        return false;
    }
    let unused = free.len();
    room.get(..room.len() - unused) == Some(read)
}

#[cfg(test)]
mod tests;
