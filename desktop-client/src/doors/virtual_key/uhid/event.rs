//! Events of the kernel's `/dev/uhid`: what `struct uhid_event` of
//! `linux/uhid.h` says, as bytes. It is packed, in the machine's own order of
//! bytes, and part of the kernel's promise to programs.
//!
//! ```text
//! u32 type | what the type says
//! 11 CREATE2            name 128 | phys 64 | uniq 64 | u16 descriptor's size | u16 bus | u32 vendor
//!                       | u32 product | u32 version | u32 country | descriptor 4096
//! 12 INPUT2             u16 size | report 4096
//!  6 OUTPUT             report 4096 | u16 size | u8 kind
//!  9 GET_REPORT         u32 id | u8 number | u8 kind
//! 10 GET_REPORT_REPLY   u32 id | u16 error | u16 size | report 4096
//! 13 SET_REPORT         u32 id | u8 number | u8 kind | u16 size | report 4096
//! 14 SET_REPORT_REPLY   u32 id | u16 error
//!  1 DESTROY, 2 START, 3 STOP, 4 OPEN, 5 CLOSE
//! ```
//!
//! What is written may be short: the kernel adds zeros.

use crate::doors::virtual_key::packet::{REPORT, Report};

/// Bytes of the longest event, which is CREATE2.
pub const LONGEST: usize = 4 + 128 + 64 + 64 + 2 + 2 + 4 * 4 + DATA;

/// Bytes of a report or a descriptor within an event.
const DATA: usize = 4096;

/// What programs see as the key's name.
pub const NAME: &str = "Cablecar virtual security key";

/// USB, although no cable is there: libfido2 passes over keys on other buses.
const BUS_USB: u16 = 0x03;

/// The kind of a report that a program sends.
const OUTPUT_REPORT: u8 = 1;

/// EIO, the error for reports that a security key does not have.
const NO_SUCH_REPORT: u16 = 5;

/// What the key is (CTAP 2.2, 11.2.8.2): usage page f1d0, usage 1, reports of
/// 64 bytes without numbers in both directions.
pub const DESCRIPTOR: [u8; 34] = [
    0x06, 0xd0, 0xf1, // usage page: FIDO alliance
    0x09, 0x01, // usage: CTAPHID
    0xa1, 0x01, // collection: application
    0x09, 0x20, // usage: data in
    0x15, 0x00, // logical minimum 0
    0x26, 0xff, 0x00, // logical maximum 255
    0x75, 0x08, // report size 8 bits
    0x95, 0x40, // report count 64
    0x81, 0x02, // input: data, variable, absolute
    0x09, 0x21, // usage: data out
    0x15, 0x00, // logical minimum 0
    0x26, 0xff, 0x00, // logical maximum 255
    0x75, 0x08, // report size 8 bits
    0x95, 0x40, // report count 64
    0x91, 0x02, // output: data, variable, absolute
    0xc0, // end of the collection
];

/// What the kernel tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A program has sent a report. One that it wants to hear about has an id.
    Report(Report, Option<u32>),
    /// The first program has opened the key.
    Open,
    /// The last program has closed it.
    Close,
    /// A program wants a report that there is not; by its id.
    GetReport(u32),
    /// A program sets a report that there is not; by its id.
    SetReport(u32),
    /// START, STOP, and whatever a newer kernel tells.
    Other,
}

impl Event {
    /// Reads what the kernel wrote; what is short is meant to end in zeros.
    pub fn read(bytes: &[u8]) -> Self {
        let mut bytes = Bytes(bytes);
        match bytes.u32() {
            4 => Event::Open,
            5 => Event::Close,
            6 => {
                let data = bytes.take(DATA);
                let size = bytes.u16();
                Event::Report(report(data, size), None)
            }
            9 => Event::GetReport(bytes.u32()),
            13 => {
                let id = bytes.u32();
                let (_number, kind, size) = (bytes.u8(), bytes.u8(), bytes.u16());
                if kind == OUTPUT_REPORT {
                    Event::Report(report(bytes.0, size), Some(id))
                } else {
                    Event::SetReport(id)
                }
            }
            _ => Event::Other,
        }
    }
}

/// A report of the size that the kernel gives. Where programs name the report's
/// number before it, which is 0, the kernel leaves that to us.
fn report(data: &[u8], size: u16) -> Report {
    let data = data.get(..usize::from(size)).unwrap_or(data);
    let data = match data.split_first() {
        Some((0, rest)) if data.len() == REPORT + 1 => rest,
        _ => data,
    };
    let mut report = [0; REPORT];
    for (to, from) in report.iter_mut().zip(data) {
        *to = *from;
    }
    report
}

/// CREATE2: plugs the key in. It has no vendor's number: those are bought.
pub fn create() -> Vec<u8> {
    let mut event = 11u32.to_ne_bytes().to_vec();
    event.extend(text::<128>(NAME));
    event.extend(text::<64>(""));
    event.extend(text::<64>(""));
    event.extend(u16::try_from(DESCRIPTOR.len()).unwrap_or(0).to_ne_bytes());
    event.extend(BUS_USB.to_ne_bytes());
    let [vendor, product, version, country] = [0u32; 4];
    event.extend([vendor, product, version, country].map(u32::to_ne_bytes).concat());
    event.extend(DESCRIPTOR);
    event
}

/// DESTROY: pulls it out.
pub fn destroy() -> Vec<u8> {
    1u32.to_ne_bytes().to_vec()
}

/// INPUT2: a report for the programs.
pub fn input(report: &Report) -> Vec<u8> {
    let mut event = 12u32.to_ne_bytes().to_vec();
    event.extend(64u16.to_ne_bytes());
    event.extend(report);
    event
}

/// GET_REPORT_REPLY: there is no such report.
pub fn no_report(id: u32) -> Vec<u8> {
    let mut event = 10u32.to_ne_bytes().to_vec();
    event.extend(id.to_ne_bytes());
    event.extend(NO_SUCH_REPORT.to_ne_bytes());
    event.extend(0u16.to_ne_bytes());
    event
}

/// SET_REPORT_REPLY: taken, or there is no such report.
pub fn set_report(id: u32, taken: bool) -> Vec<u8> {
    let mut event = 14u32.to_ne_bytes().to_vec();
    event.extend(id.to_ne_bytes());
    event.extend(if taken { 0 } else { NO_SUCH_REPORT }.to_ne_bytes());
    event
}

fn text<const N: usize>(text: &str) -> [u8; N] {
    let mut field = [0; N];
    // The last byte stays zero.
    for (to, from) in field.iter_mut().take(N - 1).zip(text.bytes()) {
        *to = from;
    }
    field
}

/// Bytes that are taken from the front, and zeros behind their end.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, most: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(most.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        for (to, from) in array.iter_mut().zip(self.take(N)) {
            *to = *from;
        }
        array
    }

    fn u8(&mut self) -> u8 {
        u8::from_ne_bytes(self.array())
    }

    fn u16(&mut self) -> u16 {
        u16::from_ne_bytes(self.array())
    }

    fn u32(&mut self) -> u32 {
        u32::from_ne_bytes(self.array())
    }
}
