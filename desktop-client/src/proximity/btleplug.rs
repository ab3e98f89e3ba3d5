//! The radio: btleplug, for every system.
//!
//! btleplug knows the adapters everywhere, and hears for us everywhere but on
//! Linux. There it would not do for this transport, so `bluez` listens to
//! BlueZ itself:
//!
//! - For each property that changes, and so twice for an advert, btleplug asks
//!   BlueZ back, one after the other. What comes meanwhile waits in a queue
//!   without an end. Of 2,600 adverts a second it read 900, and a phone would
//!   be heard ever later; `bluez` reads them all, with half the work.
//! - It does not pass on the service data with which a device appears, so an
//!   advert from a new address is heard only when it is repeated.
//! - It asks for classic Bluetooth too, for which many adapters stop hearing
//!   adverts for five seconds out of ten.
//! - It says nothing when BlueZ goes.
//!
//! Where it does hear, it keeps a record of each device for ever, so those are
//! thrown away from time to time.

#[cfg(target_os = "linux")]
mod bluez;
// On Linux for its test alone, which also says that it compiles.
#[cfg(any(not(target_os = "linux"), test))]
mod events;

use std::sync::Arc;

use btleplug::api::{Central, CentralState, Manager as _};
use btleplug::platform;
use cablecar_protocol::eid::ServiceData;
use tokio::time::timeout;

use super::Scanner;
use super::fault::{Fault, Sandbox, in_sandbox};
use super::inbox::Inbox;
use crate::defaults;
use crate::error::Error;

#[cfg(target_os = "linux")]
use bluez::Ear;
#[cfg(not(target_os = "linux"))]
use events::Ear;

/// An adapter that is there and on.
#[derive(Debug)]
pub struct Adapter {
    central: platform::Adapter,
    name: String,
}

impl Adapter {
    /// The one of that name, such as `hci0`; without a name, the first that is
    /// on, or the first. Takes [`defaults::RADIO`] at most.
    ///
    /// # Errors
    /// What keeps us from it.
    pub async fn choose(wanted: Option<&str>) -> Result<Self, Fault> {
        within(Self::choose_one(wanted)).await
    }

    async fn choose_one(wanted: Option<&str>) -> Result<Self, Fault> {
        #[cfg(target_os = "linux")]
        bluez::reach_bus().await?;
        let manager = platform::Manager::new().await.map_err(|cause| fault(cause, None))?;
        let mut adapters = Vec::new();
        for central in manager.adapters().await.map_err(|cause| fault(cause, None))? {
            // One that is pulled out meanwhile is not there.
            let Ok(info) = central.adapter_info().await else { continue };
            let name = info.split(' ').next().unwrap_or_default().to_owned();
            // Some systems say so only later; then the scan will.
            let off = matches!(central.adapter_state().await, Ok(CentralState::PoweredOff));
            adapters.push((name, off, central));
        }
        // Those that are on come first.
        adapters.sort_by(|(a, a_off, _), (b, b_off, _)| (a_off, a).cmp(&(b_off, b)));
        let present = adapters.iter().map(|(name, ..)| name.clone()).collect();
        let is_wanted = |name: &str| wanted.is_none_or(|wanted| wanted == name);
        let place = adapters.iter().position(|(name, ..)| is_wanted(name));
        match place.map(|place| adapters.swap_remove(place)) {
            None => Err(Fault::NoAdapter { wanted: wanted.map(str::to_owned), present }),
            Some((name, true, _)) => Err(Fault::Off(name)),
            Some((name, false, central)) => Ok(Self { central, name }),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Listens, until the [`Radio`] is dropped. Takes [`defaults::RADIO`] at
    /// most.
    ///
    /// # Errors
    /// What keeps us from it.
    pub async fn listen(self) -> Result<Radio, Fault> {
        let inbox = Arc::new(Inbox::default());
        let ear = within(Ear::listen(self.central, &self.name, Arc::clone(&inbox))).await?;
        Ok(Radio { inbox, _ear: ear })
    }
}

/// A radio that listens. It stops when it is dropped.
#[derive(Debug)]
pub struct Radio {
    inbox: Arc<Inbox>,
    _ear: Ear,
}

impl Scanner for Radio {
    async fn heard(&mut self) -> Result<ServiceData, Error> {
        Ok(self.inbox.next().await?)
    }
}

async fn within<T>(work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    // Without an adapter the bus waits for a BlueZ that does not start.
    let cause = || format!("no answer within {} s", defaults::RADIO.as_secs());
    let silent = |_| in_sandbox(Sandbox::here(), cause(), Fault::NoService);
    timeout(defaults::RADIO, work).await.map_err(silent)?
}

/// The fault behind one of btleplug's errors.
fn fault(error: btleplug::Error, adapter: Option<&str>) -> Fault {
    match error {
        btleplug::Error::PermissionDenied => Fault::Denied(error.to_string()),
        btleplug::Error::NoAdapterAvailable => Fault::NoAdapter { wanted: None, present: Vec::new() },
        #[cfg(target_os = "linux")]
        btleplug::Error::Other(cause) => bluez::fault_behind(&*cause, adapter),
        other => {
            let at = adapter.map(|adapter| format!("{adapter}: ")).unwrap_or_default();
            Fault::Unavailable(format!("{at}{other}"))
        }
    }
}
