use cablecar_protocol::eid::Eid;
use cablecar_protocol::ids::RoutingId;
use cablecar_protocol::secrets::EidKey;
use cablecar_protocol::tunnel::TunnelServiceDomain;

use super::*;

fn id_of(kind: ErrorKind) -> &'static str {
    meaning(&bluer::Error { kind, message: "in anybody's language".into() }).advice().0
}

fn id_of_name(name: &str) -> &'static str {
    id_of(ErrorKind::Internal(InternalErrorKind::DBus(name.into())))
}

#[test]
fn each_name_of_an_error_on_the_bus_has_its_meaning() {
    for (name, id) in [
        ("AccessDenied", "radio.denied"),
        ("AuthFailed", "radio.denied"),
        ("InteractiveAuthorizationRequired", "radio.denied"),
        ("ServiceUnknown", "radio.no-service"),
        ("NameHasNoOwner", "radio.no-service"),
        ("Spawn.ServiceNotFound", "radio.no-service"),
        ("TimedOut", "radio.no-service"),
        ("FileNotFound", "radio.no-service"),
        ("NoServer", "radio.no-service"),
        ("BadAddress", "radio.no-service"),
        ("Disconnected", "radio.no-service"),
        ("NoReply", "radio.no-service"),
        ("Failed", "radio.unavailable"),
    ] {
        assert_eq!(id_of_name(&format!("org.freedesktop.DBus.Error.{name}")), id, "{name}");
    }
    // The same word of somebody else's means nothing.
    assert_eq!(id_of_name("org.example.Error.AccessDenied"), "radio.unavailable");
    assert_eq!(id_of_name(""), "radio.unavailable");
}

#[test]
fn each_kind_of_an_error_of_bluez_has_its_meaning() {
    for (kind, id) in [
        (ErrorKind::NotAuthorized, "radio.denied"),
        (ErrorKind::NotPermitted, "radio.denied"),
        (ErrorKind::NotFound, "radio.no-adapter"),
        (ErrorKind::DoesNotExist, "radio.no-adapter"),
        (ErrorKind::Internal(InternalErrorKind::DBusConnectionLost), "radio.no-service"),
        (ErrorKind::Failed, "radio.unavailable"),
        (ErrorKind::InvalidLength, "radio.unavailable"),
        (ErrorKind::Internal(InternalErrorKind::JoinError), "radio.unavailable"),
    ] {
        assert_eq!(id_of(kind.clone()), id, "{kind}");
    }
}

#[test]
fn the_text_of_an_error_decides_nothing() {
    let error = bluer::Error { kind: ErrorKind::Failed, message: "AccessDenied ServiceUnknown".into() };
    assert_eq!(meaning(&error), Error::Other("AccessDenied ServiceUnknown".into()));
    let silent = bluer::Error { kind: ErrorKind::NotAuthorized, message: String::new() };
    assert_eq!(meaning(&silent), Error::Denied("Bluetooth operation not authorized".into()));
}

#[test]
fn an_adapter_without_a_manager_of_adverts_is_told_apart() {
    let lacks = |name: &str| {
        let kind = ErrorKind::Internal(InternalErrorKind::DBus(format!("{DBUS_ERROR}{name}")));
        lacks_interface(&bluer::Error { kind, message: String::new() })
    };
    assert!(lacks("UnknownInterface") && lacks("InvalidArgs"));
    assert!(!lacks("AccessDenied") && !lacks("NoReply"));
}

#[test]
fn an_advert_is_a_broadcast_of_twenty_bytes_and_nothing_else() {
    let domain = TunnelServiceDomain::new(266).unwrap();
    let eid = Eid::routed(RoutingId::new([1, 2, 3]), domain, &mut rand_core::OsRng).unwrap();
    let advert = eid.seal(&EidKey::new(&[7; 64]));
    let told = advertisement(&advert);
    let uuid: bluer::Uuid = "0000fff9-0000-1000-8000-00805f9b34fb".parse().unwrap();
    assert_eq!(told.service_data.into_iter().collect::<Vec<_>>(), [(uuid, advert.as_bytes().to_vec())]);
    assert_eq!((told.advertisement_type, advert.as_bytes().len()), (Type::Broadcast, 20));
    assert_eq!((told.min_interval, told.max_interval), (told.max_interval, Some(Duration::from_millis(100))));
    assert!(told.service_uuids.is_empty() && told.solicit_uuids.is_empty());
    assert!(told.manufacturer_data.is_empty() && told.advertising_data.is_empty());
    assert!(told.system_includes.is_empty() && told.local_name.is_none() && told.appearance.is_none());
    assert!(told.discoverable.is_none() && told.discoverable_timeout.is_none());
}
