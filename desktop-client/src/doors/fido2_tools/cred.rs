//! `fido2-cred`.

use cablecar_protocol::cbor::{self, Writer};
use cablecar_protocol::ctap::make_credential::Response;
use cablecar_protocol::ctap::{AuthenticatorData, Command, EDDSA, ES256, Flags, Response as Answer, Status};
use cablecar_protocol::qr::Hint;
use p256::ecdsa::signature::Verifier as _;
use sha2::{Digest, Sha256};

use super::Failure;
use super::arguments::Options;
use super::files::{self, Lines, line};
use crate::defaults;
use crate::error::{Error, Mismatch};
use crate::transaction::Ask;
use crate::webauthn::{es256_key, refused};

/// `-M`: in come client data hash, RP ID, user name and user; out go hash, RP
/// ID, attestation format, authenticator data, credential, signature and, if
/// there is one, certificate.
///
/// Phones attest nothing (`none`), for which the tools have no form: in the
/// place of the signature stands the statement, an empty CBOR map.
pub(super) fn make(
    options: &Options,
    put: impl FnOnce(&Ask) -> Result<Vec<u8>, Error>,
) -> Result<(), Failure> {
    if options.value('c').is_some() {
        return Err(Failure::said("-c is not for phones: they protect every passkey in their own way"));
    }
    let kind = match options.rest.as_slice() {
        [_device] => options.value('t').unwrap_or("es256"),
        [_device, kind] => kind.as_str(),
        _ => return Err(Failure::Usage),
    };
    let algorithm = match kind {
        "es256" => ES256,
        "eddsa" => EDDSA,
        "es384" => -35,
        "rs256" => -257,
        other => return Err(Failure::Said(format!("unknown type {other}"))),
    };
    let mut lines = Lines::open(options.value('i'))?;
    let client_data_hash = lines.client_data_hash(options.has('w'))?;
    let rp_id = lines.text()?;
    let name = lines.text()?;
    let user = lines.blob()?;
    let (is_resident, is_verified) = (options.has('r'), options.has('v'));
    let map = Writer::map_of(|map| {
        map.entry(1, |w| w.bytes(&client_data_hash));
        map.entry(2, |w| {
            w.map(|map| {
                map.text_entry("id", |w| w.text(&rp_id));
            });
        });
        map.entry(3, |w| {
            w.map(|map| {
                map.text_entry("id", |w| w.bytes(&user)).text_entry("name", |w| w.text(&name));
            });
        });
        map.entry(4, |w| {
            w.array(|list| {
                list.push(|w| {
                    w.map(|map| {
                        map.text_entry("alg", |w| w.int(algorithm));
                        map.text_entry("type", |w| w.text("public-key"));
                    });
                });
            });
        });
        // Asked for as the tool does; a phone that has none passes over it.
        if options.has('h') {
            map.entry(6, |w| {
                w.map(|map| {
                    map.text_entry("hmac-secret", |w| w.bool(true));
                });
            });
        }
        if is_resident || is_verified {
            map.entry(7, |w| {
                w.map(|map| {
                    if is_resident {
                        map.text_entry("rk", |w| w.bool(true));
                    }
                    if is_verified {
                        map.text_entry("uv", |w| w.bool(true));
                    }
                });
            });
        }
    });
    let ask = Ask {
        request: Command::MakeCredential.with(&map),
        hint: Hint::MakeCredential,
        life: defaults::REQUEST_LIFE,
        needs_uv: is_verified,
        needs_rk: is_resident,
    };
    let failed = |error| Failure::Function("fido_dev_make_cred", error);
    let answer = put(&ask).map_err(failed)?;
    let response = body(&answer)
        .and_then(|body| Response::parse(body).map_err(|_| Mismatch::Unreadable.into()))
        .map_err(failed)?;
    let data = &response.authenticator_data;
    if data.rp_id_hash.as_slice() != Sha256::digest(&rp_id).as_slice() {
        return Err(failed(Mismatch::RpIdHash.into()));
    }
    let credential = data.attested.as_ref().ok_or_else(|| failed(Mismatch::Attested.into()))?;
    if credential.algorithm() != Some(algorithm) {
        return Err(failed(Mismatch::KeyAlgorithm.into()));
    }
    let mut output = line(&client_data_hash) + &rp_id + "\n" + &response.format + "\n";
    output += &line(&files::wrapped(data.as_bytes()));
    output += &line(&credential.id);
    output += &statement(&response.statement);
    files::write(options.value('o'), &output)
}

