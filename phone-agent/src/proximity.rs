//! Showing that this phone is near: adverts that the computer has to hear.

pub mod air;
#[cfg(target_os = "linux")]
pub mod bluez;
#[cfg(any(not(target_os = "linux"), test))]
pub mod elsewhere;
mod error;
pub mod sandbox;

use std::future::Future;

use cablecar_protocol::eid::Advert;

#[cfg(target_os = "linux")]
pub use bluez::Bluetooth;
#[cfg(not(target_os = "linux"))]
pub use elsewhere::Bluetooth;
pub use error::Error;

use air::Air;

/// Something that puts adverts on the air.
pub trait Advertiser: Send {
    /// What keeps an advert on the air. Dropping it ends that, at once.
    type Beacon: Send;

    /// Puts an advert on the air under the transport's UUID.
    ///
    /// # Errors
    /// [`Radio`](crate::error::Error::Radio) if nothing can be sent.
    fn advertise(
        &mut self,
        advert: Advert,
    ) -> impl Future<Output = Result<Self::Beacon, crate::error::Error>> + Send;

    /// Waits until the advert is off the air though nobody dropped its
    /// beacon, and says why. Most never learn of it.
    fn lost(&mut self, _beacon: &mut Self::Beacon) -> impl Future<Output = crate::error::Error> + Send {
        std::future::pending()
    }
}

/// What a person chose to be heard by.
#[derive(Debug, Clone)]
pub enum Medium {
    /// The stand-in for the radio.
    Air(Air),
    /// The adapter of this name, or the first that can be used.
    Bluetooth(Option<String>),
}

impl Medium {
    /// Makes sure that it can be used.
    ///
    /// # Errors
    /// Why it cannot.
    pub async fn open(self) -> Result<Speaker, Error> {
        Ok(match self {
            Medium::Air(air) => Speaker::Air(air),
            Medium::Bluetooth(adapter) => Speaker::Bluetooth(Bluetooth::open(adapter.as_deref()).await?),
        })
    }
}

/// A medium that can be used.
#[derive(Debug)]
pub enum Speaker {
    /// The stand-in for the radio.
    Air(Air),
    /// The radio.
    Bluetooth(Bluetooth),
}

/// What keeps an advert on either medium.
#[derive(Debug)]
pub enum Beacon {
    /// The stand-in for the radio.
    Air(<Air as Advertiser>::Beacon),
    /// The radio.
    Bluetooth(<Bluetooth as Advertiser>::Beacon),
}

impl Advertiser for Speaker {
    type Beacon = Beacon;

    async fn advertise(&mut self, advert: Advert) -> Result<Beacon, crate::error::Error> {
        Ok(match self {
            Speaker::Air(air) => Beacon::Air(air.advertise(advert).await?),
            Speaker::Bluetooth(radio) => Beacon::Bluetooth(radio.advertise(advert).await?),
        })
    }

    async fn lost(&mut self, beacon: &mut Beacon) -> crate::error::Error {
        match (self, beacon) {
            (Speaker::Air(air), Beacon::Air(beacon)) => air.lost(beacon).await,
            (Speaker::Bluetooth(radio), Beacon::Bluetooth(beacon)) => radio.lost(beacon).await,
            // Somebody else's beacon.
            _ => std::future::pending().await,
        }
    }
}
