//! Hearing adverts.

pub mod air;
pub mod btleplug;
pub mod fault;
mod inbox;
pub mod sieve;

use std::future::Future;
use std::net::SocketAddr;

use cablecar_protocol::eid::ServiceData;

use crate::error::Error;

/// With what to hear a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ear {
    /// The Bluetooth adapter of this name, or any.
    Bluetooth(Option<String>),
    /// UDP on a loopback address, in place of a radio.
    Air(SocketAddr),
}

/// Something that hears service data under the hybrid transport's UUIDs.
pub trait Scanner: Send {
    /// The next service data heard, whoever sent it. Dropping the future
    /// loses nothing.
    ///
    /// # Errors
    /// [`Error::Radio`] if nothing can be heard any more.
    fn heard(&mut self) -> impl Future<Output = Result<ServiceData, Error>> + Send;
}
