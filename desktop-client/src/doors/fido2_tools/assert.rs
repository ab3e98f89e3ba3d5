//! `fido2-assert`.

use cablecar_protocol::ctap::get_assertion::{Request, Response};
use cablecar_protocol::ctap::{AuthenticatorData, CredentialDescriptor, Flags, Options as CtapOptions};
use cablecar_protocol::qr::Hint;
use p256::ecdsa::signature::Verifier as _;
use sha2::{Digest, Sha256};

use super::arguments::Options;
use super::files::{self, Lines, line};
use super::{Failure, cred};
use crate::defaults;
use crate::error::{Error, Mismatch};
use crate::transaction::Ask;

/// `-G`: in comes the client data hash, the RP ID and, without `-r`, the
/// credential; out go hash, RP ID, authenticator data, signature and, with
/// `-r`, the user.
pub(super) fn get(
    options: &Options,
    put: impl FnOnce(&Ask) -> Result<Vec<u8>, Error>,
) -> Result<(), Failure> {
    let [_device] = options.rest.as_slice() else { return Err(Failure::Usage) };
    let is_resident = options.has('r');
    let uv = verification(options)?;
    let mut lines = Lines::open(options.value('i'))?;
    let client_data_hash = lines.client_data_hash(options.has('w'))?;
    let rp_id = lines.text()?;
    let allow = match is_resident {
        true => vec![],
        false => vec![CredentialDescriptor { id: lines.blob()?, transports: vec![] }],
    };
    let request = Request {
        rp_id: rp_id.clone(),
        client_data_hash,
        has_allow_list: !allow.is_empty(),
        allow,
        prf: None,
        options: CtapOptions { uv, ..CtapOptions::default() },
        pin_uv_auth: false,
    };
    let ask = Ask {
        request: request.to_bytes(),
        hint: Hint::GetAssertion,
        life: defaults::REQUEST_LIFE,
        needs_uv: uv == Some(true),
        needs_rk: false,
    };
    let failed = |error| Failure::Function("fido_dev_get_assert", error);
    let answer = put(&ask).map_err(failed)?;
    let response = cred::body(&answer)
        .and_then(|body| Response::parse(body).map_err(|_| Mismatch::Unreadable.into()))
        .map_err(failed)?;
    let data = response.authenticator_data.as_bytes();
    if response.authenticator_data.rp_id_hash.as_slice() != Sha256::digest(&rp_id).as_slice() {
        return Err(failed(Mismatch::RpIdHash.into()));
    }
    let is_another = |id: &[u8]| request.allow.first().is_some_and(|asked| asked.id != id);
    if response.credential.as_ref().is_some_and(|credential| is_another(&credential.id)) {
        return Err(failed(Mismatch::Credential.into()));
    }
    let mut output = line(&request.client_data_hash) + &rp_id + "\n";
    output += &line(&files::wrapped(data));
    output += &line(&response.signature);
    if is_resident {
        output += &line(&response.user.map(|user| user.id).unwrap_or_default());
    }
    files::write(options.value('o'), &output)
}

/// What `-v` and `-t` say of user verification. A PIN is never asked for: the
/// phone verifies in its own way.
fn verification(options: &Options) -> Result<Option<bool>, Failure> {
    let mut uv = options.has('v').then_some(true);
    for toggle in options.values('t') {
        match toggle {
            "up=true" => {}
            "uv=true" | "pin=true" => uv = Some(true),
            "uv=false" => uv = Some(false),
            "pin=false" => uv = None,
            "up=false" => return Err(Failure::said("-t up=false is not for phones: they always ask")),
            other => return Err(Failure::Said(format!("unknown option '{other}'"))),
        }
    }
    // CTAP 2.1, 6.2: a platform leaves out what is false anyway.
    Ok(uv.filter(|uv| *uv))
}

/// `-V`: in comes what `-G` put out. Says nothing if all is well.
pub(super) fn verify(options: &Options) -> Result<(), Failure> {
    let key = match options.rest.as_slice() {
        [key] => key,
        [key, kind] => {
            cred::only_es256(kind)?;
            key
        }
        _ => return Err(Failure::Usage),
    };
    let key = files::read_pem(key)?;
    let mut lines = Lines::open(options.value('i'))?;
    let client_data_hash = lines.client_data_hash(false)?;
    let rp_id = lines.text()?;
    let blob = lines.blob()?;
    let data = files::unwrapped(&blob)?;
    let signature = lines.blob()?;
    let refused = |why: &str| Failure::Said(format!("fido_assert_verify: {why}"));
    let parsed = AuthenticatorData::parse(data).map_err(|_| refused("FIDO_ERR_INVALID_ARGUMENT"))?;
    let lacks = |letter, flag| options.has(letter) && !parsed.flags.has(flag);
    if parsed.rp_id_hash.as_slice() != Sha256::digest(&rp_id).as_slice()
        || lacks('p', Flags::UP)
        || lacks('v', Flags::UV)
    {
        return Err(refused("FIDO_ERR_INVALID_PARAM"));
    }
    let signed = [data, &client_data_hash].concat();
    let signature = p256::ecdsa::Signature::from_der(&signature);
    let key = p256::ecdsa::VerifyingKey::from(key);
    match signature.and_then(|signature| key.verify(&signed, &signature)) {
        Ok(()) => Ok(()),
        Err(_) => Err(refused("FIDO_ERR_INVALID_SIG")),
    }
}
