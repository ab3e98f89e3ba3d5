use ciborium_ll::{Encoder, Header, simple};
use zeroize::{Zeroize, Zeroizing};

use super::Item;

/// Writes one item or several, always in canonical form.
///
/// Values may be secrets, so every buffer on the way is cleared, and room is
/// made before a value is copied in rather than while.
#[derive(Default)]
pub struct Writer {
    out: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Writer(..)")
    }
}

impl Writer {
    /// An empty writer.
    pub fn new() -> Self {
        Self::default()
    }

    /// The bytes of one item that `fill` writes.
    pub fn item(fill: impl FnOnce(&mut Writer)) -> Vec<u8> {
        let mut writer = Self::new();
        fill(&mut writer);
        writer.finish()
    }

    /// The bytes of one map that `fill` writes.
    pub fn map_of(fill: impl FnOnce(&mut Entries)) -> Vec<u8> {
        Self::item(|writer| writer.map(fill))
    }

    /// What was written.
    pub fn finish(mut self) -> Vec<u8> {
        std::mem::take(&mut *self.out)
    }

    /// Major type 0.
    pub fn unsigned(&mut self, value: u64) {
        self.header(Header::Positive(value), 0);
    }

    /// Major type 0 or 1.
    pub fn int(&mut self, value: i64) {
        match u64::try_from(value) {
            Ok(value) => self.header(Header::Positive(value), 0),
            Err(_) => self.header(Header::Negative(u64::try_from(!value).unwrap_or(0)), 0),
        }
    }

    /// Major type 2.
    pub fn bytes(&mut self, value: &[u8]) {
        self.header(Header::Bytes(Some(value.len())), value.len());
        self.out.extend_from_slice(value);
    }

    /// Major type 3.
    pub fn text(&mut self, value: &str) {
        self.header(Header::Text(Some(value.len())), value.len());
        self.out.extend_from_slice(value.as_bytes());
    }

    /// `false` or `true`.
    pub fn bool(&mut self, value: bool) {
        self.header(Header::Simple(if value { simple::TRUE } else { simple::FALSE }), 0);
    }

    /// `null`.
    pub fn null(&mut self) {
        self.header(Header::Simple(simple::NULL), 0);
    }

    /// An item that was read before, as it stood.
    pub fn copy(&mut self, item: Item<'_>) {
        self.append(item.encoded());
    }

    /// Major type 4, the items that `fill` adds.
    pub fn array(&mut self, fill: impl FnOnce(&mut Sequence)) {
        let mut sequence = Sequence::default();
        fill(&mut sequence);
        self.header(Header::Array(Some(sequence.length)), sequence.items.out.len());
        self.out.extend_from_slice(&sequence.items.out);
    }

    /// Major type 5, the entries that `fill` adds, put into canonical order.
    pub fn map(&mut self, fill: impl FnOnce(&mut Entries)) {
        let mut entries = Entries::default();
        fill(&mut entries);
        let Entries { mut entries } = entries;
        entries.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        // The same key twice is a slip of ours; the first one stands.
        entries.dedup_by(|later, first| later.key == first.key);
        let length = entries.iter().map(|entry| entry.key.len() + entry.value.len()).sum();
        self.header(Header::Map(Some(entries.len())), length);
        for entry in &entries {
            self.out.extend_from_slice(&entry.key);
            self.out.extend_from_slice(&entry.value);
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        self.out.extend_from_slice(bytes);
    }

    fn header(&mut self, header: Header, body: usize) {
        self.reserve(9 + body);
        // Writing into a vector cannot fail.
        let _ = Encoder::from(&mut *self.out).push(header);
    }

    /// Grows into a new buffer and clears the old one, which `Vec` would
    /// leave behind as it was.
    fn reserve(&mut self, more: usize) {
        if self.out.capacity() - self.out.len() >= more {
            return;
        }
        let mut grown = Vec::with_capacity((self.out.len() + more).max(2 * self.out.capacity()));
        grown.extend_from_slice(&self.out);
        self.out.zeroize();
        self.out = Zeroizing::new(grown);
    }
}

/// The items of an array under way.
#[derive(Debug, Default)]
pub struct Sequence {
    length: usize,
    items: Writer,
}

impl Sequence {
    /// Adds the one item that `fill` writes.
    pub fn push(&mut self, fill: impl FnOnce(&mut Writer)) {
        self.length += 1;
        fill(&mut self.items);
    }
}

/// The entries of a map under way, in any order.
#[derive(Debug, Default)]
pub struct Entries {
    entries: Vec<Entry>,
}

struct Entry {
    key: Zeroizing<Vec<u8>>,
    value: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entry(..)")
    }
}

impl Entries {
    /// Adds an entry with an integer key.
    pub fn entry(&mut self, key: i64, fill: impl FnOnce(&mut Writer)) -> &mut Self {
        self.any(|writer| writer.int(key), fill)
    }

    /// Adds an entry with a text key.
    pub fn text_entry(&mut self, key: &str, fill: impl FnOnce(&mut Writer)) -> &mut Self {
        self.any(|writer| writer.text(key), fill)
    }

    /// Adds an entry with a byte string as its key.
    pub fn bytes_entry(&mut self, key: &[u8], fill: impl FnOnce(&mut Writer)) -> &mut Self {
        self.any(|writer| writer.bytes(key), fill)
    }

    fn any(&mut self, key: impl FnOnce(&mut Writer), value: impl FnOnce(&mut Writer)) -> &mut Self {
        let [key, value] = {
            let mut writers = [Writer::new(), Writer::new()];
            let [k, v] = &mut writers;
            key(k);
            value(v);
            writers.map(|writer| writer.out)
        };
        self.entries.push(Entry { key, value });
        self
    }
}
