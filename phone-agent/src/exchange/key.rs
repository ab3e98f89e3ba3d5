//! Private keys, as other programs write them: PKCS#8, in DER or PEM.

use p256::SecretKey;
use p256::pkcs8::{ObjectIdentifier, PrivateKeyInfo};
use zeroize::Zeroizing;

use super::{Reason, base64};
use crate::vault::{Algorithm, PrivateKey, PublicKey};

const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// Algorithms that are known by name and not served.
const OTHERS: [(&str, &str); 8] = [
    ("1.2.840.113549.1.1.1", "RS256"),
    ("1.2.840.113549.1.1.10", "PS256"),
    ("1.3.101.113", "Ed448"),
    ("1.2.840.10045.3.1.1", "ECDSA on P-192"),
    ("1.3.132.0.10", "ES256K"),
    ("1.3.132.0.34", "ES384"),
    ("1.3.132.0.35", "ES512"),
    ("2.16.840.1.101.3.4.3.18", "ML-DSA-65"),
];

/// What stands before the 32 bytes of a seed.
const ED25519_BEFORE: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
/// What stands before the 32 bytes of a scalar.
const P256_BEFORE: [u8; 36] = [
    0x30, 0x81, 0x87, 2, 1, 0, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48,
    0xce, 0x3d, 3, 1, 7, 4, 0x6d, 0x30, 0x6b, 2, 1, 1, 4, 0x20,
];
/// What stands between them and the 64 bytes of an uncompressed public key.
const P256_BETWEEN: [u8; 6] = [0xa1, 0x44, 3, 0x42, 0, 4];

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// Reads PKCS#8 in DER: of version 1 or 2, with or without the public key.
/// One that is there has to fit.
///
/// # Errors
/// [`Reason::Algorithm`], [`Reason::BadKey`].
pub fn from_der(der: &[u8]) -> Result<PrivateKey, Reason> {
    let info = PrivateKeyInfo::try_from(der).map_err(|_| Reason::BadKey)?;
    match info.algorithm.oid {
        EC => match info.algorithm.parameters_oid() {
            Ok(P256) => {
                let secret = SecretKey::try_from(info).map_err(|_| Reason::BadKey)?;
                let scalar = Zeroizing::new(<[u8; 32]>::from(secret.to_bytes()));
                PrivateKey::from_secret(Algorithm::Es256, scalar.as_slice()).ok_or(Reason::BadKey)
            }
            Ok(curve) => Err(Reason::Algorithm(name_of(curve))),
            Err(_) => Err(Reason::BadKey),
        },
        ED25519 => {
            let [4, 32, seed @ ..] = info.private_key else { return Err(Reason::BadKey) };
            let key = PrivateKey::from_secret(Algorithm::EdDsa, seed).ok_or(Reason::BadKey)?;
            match (info.public_key, key.public()) {
                (None, _) => Ok(key),
                (Some(said), Some(PublicKey::Ed25519(public))) if said == public => Ok(key),
                _ => Err(Reason::BadKey),
            }
        }
        other => Err(Reason::Algorithm(name_of(other))),
    }
}

/// Reads PKCS#8 in PEM, or in Base64 without PEM's lines.
///
/// # Errors
/// [`Reason::Algorithm`], [`Reason::BadKey`].
pub fn from_pem(text: &str) -> Result<PrivateKey, Reason> {
    let text = text.trim();
    let inner = text.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(END)).unwrap_or(text);
    let mut line = Zeroizing::new(String::with_capacity(inner.len()));
    line.extend(inner.chars().filter(|c| !c.is_ascii_whitespace()));
    from_der(&base64::decode(&line).ok_or(Reason::BadKey)?)
}

/// PKCS#8 in DER, version 1, which everybody reads; of P-256 with the public
/// key in it. `None` for a key that has no public one, which cannot be.
pub fn to_der(key: &PrivateKey) -> Option<Zeroizing<Vec<u8>>> {
    // Room for the longer one, so that nothing moves.
    let mut der = Zeroizing::new(Vec::with_capacity(138));
    match key.public()? {
        PublicKey::Ed25519(_) => {
            der.extend_from_slice(&ED25519_BEFORE);
            der.extend_from_slice(key.expose());
        }
        PublicKey::P256 { x, y } => {
            der.extend_from_slice(&P256_BEFORE);
            der.extend_from_slice(key.expose());
            der.extend_from_slice(&P256_BETWEEN);
            der.extend_from_slice(&x);
            der.extend_from_slice(&y);
        }
    }
    Some(der)
}

/// PKCS#8 in PEM.
pub fn to_pem(key: &PrivateKey) -> Option<Zeroizing<String>> {
    let text = base64::padded(to_der(key)?.as_slice());
    let mut pem = Zeroizing::new(String::with_capacity(text.as_str().len() + 64));
    pem.push_str(BEGIN);
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at_checked(64).unwrap_or((rest, ""));
        pem.push('\n');
        pem.push_str(line);
        rest = more;
    }
    pem.push('\n');
    pem.push_str(END);
    pem.push('\n');
    Some(pem)
}

fn name_of(oid: ObjectIdentifier) -> String {
    let oid = oid.to_string();
    let known = OTHERS.iter().find(|(known, _)| *known == oid).map(|(_, name)| (*name).to_owned());
    known.unwrap_or(oid)
}

#[cfg(test)]
mod tests;
