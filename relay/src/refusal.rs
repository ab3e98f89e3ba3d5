//! Sending people away: one status, one body, nothing that tells two askers
//! of the same status apart.

use std::time::Duration;

use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, SEC_WEBSOCKET_VERSION, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Bytes;
use serde::Serialize;

/// Why somebody was sent away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Why {
    /// No such path, or no tunnel to join: one answer for all.
    NotFound,
    /// Anything but GET.
    Method,
    /// A web page of somebody else.
    Origin,
    /// Not a websocket request of version 13.
    Websocket,
    /// `fido.cable` was not offered.
    Subprotocol,
    /// The tunnel id is in use.
    Taken,
    /// The source asks too much.
    Throttled,
    /// The relay is full.
    Full,
    /// Opening a tunnel needs a token, and this was none.
    Token,
    /// This network, or whoever asked, may not open tunnels.
    NotAllowed,
    /// Whoever decides could not be asked.
    Undecided,
    /// This network may do nothing.
    Blocked,
    /// There is no memory for one more tunnel.
    Memory,
    /// Too many TLS handshakes wait for their turn.
    Flooded,
    /// There are no descriptors.
    Exhausted,
    /// The relay ends, and opens no tunnels.
    Draining,
    /// Not HTTP.
    Malformed,
    /// The request's head is too large.
    HeadTooLarge,
    /// The proxy in front did not say whom it brings.
    Proxy,
    /// TLS could not be agreed on.
    Tls,
    /// The connection took too long to say what it wants.
    TooSlow,
    /// Dropped unread, beside others that were told why.
    Crowded,
}

impl Why {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::NotFound,
        Self::Method,
        Self::Origin,
        Self::Websocket,
        Self::Subprotocol,
        Self::Taken,
        Self::Throttled,
        Self::Full,
        Self::Token,
        Self::NotAllowed,
        Self::Undecided,
        Self::Blocked,
        Self::Memory,
        Self::Flooded,
        Self::Exhausted,
        Self::Draining,
        Self::Malformed,
        Self::HeadTooLarge,
        Self::Proxy,
        Self::Tls,
        Self::TooSlow,
        Self::Crowded,
    ];

    /// Its name in events, logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::Method => "method",
            Self::Origin => "origin",
            Self::Websocket => "websocket",
            Self::Subprotocol => "subprotocol",
            Self::Taken => "taken",
            Self::Throttled => "throttled",
            Self::Full => "full",
            Self::Token => "token",
            Self::NotAllowed => "not-allowed",
            Self::Undecided => "undecided",
            Self::Blocked => "blocked",
            Self::Memory => "memory",
            Self::Flooded => "flooded",
            Self::Exhausted => "exhausted",
            Self::Draining => "draining",
            Self::Malformed => "malformed",
            Self::HeadTooLarge => "head-too-large",
            Self::Proxy => "proxy",
            Self::Tls => "tls",
            Self::TooSlow => "too-slow",
            Self::Crowded => "crowded",
        }
    }
}

/// A refusal as it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    why: Why,
    retry_after: Option<Duration>,
}

impl Refusal {
    pub(crate) const fn new(why: Why) -> Self {
        Self { why, retry_after: None }
    }

    pub(crate) const fn later(why: Why, pause: Duration) -> Self {
        Self { why, retry_after: Some(pause) }
    }

    pub(crate) fn why(self) -> Why {
        self.why
    }

    pub(crate) fn status(self) -> Option<StatusCode> {
        status_and_text(self.why).map(|(status, _)| status)
    }

    /// The answer. Where there is none to give, a plain 400.
    pub(crate) fn response(self) -> Response<Full<Bytes>> {
        let (status, text) = status_and_text(self.why).unwrap_or((StatusCode::BAD_REQUEST, "bad request\n"));
        let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        match self.why {
            Why::Method => {
                headers.insert(ALLOW, HeaderValue::from_static("GET"));
            }
            Why::Token => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Why::Websocket => {
                headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            }
            _ => {}
        }
        if let Some(pause) = self.retry_after {
            // Rounded up: who comes back in time must not be early.
            headers.insert(RETRY_AFTER, HeaderValue::from(pause.as_secs() + 1));
        }
        response
    }
}

fn status_and_text(why: Why) -> Option<(StatusCode, &'static str)> {
    Some(match why {
        Why::NotFound => (StatusCode::NOT_FOUND, "not found\n"),
        Why::Method => (StatusCode::METHOD_NOT_ALLOWED, "only GET\n"),
        Why::Origin => (StatusCode::FORBIDDEN, "not from this origin\n"),
        Why::Websocket => (StatusCode::BAD_REQUEST, "a websocket request of version 13 is needed\n"),
        Why::Subprotocol => (StatusCode::BAD_REQUEST, "subprotocol fido.cable is needed\n"),
        Why::Taken => (StatusCode::CONFLICT, "this tunnel is in use\n"),
        Why::Throttled => (StatusCode::TOO_MANY_REQUESTS, "too many requests\n"),
        Why::Full => (StatusCode::SERVICE_UNAVAILABLE, "full\n"),
        Why::Token => (StatusCode::UNAUTHORIZED, "a token is needed\n"),
        Why::NotAllowed | Why::Blocked => (StatusCode::FORBIDDEN, "not allowed\n"),
        Why::Undecided => (StatusCode::SERVICE_UNAVAILABLE, "not now\n"),
        Why::Memory => (StatusCode::SERVICE_UNAVAILABLE, "full\n"),
        Why::Draining => (StatusCode::SERVICE_UNAVAILABLE, "going away\n"),
        Why::Malformed => (StatusCode::BAD_REQUEST, "bad request\n"),
        Why::HeadTooLarge => (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, ""),
        Why::Proxy | Why::Tls | Why::TooSlow | Why::Crowded | Why::Flooded | Why::Exhausted => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_one_name_everywhere() {
        for why in Why::ALL {
            assert_eq!(serde_json::to_string(why).unwrap(), format!("\"{}\"", why.name()));
        }
    }
}
