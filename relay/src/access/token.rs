//! Bearer tokens, of which only the digests are kept.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// Tokens that may open a tunnel. Prints nothing of them.
pub(super) struct Tokens(Vec<[u8; 32]>);

/// The shortest that cannot be guessed: 96 bits in base64.
const SHORTEST: usize = 16;

impl Tokens {
    /// A token a line. Never says what a line holds.
    pub(super) fn parse(lines: Vec<&str>) -> Result<Self, String> {
        if lines.is_empty() {
            return Err("holds no token".into());
        }
        if let Some(short) = lines.iter().position(|line| line.len() < SHORTEST) {
            return Err(format!("has a token of less than {SHORTEST} characters, number {}", short + 1));
        }
        let sendable = |line: &&str| line.bytes().all(|byte| byte.is_ascii_graphic());
        if let Some(other) = lines.iter().position(|line| !sendable(line)) {
            return Err(format!("has a token with a space or another sign, number {}", other + 1));
        }
        Ok(Self(lines.iter().map(|line| digest(line)).collect()))
    }

    /// Whether it is one of them; looks at all, whichever it is.
    pub(super) fn hold(&self, token: &str) -> bool {
        let digest = digest(token);
        let any = self.0.iter().fold(Choice::from(0), |any, known| any | known.ct_eq(&digest));
        any.into()
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens({})", self.0.len())
    }
}
