//! Hearing on Linux: BlueZ's signals, read where they arrive.
//!
//! One discovery for low energy alone, with duplicates and without a filter
//! for UUIDs: BlueZ compares such a filter with the list of UUIDs in an advert,
//! and service data is no such list. What is heard goes straight from the
//! bus's message into the inbox; nothing is asked back and nothing queues.

use std::error::Error as StdError;
use std::sync::Arc;

use bluez_async::BluetoothError;
use btleplug::platform;
use cablecar_protocol::eid::{SERVICE_UUID, SERVICE_UUID_OLD};
use dbus::arg::{ArgType, Iter, PropMap, Variant};
use dbus::channel::{BusType, Channel, MatchingReceiver, Sender};
use dbus::message::MatchRule;
use dbus::nonblock::{Proxy, SyncConnection};
use dbus::{Message, MessageType, Path};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::defaults;
use crate::proximity::fault::{Fault, Sandbox};
use crate::proximity::inbox::Inbox;
use crate::proximity::sieve::Address;

const BLUEZ: &str = "org.bluez";
const ADAPTER: &str = "org.bluez.Adapter1";
const DEVICE: &str = "org.bluez.Device1";
const BUS: &str = "org.freedesktop.DBus";

/// Whether there is a bus at all. Its error has a name, which btleplug's
/// would not have, and a bus that does not answer blocks nobody.
pub(super) async fn reach_bus() -> Result<(), Fault> {
    connect().await.map(drop)
}

/// Connecting blocks, so it does that elsewhere; and not on the runtime's own
/// threads, which the end of the program would wait for.
async fn connect() -> Result<Channel, Fault> {
    let (tell, told) = oneshot::channel();
    std::thread::spawn(move || tell.send(Channel::get_private(BusType::System)));
    let channel = told.await.map_err(|_| Fault::Unavailable("no thread for the system's bus".into()))?;
    channel.map_err(|cause| from_dbus(&cause, None))
}

fn from_dbus(error: &dbus::Error, adapter: Option<&str>) -> Fault {
    let text = error.message().unwrap_or_default();
    Fault::from_dbus(error.name().unwrap_or_default(), text, adapter, Sandbox::here())
}

/// The fault behind an error of btleplug's.
pub(super) fn fault_behind(error: &(dyn StdError + 'static), adapter: Option<&str>) -> Fault {
    let unnamed = || Fault::Unavailable(error.to_string());
    dbus_error_in(error).map_or_else(unnamed, |error| from_dbus(error, adapter))
}

/// The error of D-Bus that hides among the causes of another.
fn dbus_error_in<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a dbus::Error> {
    match error.downcast_ref() {
        Some(BluetoothError::DbusError(error)) => Some(error),
        _ => error.downcast_ref().or_else(|| dbus_error_in(error.source()?)),
    }
}

/// A discovery, and the connection on which its signals come.
pub(super) struct Ear {
    connection: Arc<SyncConnection>,
    adapter: Path<'static>,
    reader: JoinHandle<()>,
}

impl std::fmt::Debug for Ear {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ear").field("adapter", &self.adapter).finish_non_exhaustive()
    }
}

impl Ear {
    /// Starts a discovery on the adapter of this name.
    pub(super) async fn listen(
        _central: platform::Adapter,
        name: &str,
        inbox: Arc<Inbox>,
    ) -> Result<Self, Fault> {
        let failed = |cause: dbus::Error| from_dbus(&cause, Some(name));
        let path = Path::new(format!("/org/bluez/{name}")).map_err(Fault::Unavailable)?;
        let (resource, connection) =
            dbus_tokio::connection::from_channel::<SyncConnection>(connect().await?).map_err(failed)?;
        let lost = Arc::clone(&inbox);
        let reader = tokio::spawn(async move {
            let cause = resource.await;
            lost.failed(Fault::NoService(format!("the system's bus is gone: {cause}")));
        });
        // From here on, leaving early ends all of it.
        let ear = Self { connection: Arc::clone(&connection), adapter: path.clone(), reader };

        let bus = Proxy::new(BUS, "/org/freedesktop/DBus", defaults::RADIO, Arc::clone(&connection));
        let (owner,): (String,) = bus.method_call(BUS, "GetNameOwner", (BLUEZ,)).await.map_err(failed)?;
        let listener = Listener { owner, adapter: path.to_string(), name: name.to_owned(), inbox };
        let rule = MatchRule::new().with_type(MessageType::Signal);
        connection.start_receive(
            rule,
            Box::new(move |message, _| {
                // What cannot be read is none of our business.
                let _ = message.sender().and_then(|sender| listener.read(&sender, &message));
                true
            }),
        );
        for rule in rules(&path) {
            connection.add_match_no_cb(&rule).await.map_err(failed)?;
        }

        let adapter = Proxy::new(BLUEZ, path, defaults::RADIO, Arc::clone(&connection));
        let mut filter = PropMap::new();
        filter.insert("Transport".into(), Variant(Box::new("le".to_owned())));
        filter.insert("DuplicateData".into(), Variant(Box::new(true)));
        let set = adapter.method_call::<(), _, _, _>(ADAPTER, "SetDiscoveryFilter", (filter,));
        set.await.map_err(failed)?;
        let start = adapter.method_call::<(), _, _, _>(ADAPTER, "StartDiscovery", ());
        start.await.map_err(failed)?;
        Ok(ear)
    }
}

