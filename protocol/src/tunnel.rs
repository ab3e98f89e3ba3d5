//! What client platform, authenticator and tunnel service must spell alike:
//! names of hosts, paths, headers, the subprotocol and the reasons to close.
//!
//! The two clients ask the tunnel service different questions, so each has a
//! websocket client of its own; what they share is data, and it is here.

mod client_payload;
mod connect_to;
mod domain;
mod route;

pub use client_payload::ClientPayload;
pub use connect_to::{ConnectTo, NotConnectTo};
pub use domain::TunnelServiceDomain;
pub use route::{Dial, Route};

use crate::error::{Error, How};
use crate::ids::RoutingId;

/// The websocket subprotocol that both sides offer and the tunnel service
/// must select. Chromium fails without it.
pub const SUBPROTOCOL: &str = "fido.cable";

/// Header of the answer to `/cable/new/`: the routing id, 6 hexadecimal digits.
pub const ROUTING_ID_HEADER: &str = "X-caBLE-Routing-ID";

/// Header of a request to `/cable/contact/`: the [`ClientPayload`] in hexadecimal.
pub const CLIENT_PAYLOAD_HEADER: &str = "X-caBLE-Client-Payload";

/// Header of a request to `/cable/contact/`: the client would like one byte
/// `00` when the authenticator joins; echoed if the service will send it.
pub const SIGNAL_CONNECTION_HEADER: &str = "X-caBLE-Signal-Connection";

/// Largest message that any side reads, in bytes: Chromium's own limit for
/// incoming websocket messages.
pub const MAX_MESSAGE: usize = 1 << 20;

/// Reads the routing id out of every value that the answer's
/// [`ROUTING_ID_HEADER`] had.
///
/// # Errors
/// [`How::RoutingId`] unless there is exactly one value of 6 hexadecimal
/// digits, as Chromium demands of it.
pub fn routing_id_from_headers<'a>(mut values: impl Iterator<Item = &'a [u8]>) -> Result<RoutingId, Error> {
    let only = match (values.next(), values.next()) {
        (Some(value), None) => std::str::from_utf8(value).ok(),
        _ => None,
    };
    only.and_then(|text| RoutingId::from_hex(text).ok()).ok_or(Error::Misbehaved(How::RoutingId))
}

/// Why a tunnel service ends a tunnel, as a websocket close code (RFC 6455,
/// section 7.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseReason {
    /// The other side closed, in order.
    Normal,
    /// The other side vanished, or the service is going away.
    GoingAway,
    /// A frame that breaks the websocket protocol, or an empty message.
    ProtocolError,
    /// A text message.
    NotBinary,
    /// Too many messages, too many bytes, too long a life, or no progress.
    Policy,
    /// A message over the size limit.
    TooBig,
    /// The service failed.
    Internal,
    /// The service restarts.
    Restart,
}

impl CloseReason {
    /// The websocket close code.
    pub const fn code(self) -> u16 {
        match self {
            CloseReason::Normal => 1000,
            CloseReason::GoingAway => 1001,
            CloseReason::ProtocolError => 1002,
            CloseReason::NotBinary => 1003,
            CloseReason::Policy => 1008,
            CloseReason::TooBig => 1009,
            CloseReason::Internal => 1011,
            CloseReason::Restart => 1012,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_routing_id_header_must_be_there_once() {
        let read = |values: &[&str]| routing_id_from_headers(values.iter().map(|v| v.as_bytes()));
        assert_eq!(read(&["a1B2c3"]), Ok(RoutingId::new([0xa1, 0xb2, 0xc3])));
        for bad in [&[][..], &["A1B2C3", "A1B2C3"], &["A1B2"], &["A1B2C3 "], &["A1B2C300"], &[""]] {
            assert_eq!(read(bad), Err(Error::Misbehaved(How::RoutingId)), "{bad:?}");
        }
    }
}
