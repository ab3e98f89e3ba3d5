//! What an operator should know about a certificate: until when it is valid,
//! and of which kind its key is. Whether it is a good one is for clients.

use std::time::{Duration, SystemTime};

/// Two facts about a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Facts {
    /// When it ends to be valid.
    pub(crate) not_after: SystemTime,
    /// Whether its key is RSA.
    pub(crate) rsa: bool,
}

// RFC 5280, section 4.1, in DER:
//
//   Certificate    ::= SEQUENCE { tbs, … }
//   TBSCertificate ::= SEQUENCE { [0] version OPTIONAL, serial, algorithm,
//                                 issuer, validity, subject, key, … }
//   Validity       ::= SEQUENCE { notBefore, notAfter }
//   PublicKeyInfo  ::= SEQUENCE { SEQUENCE { OBJECT IDENTIFIER, … }, … }
const INTEGER: u8 = 0x02;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// 1.2.840.113549.1.1: all of PKCS #1 begins so.
const RSA: [u8; 8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];

impl Facts {
    /// Of a certificate in DER; `None` if it is none.
    pub(crate) fn of(certificate: &[u8]) -> Option<Self> {
        let mut certificate = Reader(certificate).expect(SEQUENCE)?;
        let mut tbs = certificate.expect(SEQUENCE)?;
        tbs.optional(VERSION);
        tbs.expect(INTEGER)?;
        let [_algorithm, _issuer] = [tbs.expect(SEQUENCE)?, tbs.expect(SEQUENCE)?];
        let mut validity = tbs.expect(SEQUENCE)?;
        let _subject = tbs.expect(SEQUENCE)?;
        let mut algorithm = tbs.expect(SEQUENCE)?.expect(SEQUENCE)?;
        let rsa = algorithm.expect(OBJECT_IDENTIFIER)?.0.starts_with(&RSA);
        let _not_before = validity.next()?;
        let not_after = match validity.next()? {
            (UTC_TIME, text) => time(text, 2)?,
            (GENERALIZED_TIME, text) => time(text, 4)?,
            _ => return None,
        };
        Some(Self { not_after, rsa })
    }
}

/// What is left of a piece of DER.
#[derive(Debug, Clone, Copy)]
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The next tag and its content.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&[tag, length], rest) = self.0.split_first_chunk()?;
        let (length, rest) = match length {
            0..=0x7f => (usize::from(length), rest),
            0x81..=0x83 => {
                let (digits, rest) = rest.split_at_checked(usize::from(length & 0x0f))?;
                (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }

    fn expect(&mut self, tag: u8) -> Option<Self> {
        self.next().filter(|(found, _)| *found == tag).map(|(_, content)| Self(content))
    }

    fn optional(&mut self, tag: u8) {
        if self.0.first() == Some(&tag) {
            self.next();
        }
    }
}

/// `YYMMDDHHMMSSZ`, or with four digits of the year.
fn time(text: &[u8], year_digits: usize) -> Option<SystemTime> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (year, rest) = text.split_at_checked(year_digits)?;
    let year: u64 = year.parse().ok()?;
    // RFC 5280, section 4.1.2.5.1
    let year = match year_digits {
        2 if year < 50 => 2000 + year,
        2 => 1900 + year,
        _ => year,
    };
    let number = |at: usize| rest.get(at..at + 2)?.parse::<u64>().ok();
    let [month, day, hour, minute, second] = [number(0)?, number(2)?, number(4)?, number(6)?, number(8)?];
    let seconds = days_since_1970(year, month, day)? * 86_400 + hour * 3_600 + minute * 60 + second;
    // 9999-12-31 means for ever, and some systems end earlier.
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// Of the Gregorian calendar, counting years from March so that the day that
/// some have more is their last.
fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !(1970..=9999).contains(&year) {
        return None;
    }
    let year = if month > 2 { year } else { year - 1 };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    // 719,468 days from 0000-03-01 to 1970-01-01
    (year * 365 + year / 4 - year / 100 + year / 400 + day_of_year).checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(time: SystemTime) -> u64 {
        time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
    }

    #[test]
    fn the_end_is_read_as_it_was_written() {
        // before and after 2050 the form differs
        for (year, month, day, end) in [
            (2027, 2, 28, 1_803_772_800),
            (2028, 2, 29, 1_835_395_200),
            (2049, 12, 31, 2_524_521_600),
            (2051, 3, 1, 2_561_241_600),
        ] {
            let mut params = rcgen::CertificateParams::new(vec!["relay.example".into()]).unwrap();
            params.not_after = rcgen::date_time_ymd(year, month, day);
            let made = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
            let facts = Facts::of(made.der()).unwrap();
            assert_eq!(seconds(facts.not_after), end, "{year}");
            assert!(!facts.rsa);
        }
    }

    #[test]
    fn whatever_is_no_certificate_is_none() {
        let made = rcgen::generate_simple_self_signed(vec!["relay.example".into()]).unwrap();
        let der = made.cert.der();
        for length in 0..der.len() {
            assert_eq!(Facts::of(&der[..length]), None, "{length}");
        }
        for at in 0..der.len() {
            let mut damaged = der.to_vec();
            damaged[at] ^= 0xff;
            let _ = Facts::of(&damaged);
        }
        assert_eq!(Facts::of(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(time(b"261332000000Z", 2), None);
        assert_eq!(time(b"2611Z", 2), None);
    }
}
