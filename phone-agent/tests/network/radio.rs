//! A machine without the service of the radio. What the service itself says
//! is played by the mock of `tests/judges`.

use std::time::{Duration, Instant};

use super::stand_in::{OPENED, relay};
use super::{Phone, ended, fresh_code};

/// Without BlueZ, or where there can be none.
fn no_radio(id: &str) -> bool {
    id == if cfg!(target_os = "linux") { "radio.no-service" } else { "radio.unavailable" }
}

#[test]
fn without_a_radio_nobody_is_asked_and_no_tunnel_is_opened() {
    let (phone, relay) = (Phone::new(), relay(OPENED));
    let began = Instant::now();
    // No terminal and no passphrase file: a question would be another error.
    let mut scan = phone.command(&["scan", "-", "--danger-relay", &relay.ws()]);
    let (exit, id, said) = ended(&scan.write_stdin(fresh_code()).output().unwrap());
    assert!(exit == 6 && no_radio(&id), "{said}");
    assert!(relay.heads().is_empty() && !said.contains("connecting"), "{said}");
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[cfg(target_os = "linux")]
#[test]
fn in_a_snap_the_remedy_is_another_one() {
    let phone = Phone::new();
    let mut scan = phone.command(&["scan", "-"]);
    let (exit, id, said) =
        ended(&scan.env("SNAP", "/snap/phone/1").write_stdin(fresh_code()).output().unwrap());
    assert_eq!((exit, id.as_str()), (6, "radio.sandboxed"), "{said}");
    assert!(said.contains("snap connect"), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_bus_that_says_nothing_is_not_waited_for() {
    let phone = Phone::new();
    let socket = phone.path("mute");
    let _mute = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let began = Instant::now();
    let mut scan = phone.command(&["scan", "-"]);
    let bus = format!("unix:path={}", socket.display());
    let output = scan.env("DBUS_SYSTEM_BUS_ADDRESS", bus).write_stdin(fresh_code()).output().unwrap();
    let (exit, id, said) = ended(&output);
    assert_eq!((exit, id.as_str()), (6, "radio.no-service"), "{said}");
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}

#[test]
fn the_radio_and_its_stand_in_exclude_each_other() {
    let phone = Phone::new();
    let output = phone.scan(&["--adapter", "hci0"]).output().unwrap();
    assert_eq!(ended(&output).1, "usage.arguments");
}
