//! Where there is no BlueZ: other systems let no program broadcast service
//! data.

use std::convert::Infallible;

use cablecar_protocol::eid::Advert;

use super::{Advertiser, Error};

/// A radio that there cannot be.
#[derive(Debug)]
pub struct Bluetooth(Infallible);

impl Bluetooth {
    /// Says so.
    ///
    /// # Errors
    /// [`Error::Unsupported`], always.
    #[allow(clippy::unused_async, reason = "elsewhere it waits")]
    pub async fn open(_wanted: Option<&str>) -> Result<Self, Error> {
        Err(Error::Unsupported)
    }

    /// The adapter's name.
    pub fn name(&self) -> &str {
        match self.0 {}
    }
}

impl Advertiser for Bluetooth {
    type Beacon = Infallible;

    async fn advertise(&mut self, _advert: Advert) -> Result<Infallible, crate::error::Error> {
        match self.0 {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn another_system_says_why_it_cannot() {
        let error = Bluetooth::open(None).await.unwrap_err();
        assert_eq!((error.clone(), error.advice().0), (Error::Unsupported, "radio.unavailable"));
    }
}
