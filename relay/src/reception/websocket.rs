//! What a websocket request must have, and what the answer has.

use std::sync::LazyLock;
use std::time::SystemTime;

use cablecar_protocol::ids::RoutingId;
use cablecar_protocol::tunnel::{ROUTING_ID_HEADER, SUBPROTOCOL};
use http::header::{
    CONNECTION, DATE, HOST, HeaderMap, HeaderName, ORIGIN, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderValue, Request, Response, StatusCode, Version};
use http_body_util::Full;
use hyper::body::{Body, Bytes, Incoming};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

static ROUTING_ID: LazyLock<Option<HeaderName>> =
    LazyLock::new(|| HeaderName::from_bytes(ROUTING_ID_HEADER.as_bytes()).ok());

/// What an upgrade has and one more, so that none makes the table grow.
const HEADERS: usize = 8;

/// The upgrade. It alone says what time it is here: a client whose clock is
/// wrong learns it from nobody else.
pub(super) fn switching(key: &[u8], routing_id: Option<RoutingId>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.reserve(HEADERS);
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    if let Ok(date) = HeaderValue::try_from(httpdate::fmt_http_date(SystemTime::now())) {
        headers.insert(DATE, date);
    }
    if let Ok(accept) = HeaderValue::try_from(derive_accept_key(key)) {
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    let routing_id = routing_id.and_then(|id| HeaderValue::try_from(id.to_hex()).ok());
    if let (Some(name), Some(value)) = (&*ROUTING_ID, routing_id) {
        headers.insert(name, value);
    }
    response
}

/// The key of a well-formed websocket request (RFC 6455, section 4.2.1).
pub(super) fn websocket_key(request: &Request<Incoming>) -> Option<&[u8]> {
    let headers = request.headers();
    let has = |name, wanted: &str| tokens(headers, name).any(|token| token.eq_ignore_ascii_case(wanted));
    let key = only(headers, SEC_WEBSOCKET_KEY)?;
    // 16 bytes in base64: 22 digits and two signs of padding
    let digits = key.strip_suffix("==").filter(|digits| digits.len() == 22)?;
    let well_formed = request.version() == Version::HTTP_11
        && request.body().is_end_stream()
        && only(headers, HOST).is_some()
        && only(headers, SEC_WEBSOCKET_VERSION) == Some("13")
        && has(CONNECTION, "upgrade")
        && has(UPGRADE, "websocket")
        && digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
    well_formed.then_some(key.as_bytes())
}

/// No origin at all, as every program sends that is no browser; or that of
/// the relay itself, under the name by which it was asked or another of its own.
pub(super) fn origin_is_ours(headers: &HeaderMap, ours: &[String]) -> bool {
    if !headers.contains_key(ORIGIN) {
        return true;
    }
    let Some(origin) = only(headers, ORIGIN).and_then(|origin| origin.parse::<http::Uri>().ok()) else {
        return false;
    };
    let Some(host) = origin.host().filter(|_| origin.scheme().is_some()) else { return false };
    let asked = only(headers, HOST).and_then(|host| host.parse::<http::uri::Authority>().ok());
    asked.is_some_and(|asked| asked.host().eq_ignore_ascii_case(host))
        || ours.iter().any(|name| name.eq_ignore_ascii_case(host))
}

/// The value of a header that is there once.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

/// The comma-separated tokens of all headers of this name.
pub(super) fn tokens(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(',').map(str::trim))
}
