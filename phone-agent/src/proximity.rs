//! Showing that this phone is near: adverts that the computer has to hear.

pub mod air;

use std::future::Future;

use cablecar_protocol::eid::Advert;

use crate::error::Error;

/// Something that puts adverts on the air.
pub trait Advertiser: Send {
    /// What keeps an advert on the air. Dropping it ends that, at once.
    type Beacon: Send;

    /// Puts an advert on the air under the transport's UUID.
    ///
    /// # Errors
    /// [`Error::Radio`] if nothing can be sent.
    fn advertise(&mut self, advert: Advert) -> impl Future<Output = Result<Self::Beacon, Error>> + Send;
}