impl Drop for Ear {
    /// BlueZ is told to stop, without waiting for its answer; that the
    /// connection closes would tell it as well.
    fn drop(&mut self) {
        if let Ok(mut stop) = Message::new_method_call(BLUEZ, &self.adapter, ADAPTER, "StopDiscovery") {
            stop.set_no_reply(true);
            let _ = self.connection.send(stop);
        }
        self.reader.abort();
    }
}

/// What the bus is to send us: the devices of this adapter that appear and
/// change, the adapter itself, and whether BlueZ stays.
fn rules(adapter: &str) -> [String; 5] {
    let objects = format!("type='signal',sender='{BLUEZ}',interface='{BUS}.ObjectManager'");
    let changes =
        format!("type='signal',sender='{BLUEZ}',interface='{BUS}.Properties',member='PropertiesChanged'");
    [
        format!("{objects},member='InterfacesAdded',arg0path='{adapter}/'"),
        format!("{objects},member='InterfacesRemoved',arg0path='{adapter}'"),
        format!("{changes},path_namespace='{adapter}',arg0='{DEVICE}'"),
        format!("{changes},path='{adapter}',arg0='{ADAPTER}'"),
        format!("type='signal',sender='{BUS}',interface='{BUS}',member='NameOwnerChanged',arg0='{BLUEZ}'"),
    ]
}

/// Reads signals.
struct Listener {
    /// BlueZ's own name on the bus: anybody could send us a signal.
    owner: String,
    adapter: String,
    name: String,
    inbox: Arc<Inbox>,
}

impl Listener {
    fn read(&self, sender: &str, message: &Message) -> Option<()> {
        let mut arguments = message.iter_init();
        match &*message.member()? {
            "PropertiesChanged" if sender == self.owner => {
                let path = message.path()?;
                let interface: &str = arguments.get()?;
                arguments.next();
                if interface == DEVICE {
                    self.read_device(&path, &mut arguments)?;
                } else if interface == ADAPTER && *path == *self.adapter {
                    let powered: Option<bool> =
                        find(&mut arguments, "Powered")?.recurse(ArgType::Variant)?.get();
                    if powered == Some(false) {
                        self.inbox.failed(Fault::Off(self.name.clone()));
                    }
                }
            }
            "InterfacesAdded" if sender == self.owner => {
                let path: Path<'_> = arguments.get()?;
                arguments.next();
                self.read_device(&path, &mut find(&mut arguments, DEVICE)?)?;
            }
            "InterfacesRemoved" if sender == self.owner => {
                let (path, interfaces): (Path<'_>, Vec<&str>) = message.read2().ok()?;
                if *path == *self.adapter && interfaces.contains(&ADAPTER) {
                    self.inbox
                        .failed(Fault::NoAdapter { wanted: Some(self.name.clone()), present: Vec::new() });
                }
            }
            "NameOwnerChanged" if sender == BUS => {
                let (name, _, _): (&str, &str, &str) = message.read3().ok()?;
                if name == BLUEZ {
                    self.inbox.failed(Fault::NoService("it has stopped".into()));
                }
            }
            _ => {}
        }
        Some(())
    }

    /// The service data among the properties of a device of ours.
    fn read_device(&self, path: &str, properties: &mut Iter<'_>) -> Option<()> {
        let address = address(path.strip_prefix(&self.adapter)?)?;
        let mut all = find(properties, "ServiceData")?.recurse(ArgType::Variant)?;
        let mut entries = all.recurse(ArgType::Array)?;
        while let Some(mut entry) = entries.recurse(ArgType::DictEntry) {
            let ours = entry.get::<&str>().is_some_and(is_ours);
            entry.next();
            let data = entry.recurse(ArgType::Variant);
            if let (true, Some(data)) = (ours, data.and_then(|mut data| data.get::<&[u8]>())) {
                self.inbox.heard(address, data);
            }
            entries.next();
        }
        Some(())
    }
}

/// The value under a key of a dictionary.
fn find<'a>(dictionary: &mut Iter<'a>, key: &str) -> Option<Iter<'a>> {
    let mut entries = dictionary.recurse(ArgType::Array)?;
    while let Some(mut entry) = entries.recurse(ArgType::DictEntry) {
        let found = entry.get::<&str>() == Some(key);
        entry.next();
        if found {
            return Some(entry);
        }
        entries.next();
    }
    None
}

/// BlueZ spells 16-bit UUIDs out.
fn is_ours(uuid: &str) -> bool {
    let short = uuid
        .strip_prefix("0000")
        .and_then(|rest| rest.strip_suffix("-0000-1000-8000-00805f9b34fb"))
        .filter(|short| short.len() == 4)
        .and_then(|short| u16::from_str_radix(short, 16).ok());
    short.is_some_and(|short| [SERVICE_UUID, SERVICE_UUID_OLD].contains(&short))
}

/// `/dev_C0_00_00_00_00_01`
fn address(device: &str) -> Option<Address> {
    let mut bytes = device.strip_prefix("/dev_")?.split('_').map(|byte| u8::from_str_radix(byte, 16));
    let mut address = Address::default();
    for to in &mut address {
        *to = bytes.next()?.ok()?;
    }
    bytes.next().is_none().then_some(address)
}

#[cfg(test)]
mod tests;