/// Signature and certificate of a statement that has a signature; the
/// statement otherwise.
fn statement(statement: &[u8]) -> String {
    let map = cbor::parse(statement, cbor::CTAP_DEPTH).ok().and_then(|item| item.as_map());
    let signature = map.as_ref().and_then(|map| map.get_text("sig")).and_then(|item| item.as_bytes());
    let Some(signature) = signature else { return line(statement) };
    let chain = map.as_ref().and_then(|map| map.get_text("x5c")).and_then(|item| item.as_array());
    let certificate = chain.and_then(|chain| chain.iter().next()).and_then(|item| item.as_bytes());
    line(signature) + &certificate.map(line).unwrap_or_default()
}

/// The body of an answer, or what its refusal means.
pub(super) fn body(answer: &[u8]) -> Result<&[u8], Error> {
    let answer = Answer::split(answer).map_err(|_| Mismatch::Unreadable)?;
    match answer.status {
        Status::OK => Ok(answer.body),
        refusal => Err(refused(refusal)),
    }
}

/// The other types exist there.
pub(super) fn only_es256(kind: &str) -> Result<(), Failure> {
    match kind {
        "es256" => Ok(()),
        "es384" | "rs256" | "eddsa" => Err(Failure::Said(format!("{kind} is not checked here, es256 is"))),
        other => Err(Failure::Said(format!("unknown type {other}"))),
    }
}

/// `-V`: in comes what `-M` put out; out go the credential and its key in PEM.
/// Of the formats, `none` is taken for what it says, and `packed` by the key
/// itself is checked.
pub(super) fn verify(options: &Options) -> Result<(), Failure> {
    match options.rest.as_slice() {
        [] => {}
        [kind] => only_es256(kind)?,
        _ => return Err(Failure::Usage),
    }
    if options.value('c').is_some() {
        return Err(Failure::said("-c is not checked here"));
    }
    let mut lines = Lines::open(options.value('i'))?;
    let client_data_hash = lines.client_data_hash(false)?;
    let rp_id = lines.text()?;
    let format = lines.text()?;
    let blob = lines.blob()?;
    let data = files::unwrapped(&blob)?;
    let id = lines.blob()?;
    let signature = lines.blob()?;
    let has_certificate = lines.text().is_ok_and(|line| !line.is_empty());

    let refused = |why: &str| Failure::Said(format!("fido_cred_verify_self: {why}"));
    let parsed = AuthenticatorData::parse(data).map_err(|_| refused("FIDO_ERR_INVALID_ARGUMENT"))?;
    let credential = parsed.attested.as_ref().ok_or_else(|| refused("FIDO_ERR_INVALID_ARGUMENT"))?;
    let key = es256_key(credential).ok_or_else(|| refused("FIDO_ERR_INVALID_ARGUMENT"))?;
    if parsed.rp_id_hash.as_slice() != Sha256::digest(&rp_id).as_slice()
        || credential.id != id
        || !parsed.flags.has(Flags::UP)
        || (options.has('v') && !parsed.flags.has(Flags::UV))
    {
        return Err(refused("FIDO_ERR_INVALID_PARAM"));
    }
    match format.as_str() {
        _ if has_certificate => return Err(Failure::said("certificates are not checked here")),
        // Nothing is said, so nothing can be wrong.
        "none" if signature == [0xa0] => {}
        "packed" => {
            let signed = [data, &client_data_hash].concat();
            let signature = p256::ecdsa::Signature::from_der(&signature);
            let verifying = p256::ecdsa::VerifyingKey::from(&key);
            let checked = signature.and_then(|signature| verifying.verify(&signed, &signature));
            checked.map_err(|_| refused("FIDO_ERR_INVALID_SIG"))?;
        }
        _ => return Err(refused("FIDO_ERR_INVALID_ARGUMENT")),
    }
    files::write(options.value('o'), &(line(&id) + &files::to_pem(&key)?))
}
