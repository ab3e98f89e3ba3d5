//! Signals as BlueZ sends them, and as others might.

use std::collections::HashMap;
use std::time::Duration;

use cablecar_protocol::eid::ServiceData;
use dbus::arg::{Append, RefArg};
use tokio::time::timeout;

use super::*;

const OWNER: &str = ":1.5";
const DEVICE_PATH: &str = "/org/bluez/hci0/dev_C0_00_00_00_00_01";
const FFF9: &str = "0000fff9-0000-1000-8000-00805f9b34fb";
const FDE2: &str = "0000fde2-0000-1000-8000-00805f9b34fb";

type Boxed = Variant<Box<dyn RefArg>>;

fn listener() -> Listener {
    let (owner, adapter, name) = (OWNER.into(), "/org/bluez/hci0".into(), "hci0".into());
    Listener { owner, adapter, name, inbox: Arc::default() }
}

/// What a device says of itself, the service data in the middle.
fn device(uuid: &str, data: &[u8]) -> PropMap {
    let data: Boxed = Variant(Box::new(data.to_vec()));
    let service_data: PropMap = HashMap::from([(uuid.to_owned(), data)]);
    let mut properties = PropMap::new();
    properties.insert("RSSI".into(), Variant(Box::new(-40i16)));
    properties.insert("ServiceData".into(), Variant(Box::new(service_data)));
    properties.insert("UUIDs".into(), Variant(Box::new(Vec::<String>::new())));
    properties
}

fn changed(path: &str, interface: &str, properties: PropMap) -> Message {
    let signal = Message::new_signal(path, format!("{BUS}.Properties"), "PropertiesChanged").unwrap();
    signal.append3(interface, properties, Vec::<String>::new())
}

fn objects(member: &str, path: &str, argument: impl Append) -> Message {
    let signal = Message::new_signal("/", format!("{BUS}.ObjectManager"), member).unwrap();
    signal.append2(Path::new(path).unwrap(), argument)
}

async fn next(listener: &Listener) -> Option<Result<ServiceData, Fault>> {
    timeout(Duration::from_millis(20), listener.inbox.next()).await.ok()
}

fn advert(byte: u8) -> Option<Result<ServiceData, Fault>> {
    Some(Ok(ServiceData::new(&[byte; 20]).unwrap()))
}

#[tokio::test(start_paused = true)]
async fn a_device_is_heard_when_it_appears_and_when_it_changes() {
    let listener = listener();
    for (uuid, byte) in [(FFF9, 1), (FDE2, 2)] {
        listener.read(OWNER, &changed(DEVICE_PATH, DEVICE, device(uuid, &[byte; 20])));
        assert_eq!(next(&listener).await, advert(byte));
    }
    let interfaces = HashMap::from([("org.example.Other", PropMap::new()), (DEVICE, device(FFF9, &[3; 20]))]);
    listener.read(OWNER, &objects("InterfacesAdded", DEVICE_PATH, interfaces));
    assert_eq!(next(&listener).await, advert(3));
}

