//! Bytes as decimal digits, which a QR code holds cheaper than bytes.
//!
//! Seven bytes at a time, read as a little-endian integer, written with
//! leading zeros in 17 digits; a shorter last chunk in fewer:
//!
//! | bytes | 7 | 6 | 5 | 4 | 3 | 2 | 1 |
//! |---|---|---|---|---|---|---|---|
//! | digits | 17 | 15 | 13 | 10 | 8 | 5 | 3 |

use zeroize::Zeroizing;

use crate::error::{Error, What};

/// Digits of a chunk of 0 to 7 bytes.
const WIDTHS: [usize; 8] = [0, 3, 5, 8, 10, 13, 15, 17];
const CHUNK: usize = 7;

/// The digits of `bytes`.
pub fn encode(bytes: &[u8]) -> Zeroizing<String> {
    use std::fmt::Write as _;
    // Room for all of it at once, so that growing leaves no copy behind.
    let mut text = Zeroizing::new(String::with_capacity(bytes.len().div_ceil(CHUNK) * 17));
    for chunk in bytes.chunks(CHUNK) {
        let value = chunk.iter().rev().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
        let width = WIDTHS.get(chunk.len()).copied().unwrap_or(0);
        // Writing into a String cannot fail.
        let _ = write!(text, "{value:0width$}");
    }
    text
}

/// The bytes of `digits`.
///
/// # Errors
/// [`What::Digits`] for any character outside ASCII `0`-`9`, a tail of an
/// impossible length, or a value that does not fit its bytes.
pub fn decode(digits: &str) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::with_capacity(digits.len().div_ceil(17) * CHUNK);
    for chunk in digits.as_bytes().chunks(17) {
        let length = WIDTHS.iter().position(|width| *width == chunk.len());
        let value = chunk.iter().try_fold(0u64, |value, c| {
            // 17 digits stay below 2^57.
            c.is_ascii_digit().then(|| value * 10 + u64::from(c - b'0'))
        });
        let (Some(length), Some(value)) = (length, value) else {
            return Err(Error::Malformed(What::Digits));
        };
        let little_endian = value.to_le_bytes();
        let (kept, cut) = little_endian.split_at_checked(length).unwrap_or((&[], &[1]));
        if cut.iter().any(|byte| *byte != 0) {
            return Err(Error::Malformed(What::Digits));
        }
        bytes.extend_from_slice(kept);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_encoded_decodes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(decode(&encode(&bytes)), Ok(bytes));
        }

        #[test]
        fn what_decodes_encodes_to_the_same_digits(text in "[0-9]{0,60}") {
            if let Ok(bytes) = decode(&text) {
                prop_assert_eq!(&*encode(&bytes), &text);
            }
        }
    }
}
