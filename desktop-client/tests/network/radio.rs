//! A computer without a radio.

use std::fs;
use std::time::{Duration, Instant};

use super::{Computer, ended};

const OPTIONS: &str = r#"{"challenge": "Y2hhbGxlbmdl", "rpId": "example.com", "timeout": 60000}"#;

fn get(computer: &Computer) -> assert_cmd::Command {
    let mut get = computer.command(&["get", "--qr", "text", "--origin", "https://example.com"]);
    get.write_stdin(OPTIONS);
    get
}

#[test]
#[cfg(target_os = "linux")]
fn without_a_bus_no_code_is_shown_and_the_service_is_missed() {
    let computer = Computer::new();
    let began = Instant::now();
    let output = get(&computer).output().unwrap();
    let (exit, id, said) = ended(&output);
    assert_eq!((exit, id.as_str()), (6, "radio.no-service"), "{said}");
    assert!(said.contains("systemctl start bluetooth") && !said.contains("FIDO:/"), "{said}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[test]
#[cfg(target_os = "linux")]
fn a_sandbox_is_named_where_it_is_the_reason() {
    let computer = Computer::new();
    let output = get(&computer).env("SNAP", "/snap/cablecar/1").output().unwrap();
    let (exit, id, said) = ended(&output);
    assert_eq!((exit, id.as_str()), (6, "radio.sandboxed"), "{said}");
    assert!(said.contains("snap connect"), "{said}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_bus_that_never_answers_is_not_waited_for_for_ever() {
    let computer = Computer::new();
    // It takes the connection and says nothing.
    let silent = std::os::unix::net::UnixListener::bind(computer.path("silent-bus")).unwrap();
    let address = format!("unix:path={}", computer.path("silent-bus").display());
    let began = Instant::now();
    let output = get(&computer).env("DBUS_SYSTEM_BUS_ADDRESS", address).output().unwrap();
    let (exit, id, said) = ended(&output);
    assert_eq!((exit, id.as_str()), (6, "radio.no-service"), "{said}");
    // 10 s, and a slow machine.
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    drop(silent);
}

#[test]
fn what_is_not_for_the_radio_is_told_before_it_is_asked_for() {
    let computer = Computer::new();
    let mut get = computer.command(&["get", "--origin", "https://example.com"]);
    let (exit, id, said) = ended(&get.write_stdin("{}").output().unwrap());
    assert_eq!((exit, id.as_str()), (2, "options.invalid"), "{said}");
    let with_air =
        ["get", "--origin", "https://example.com", "--adapter", "hci0", "--danger-air", "127.0.0.1:0"];
    let (exit, id, said) = ended(&computer.command(&with_air).output().unwrap());
    assert_eq!((exit, id.as_str()), (2, "usage.arguments"), "{said}");
    assert_eq!(fs::read_dir(computer.folder.path()).unwrap().count(), 0);
}
