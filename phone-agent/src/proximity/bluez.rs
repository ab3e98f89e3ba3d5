//! The radio: BlueZ, over the system's D-Bus.
//!
//! The advert is service data under the transport's UUID and nothing else: 24
//! of the 31 bytes that there are. It is a broadcast, to which nobody can
//! connect. BlueZ takes it off the air when it is told to, and when whoever
//! registered it leaves the bus, for whatever reason.

use std::time::Duration;

use bluer::adv::{Advertisement, AdvertisementHandle, Type};
use bluer::{Adapter, ErrorKind, InternalErrorKind, Session, UuidExt};
use cablecar_protocol::eid::{Advert, SERVICE_UUID};
use tokio::time::timeout;

use super::sandbox::Sandbox;
use super::{Advertiser, Error};
use crate::defaults;

/// An adapter that is there, on, and has a place for an advert.
#[derive(Debug)]
pub struct Bluetooth {
    adapter: Adapter,
}

impl Bluetooth {
    /// Takes the adapter of this name, or the first that can advertise now.
    ///
    /// # Errors
    /// Why there is none; within [`defaults::RADIO`].
    pub async fn open(wanted: Option<&str>) -> Result<Self, Error> {
        let opened = match timeout(defaults::RADIO, choose(wanted)).await {
            Ok(opened) => opened,
            Err(_) => Err(Error::NoService(no_answer())),
        };
        opened.map(|adapter| Self { adapter }).map_err(|error| Sandbox::explain(Sandbox::here(), error))
    }

    /// The adapter's name.
    pub fn name(&self) -> &str {
        self.adapter.name()
    }

    async fn register(&self, advert: Advert) -> Result<AdvertisementHandle, Error> {
        let refused = match self.adapter.advertise(advertisement(&advert)).await {
            Ok(handle) => return Ok(handle),
            Err(error) => error,
        };
        // BlueZ says `Failed` for a radio that is off, and `NotPermitted` for
        // one that is full.
        ready(&self.adapter).await?;
        Err(meaning(&refused))
    }
}

impl Advertiser for Bluetooth {
    type Beacon = AdvertisementHandle;

    async fn advertise(&mut self, advert: Advert) -> Result<AdvertisementHandle, crate::error::Error> {
        let registered = match timeout(defaults::RADIO, self.register(advert)).await {
            Ok(registered) => registered,
            Err(_) => Err(Error::Other(no_answer())),
        };
        Ok(registered.map_err(|error| Sandbox::explain(Sandbox::here(), error))?)
    }

    /// Asks again and again, for BlueZ's own word reaches nobody: bluer does
    /// not pass on that an advert was released.
    async fn lost(&mut self, _beacon: &mut AdvertisementHandle) -> crate::error::Error {
        loop {
            tokio::time::sleep(defaults::RADIO_WATCH).await;
            match timeout(defaults::RADIO, on_air(&self.adapter)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return error.into(),
                Err(_) => return Error::Other(no_answer()).into(),
            }
        }
    }
}

async fn choose(wanted: Option<&str>) -> Result<Adapter, Error> {
    let session = Session::new().await.map_err(|error| meaning(&error))?;
    let mut there = session.adapter_names().await.map_err(|error| meaning(&error))?;
    there.sort();
    if let Some(wanted) = wanted {
        if !there.iter().any(|name| name == wanted) {
            return Err(Error::NoSuchAdapter { wanted: wanted.into(), there });
        }
        there = vec![wanted.into()];
    }
    let mut first_error = None;
    for name in there {
        let adapter = session.adapter(&name).map_err(|error| meaning(&error))?;
        match ready(&adapter).await {
            Ok(()) => return Ok(adapter),
            Err(error) => {
                first_error.get_or_insert(error);
            }
        }
    }
    Err(first_error.unwrap_or(Error::NoAdapter))
}

/// Whether the adapter is on and takes an advert more.
async fn ready(adapter: &Adapter) -> Result<(), Error> {
    let name = || adapter.name().to_owned();
    if !adapter.is_powered().await.map_err(|error| meaning(&error))? {
        return Err(Error::Off(name()));
    }
    match adapter.supported_advertising_instances().await {
        Ok(0) => Err(Error::Full(name())),
        Ok(_) => Ok(()),
        Err(error) if lacks_interface(&error) => Err(Error::CannotAdvertise(name())),
        Err(error) => Err(meaning(&error)),
    }
}

/// Whether an advert can still be on the air.
async fn on_air(adapter: &Adapter) -> Result<(), Error> {
    if !adapter.is_powered().await.map_err(|error| meaning(&error))? {
        return Err(Error::Off(adapter.name().to_owned()));
    }
    match adapter.active_advertising_instances().await.map_err(|error| meaning(&error))? {
        0 => Err(Error::Other("the service took the advert off the air".into())),
        _ => Ok(()),
    }
}

/// What goes on the air, and nothing that BlueZ could add to it.
fn advertisement(advert: &Advert) -> Advertisement {
    Advertisement {
        advertisement_type: Type::Broadcast,
        service_data: [(bluer::Uuid::from_u16(SERVICE_UUID), advert.as_bytes().to_vec())].into(),
        // A BlueZ that does not know these ignores them.
        min_interval: Some(defaults::ADVERT_INTERVAL),
        max_interval: Some(defaults::ADVERT_INTERVAL),
        // For a process that is stopped rather than ended.
        timeout: Some(defaults::ADVERTISE + Duration::from_secs(1)),
        ..Advertisement::default()
    }
}

fn no_answer() -> String {
    format!("no answer within {} s", defaults::RADIO.as_secs())
}

/// The property was asked of an object that has none of that kind.
fn lacks_interface(error: &bluer::Error) -> bool {
    let ErrorKind::Internal(InternalErrorKind::DBus(name)) = &error.kind else { return false };
    let dbus = name.strip_prefix(DBUS_ERROR);
    matches!(dbus, Some("UnknownInterface" | "UnknownProperty" | "UnknownMethod" | "InvalidArgs"))
}

const DBUS_ERROR: &str = "org.freedesktop.DBus.Error.";

/// What an error means, by its kind and by its name on D-Bus. Its text is for
/// people and in nobody's contract.
fn meaning(error: &bluer::Error) -> Error {
    let text = || if error.message.is_empty() { error.kind.to_string() } else { error.message.clone() };
    match &error.kind {
        ErrorKind::NotAuthorized | ErrorKind::NotPermitted => Error::Denied(text()),
        // The object is gone: somebody pulled the adapter out.
        ErrorKind::NotFound | ErrorKind::DoesNotExist => Error::NoAdapter,
        ErrorKind::Internal(InternalErrorKind::DBusConnectionLost) => Error::NoService(text()),
        ErrorKind::Internal(InternalErrorKind::DBus(name)) => match name.strip_prefix(DBUS_ERROR) {
            Some("AccessDenied" | "AuthFailed" | "InteractiveAuthorizationRequired") => Error::Denied(text()),
            Some(
                // No service on the bus,
                "ServiceUnknown" | "NameHasNoOwner" | "TimedOut" | "Timeout" | "NoReply"
                // none that could be started,
                | "Spawn.ServiceNotFound" | "Spawn.ChildExited" | "Spawn.ExecFailed" | "Spawn.Failed"
                // or no bus.
                | "FileNotFound" | "NoServer" | "NoNetwork" | "BadAddress" | "Disconnected" | "IOError",
            ) => Error::NoService(text()),
            _ => Error::Other(text()),
        },
        _ => Error::Other(text()),
    }
}

#[cfg(test)]
mod tests;
