//! The document: what of it matters here.

use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use rand_core::CryptoRngCore;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::super::buffer::Cleared;
use super::super::{Error, Foreign, Found, base64};
use super::entry::{self, Attributes};
use super::stream::Stream;
use crate::calendar;
use crate::defaults;

/// An element that is open.
enum Element {
    /// A group, and whether it is the recycle bin or in it.
    Group { recycled: bool },
    /// An entry of the present.
    Entry(Box<Attributes>),
    /// An attribute, with its name once that is known.
    Attribute(Option<String>),
    /// An element whose text matters.
    Text(Text),
    /// A value that is encrypted in the document.
    Protected,
    /// Entries of the past.
    History,
    /// Anything else, by the name that its children are asked for.
    Other(Other),
}

#[derive(Clone, Copy)]
enum Text {
    Key,
    Value,
    GroupId,
    RecycleBin,
    Created,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Other {
    Meta,
    Times,
    Unknown,
}

struct Walk {
    open: Vec<Element>,
    text: Cleared,
    stream: Stream,
    recycle_bin: Option<Vec<u8>>,
    /// How many of the open elements are history.
    past: usize,
    found: Vec<Found>,
}

/// The passkeys of a document.
///
/// # Errors
/// [`Error::Shape`], [`Error::TooDeep`], [`Error::TooMany`],
/// [`Error::Truncated`], [`Error::Damaged`].
pub(super) fn read(xml: &[u8], stream: Stream) -> Result<Vec<Found>, Error> {
    let xml = xml.strip_prefix(b"\xef\xbb\xbf").unwrap_or(xml);
    let text = std::str::from_utf8(xml).map_err(|_| Error::Shape("it is not UTF-8".into()))?;
    let mut reader = Reader::from_str(text);
    let mut walk = Walk {
        open: Vec::new(),
        text: Cleared::default(),
        stream,
        recycle_bin: None,
        past: 0,
        found: Vec::new(),
    };
    let mut seen_any = false;
    loop {
        // What the library says may quote the document.
        let event = reader.read_event().map_err(|error| match error {
            quick_xml::Error::Syntax(_) => Error::Truncated,
            _ => Error::Shape(format!("byte {} of its XML", reader.error_position())),
        })?;
        match event {
            Event::Start(start) => {
                seen_any = true;
                walk.begin(&start)?;
            }
            Event::Empty(start) => {
                seen_any = true;
                walk.begin(&start)?;
                walk.end()?;
            }
            Event::End(_) => walk.end()?,
            Event::Text(text) => walk.add(text.xml10_content().as_bytes()),
            Event::CData(text) => walk.add(text.xml10_content().as_bytes()),
            Event::GeneralRef(name) => walk.reference(&name)?,
            // Only a document type could name entities that grow.
            Event::DocType(_) => return Err(Error::Shape("its XML has a document type".into())),
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
            Event::Eof => break,
        }
    }
    if !walk.open.is_empty() || !seen_any {
        return Err(Error::Truncated);
    }
    Ok(walk.found)
}

impl Walk {
    fn begin(&mut self, start: &BytesStart<'_>) -> Result<(), Error> {
        if self.open.len() == defaults::MAX_EXCHANGE_DEPTH {
            return Err(Error::TooDeep);
        }
        self.text.clear();
        let name = start.name();
        let element = match (self.open.last(), name.as_ref()) {
            (_, "Value") if is_protected(start)? => Element::Protected,
            (None, "KeePassFile") => Element::Other(Other::Unknown),
            (None, _) => return Err(Error::Shape("its XML is no KeePassFile".into())),
            (_, "History") => {
                self.past += 1;
                Element::History
            }
            (parent, "Group") => {
                Element::Group { recycled: matches!(parent, Some(Element::Group { recycled: true })) }
            }
            (Some(Element::Group { recycled }), "Entry") if self.past == 0 => {
                Element::Entry(Box::new(Attributes::of_entry(*recycled)))
            }
            (Some(Element::Group { .. }), "UUID") => Element::Text(Text::GroupId),
            (Some(Element::Entry(_)), "String") => Element::Attribute(None),
            (Some(Element::Attribute(_)), "Key") => Element::Text(Text::Key),
            (Some(Element::Attribute(_)), "Value") => Element::Text(Text::Value),
            (Some(Element::Entry(_)), "Times") => Element::Other(Other::Times),
            (Some(Element::Other(Other::Times)), "CreationTime") => Element::Text(Text::Created),
            (Some(Element::Other(Other::Meta)), "RecycleBinUUID") => Element::Text(Text::RecycleBin),
            (_, "Meta") => Element::Other(Other::Meta),
            _ => Element::Other(Other::Unknown),
        };
        self.open.push(element);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Error> {
        let ended = self.open.pop().ok_or_else(|| Error::Shape("its XML ends twice".into()))?;
        match ended {
            Element::Text(text) => self.text_ended(text)?,
            Element::Protected => {
                let mut value = decoded(self.text.as_slice())?;
                self.stream.apply(&mut value)?;
                // The stream goes on over values that nobody asked for.
                let text = std::str::from_utf8(&value).ok();
                self.value(text.map(|text| Zeroizing::new(text.to_owned())));
            }
            Element::History => self.past -= 1,
            Element::Entry(attributes) => {
                if let Some(found) = attributes.into_found() {
                    if self.found.len() == defaults::MAX_EXCHANGE_PASSKEYS {
                        return Err(Error::TooMany("20,000 passkeys"));
                    }
                    self.found.push(found);
                }
            }
            Element::Group { .. } | Element::Attribute(_) | Element::Other(_) => {}
        }
        self.text.clear();
        Ok(())
    }

    fn text_ended(&mut self, text: Text) -> Result<(), Error> {
        match text {
            Text::Key => {
                let name = String::from_utf8_lossy(self.text.as_slice()).into_owned();
                if let Some(Element::Attribute(place)) = self.open.last_mut() {
                    *place = Some(name);
                }
            }
            Text::Value => {
                let text = std::str::from_utf8(self.text.as_slice()).ok();
                self.value(text.map(|text| Zeroizing::new(text.to_owned())));
            }
            Text::GroupId => {
                let id = decoded(self.text.as_slice())?;
                let is_bin = self.recycle_bin.as_ref().is_some_and(|bin| *bin == *id);
                if let Some(Element::Group { recycled }) = self.open.last_mut() {
                    *recycled |= is_bin;
                }
            }
            Text::RecycleBin => {
                let id = decoded(self.text.as_slice())?.to_vec();
                // 16 zeros say that there is none.
                self.recycle_bin = Some(id).filter(|id| id.iter().any(|byte| *byte != 0));
            }
            Text::Created => {
                let seconds = decoded(self.text.as_slice()).ok();
                let seconds =
                    seconds.and_then(|bytes| bytes.as_slice().try_into().ok()).map(u64::from_le_bytes);
                let at = self.open.len().checked_sub(2).and_then(|index| self.open.get_mut(index));
                if let Some(Element::Entry(attributes)) = at {
                    attributes.created_at =
                        seconds.and_then(|seconds| seconds.checked_sub(calendar::YEAR_ONE));
                }
            }
        }
        Ok(())
    }

    /// The value of the attribute that is open, if one is.
    fn value(&mut self, value: Option<Zeroizing<String>>) {
        let at = self.open.len().wrapping_sub(2);
        let name = match self.open.last_mut() {
            Some(Element::Attribute(name)) => name.take(),
            _ => None,
        };
        if let (Some(name), Some(value), Some(Element::Entry(attributes))) =
            (name, value, self.open.get_mut(at))
        {
            attributes.keep(&name, value);
        }
    }

    /// Text, where it matters.
    fn add(&mut self, text: &[u8]) {
        if matches!(self.open.last(), Some(Element::Text(_) | Element::Protected)) {
            self.text.push(text);
        }
    }

    fn reference(&mut self, name: &quick_xml::events::BytesRef<'_>) -> Result<(), Error> {
        let wrong = || Error::Shape("its XML names an entity".into());
        let character = match &**name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => name.resolve_char_ref().map_err(|_| wrong())?.ok_or_else(wrong)?,
        };
        self.add(character.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    }
}

fn is_protected(start: &BytesStart<'_>) -> Result<bool, Error> {
    let attribute = start.try_get_attribute("Protected").map_err(|_| Error::Shape("its XML".into()))?;
    Ok(attribute.is_some_and(|attribute| attribute.value.eq_ignore_ascii_case("true")))
}

fn decoded(text: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let text = std::str::from_utf8(text).ok();
    text.and_then(|text| base64::decode(text.trim())).ok_or_else(|| Error::Shape("Base64 in its XML".into()))
}

/// A document of these passkeys.
///
/// # Errors
/// [`Error::NoRandomness`]; [`Error::Damaged`] for a key that is none.
pub(super) fn write(
    passkeys: &[Foreign],
    now: u64,
    stream: &mut Stream,
    rng: &mut dyn CryptoRngCore,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut group = [0; 16];
    rng.try_fill_bytes(&mut group).map_err(|_| Error::NoRandomness)?;
    let group = base64::padded(&group);
    let now_text = time(now);
    let none = base64::padded(&[0; 16]);
    let mut out = Cleared::with_capacity(2048 * (passkeys.len() + 1));
    out.push(
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<KeePassFile><Meta>\
             <Generator>Cablecar</Generator><DatabaseName>Passkeys</DatabaseName>\
             <DatabaseNameChanged>{now}</DatabaseNameChanged><DatabaseDescription/>\
             <DatabaseDescriptionChanged>{now}</DatabaseDescriptionChanged><DefaultUserName/>\
             <DefaultUserNameChanged>{now}</DefaultUserNameChanged>\
             <MaintenanceHistoryDays>365</MaintenanceHistoryDays><Color/>\
             <MasterKeyChanged>{now}</MasterKeyChanged><MasterKeyChangeRec>-1</MasterKeyChangeRec>\
             <MasterKeyChangeForce>-1</MasterKeyChangeForce><MemoryProtection>\
             <ProtectTitle>False</ProtectTitle><ProtectUserName>False</ProtectUserName>\
             <ProtectPassword>True</ProtectPassword><ProtectURL>False</ProtectURL>\
             <ProtectNotes>False</ProtectNotes></MemoryProtection><CustomIcons/>\
             <RecycleBinEnabled>True</RecycleBinEnabled><RecycleBinUUID>{none}</RecycleBinUUID>\
             <RecycleBinChanged>{now}</RecycleBinChanged><HistoryMaxItems>10</HistoryMaxItems>\
             <HistoryMaxSize>6291456</HistoryMaxSize><CustomData/></Meta>\
             <Root><Group><UUID>{group}</UUID><Name>Passkeys</Name><Notes/><IconID>48</IconID>{times}\
             <IsExpanded>True</IsExpanded><EnableAutoType>null</EnableAutoType>\
             <EnableSearching>null</EnableSearching>",
            now = now_text,
            none = none.as_str(),
            group = group.as_str(),
            times = times(now, now),
        )
        .as_bytes(),
    );
    for passkey in passkeys {
        push_entry(&mut out, passkey, now, stream)?;
    }
    out.push(b"</Group><DeletedObjects/></Root></KeePassFile>\n");
    Ok(out.into_inner())
}

fn push_entry(out: &mut Cleared, passkey: &Foreign, now: u64, stream: &mut Stream) -> Result<(), Error> {
    // Stable, so that a database merged with an earlier one has no doubles.
    let id: Vec<u8> = Sha256::digest(&passkey.id).into_iter().take(16).collect();
    let made = passkey.created_at.unwrap_or(now);
    let front = format!(
        "<Entry><UUID>{}</UUID><IconID>0</IconID><ForegroundColor/><BackgroundColor/><OverrideURL/>\
         <Tags>Passkey</Tags>{}",
        base64::padded(&id).as_str(),
        times(made, now)
    );
    out.push(front.as_bytes());
    for (name, value, protected) in entry::attributes_of(passkey).ok_or(Error::Damaged("a key"))? {
        out.push(b"<String><Key>");
        out.push(name.as_bytes());
        out.push(b"</Key>");
        if protected {
            let mut hidden = Zeroizing::new(value.as_str().as_bytes().to_vec());
            stream.apply(&mut hidden)?;
            out.push(b"<Value Protected=\"True\">");
            out.push(base64::padded(&hidden).as_str().as_bytes());
        } else {
            out.push(b"<Value>");
            push_escaped(out, value.as_str());
        }
        out.push(b"</Value></String>");
    }
    out.push(
        b"<AutoType><Enabled>True</Enabled><DataTransferObfuscation>0</DataTransferObfuscation></AutoType>\
          <History/></Entry>",
    );
    Ok(())
}

fn push_escaped(out: &mut Cleared, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push(b"&amp;"),
            '<' => out.push(b"&lt;"),
            '>' => out.push(b"&gt;"),
            '"' => out.push(b"&quot;"),
            // No document may hold them, not even by number.
            '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}' => {
                out.push("\u{fffd}".as_bytes())
            }
            other => out.push(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

fn time(epoch: u64) -> String {
    let seconds = epoch.saturating_add(calendar::YEAR_ONE);
    base64::padded(&seconds.to_le_bytes()).as_str().to_owned()
}

fn times(made: u64, now: u64) -> String {
    let (made, now) = (time(made), time(now));
    format!(
        "<Times><LastModificationTime>{made}</LastModificationTime><CreationTime>{made}</CreationTime>\
         <LastAccessTime>{made}</LastAccessTime><ExpiryTime>{now}</ExpiryTime><Expires>False</Expires>\
         <UsageCount>0</UsageCount><LocationChanged>{made}</LocationChanged></Times>"
    )
}
