//! What a tunnel carries of CTAP: requests, responses, and what is in them.

use cablecar_protocol::cbor;
use cablecar_protocol::ctap::{AuthenticatorData, Flags, GetInfo, Response, get_assertion, make_credential};

/// `GetInfo::parse`.
pub fn get_info(data: &[u8]) {
    if let Ok(read) = GetInfo::parse(data) {
        assert_eq!(GetInfo::parse(&read.to_bytes()).as_ref(), Ok(&read));
    }
}

/// `make_credential::Request::parse`.
pub fn make_credential_request(data: &[u8]) {
    if let Ok(mut read) = make_credential::Request::parse(data) {
        read.pin_uv_auth = false; // is only ever read
        assert_eq!(make_credential::Request::parse(&read.to_bytes()[1..]), Ok(read));
    }
}

/// `get_assertion::Request::parse`.
pub fn get_assertion_request(data: &[u8]) {
    if let Ok(mut read) = get_assertion::Request::parse(data) {
        read.pin_uv_auth = false; // is only ever read
        read.has_allow_list = !read.allow.is_empty(); // of unknown types nothing is kept
        assert_eq!(get_assertion::Request::parse(&read.to_bytes()[1..]), Ok(read));
    }
}

/// `make_credential::Response::parse`, behind the status.
pub fn make_credential_response(data: &[u8]) {
    let Ok(response) = Response::split(data) else { return assert!(data.is_empty()) };
    assert_eq!(response.status.with(response.body), data);
    if let Ok(read) = make_credential::Response::parse(response.body) {
        assert_eq!(make_credential::Response::parse(&read.to_bytes()).as_ref(), Ok(&read));
        assert!(cbor::parse(&read.attestation_object(), cbor::CTAP_DEPTH).is_ok());
    }
}

/// `get_assertion::Response::parse`, behind the status.
pub fn get_assertion_response(data: &[u8]) {
    let Ok(response) = Response::split(data) else { return assert!(data.is_empty()) };
    if let Ok(read) = get_assertion::Response::parse(response.body) {
        assert_eq!(get_assertion::Response::parse(&read.to_bytes()), Ok(read));
    }
}

/// `AuthenticatorData::parse`.
pub fn authenticator_data(data: &[u8]) {
    if let Ok(read) = AuthenticatorData::parse(data) {
        assert_eq!(read.as_bytes(), data);
        assert_eq!(read.extensions().is_some(), read.flags.has(Flags::ED));
        assert_eq!(read.attested.is_some(), read.flags.has(Flags::AT));
        let attested = read.attested.clone();
        let _ = attested.as_ref().and_then(|credential| credential.algorithm());
        if !read.flags.has(Flags::ED) {
            assert_eq!(AuthenticatorData::new(read.rp_id_hash, read.flags.0, read.counter, attested), read);
        }
    }
}