#[tokio::test(start_paused = true)]
async fn other_peoples_devices_and_other_peoples_signals_are_not() {
    let listener = listener();
    for (sender, path, interface, uuid, data) in [
        (":1.6", DEVICE_PATH, DEVICE, FFF9, &[1; 20][..]),
        (OWNER, "/org/bluez/hci1/dev_C0_00_00_00_00_01", DEVICE, FFF9, &[1; 20]),
        (OWNER, "/org/bluez/hci01/dev_C0_00_00_00_00_01", DEVICE, FFF9, &[1; 20]),
        (OWNER, "/org/bluez/hci0/dev_C0_00_00_00_00", DEVICE, FFF9, &[1; 20]),
        (OWNER, "/org/bluez/hci0/dev_C0_00_00_00_00_01_02", DEVICE, FFF9, &[1; 20]),
        (OWNER, "/org/bluez/hci0", DEVICE, FFF9, &[1; 20]),
        (OWNER, DEVICE_PATH, "org.bluez.Battery1", FFF9, &[1; 20]),
        (OWNER, DEVICE_PATH, DEVICE, "0000fcf1-0000-1000-8000-00805f9b34fb", &[1; 20]),
        (OWNER, DEVICE_PATH, DEVICE, "0001fff9-0000-1000-8000-00805f9b34fb", &[1; 20]),
        (OWNER, DEVICE_PATH, DEVICE, "0000fff9-0000-1000-8000-00805f9b34fc", &[1; 20]),
        (OWNER, DEVICE_PATH, DEVICE, FFF9, &[1; 19]),
        (OWNER, DEVICE_PATH, DEVICE, FFF9, &[]),
    ] {
        listener.read(sender, &changed(path, interface, device(uuid, data)));
        assert_eq!(next(&listener).await, None, "{sender} {path} {interface} {uuid} {data:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn signals_of_another_form_are_passed_over() {
    let listener = listener();
    let wrong: Boxed = Variant(Box::new("text".to_owned()));
    let bytes: Boxed = Variant(Box::new(vec![1u8; 20]));
    let text: PropMap = HashMap::from([(FFF9.to_owned(), wrong)]);
    let properties = |value: Boxed| PropMap::from([("ServiceData".to_owned(), value)]);
    let signal = |member| Message::new_signal(DEVICE_PATH, format!("{BUS}.Properties"), member).unwrap();
    for message in [
        signal("PropertiesChanged"),
        signal("PropertiesChanged").append1(DEVICE),
        signal("PropertiesChanged").append2(DEVICE, "text"),
        signal("PropertiesChanged").append2(7u32, 8u32),
        signal("InterfacesAdded"),
        signal("InterfacesRemoved").append1("text"),
        signal("NameOwnerChanged").append1(BLUEZ),
        signal("Other").append1(DEVICE),
        changed(DEVICE_PATH, DEVICE, PropMap::new()),
        changed(DEVICE_PATH, DEVICE, properties(bytes)),
        changed(DEVICE_PATH, DEVICE, properties(Variant(Box::new(text)))),
    ] {
        listener.read(OWNER, &message);
        listener.read(BUS, &message);
        assert_eq!(next(&listener).await, None, "{message:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_radio_is_noticed() {
    let powered = |on: bool| {
        let on: Boxed = Variant(Box::new(on));
        PropMap::from([("Powered".to_owned(), on)])
    };
    let owner_changed = |name: &str| {
        let signal = Message::new_signal("/org/freedesktop/DBus", BUS, "NameOwnerChanged").unwrap();
        signal.append3(name, OWNER, "")
    };
    let removed = |path| objects("InterfacesRemoved", path, vec![ADAPTER]);
    for (sender, message, expected) in [
        (OWNER, changed("/org/bluez/hci0", ADAPTER, powered(false)), Some("radio.off")),
        (OWNER, changed("/org/bluez/hci0", ADAPTER, powered(true)), None),
        (OWNER, changed("/org/bluez/hci1", ADAPTER, powered(false)), None),
        (":1.6", changed("/org/bluez/hci0", ADAPTER, powered(false)), None),
        (OWNER, removed("/org/bluez/hci0"), Some("radio.no-adapter")),
        (OWNER, removed(DEVICE_PATH), None),
        (":1.6", removed("/org/bluez/hci0"), None),
        (BUS, owner_changed(BLUEZ), Some("radio.no-service")),
        (BUS, owner_changed("org.example"), None),
        (OWNER, owner_changed(BLUEZ), None),
    ] {
        let listener = listener();
        listener.read(sender, &message);
        let told = next(&listener).await.map(|fault| fault.unwrap_err().advice().0);
        assert_eq!(told, expected, "{sender} {message:?}");
    }
}

#[test]
fn the_name_of_an_error_is_found_inside_of_others() {
    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] dbus::Error);
    let denied = || dbus::Error::new_custom("org.freedesktop.DBus.Error.AccessDenied", "no");
    let name = |error: &(dyn StdError + 'static)| dbus_error_in(error)?.name().map(str::to_owned);
    let expected = denied().name().map(str::to_owned);
    assert!(expected.is_some());
    assert_eq!(name(&denied()), expected);
    assert_eq!(name(&Outer(denied())), expected);
    assert_eq!(name(&BluetoothError::DbusError(denied())), expected);
    assert_eq!(name(&BluetoothError::NoBluetoothAdapters), None);
    let other = fault_behind(&BluetoothError::NoBluetoothAdapters, Some("hci0"));
    assert_eq!(other.advice().0, "radio.unavailable");
}
