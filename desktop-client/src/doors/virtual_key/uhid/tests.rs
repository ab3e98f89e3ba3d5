#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails, also in its own functions"
)]

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use super::*;
use crate::doors::virtual_key::packet::REPORT;

/// The kernel's end of a file that is not the kernel's.
struct Kernel(UnixDatagram);

impl Kernel {
    async fn with_key() -> (Self, Uhid) {
        let (kernel, file) = UnixDatagram::pair().unwrap();
        kernel.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let uhid = Uhid::over(file.into()).await.unwrap();
        (Self(kernel), uhid)
    }

    fn tell(&self, kind: u32, payload: &[u8]) {
        self.0.send(&[&kind.to_ne_bytes()[..], payload].concat()).unwrap();
    }

    /// The type of the next event, and what follows.
    fn hear(&self) -> (u32, Vec<u8>) {
        let mut event = vec![0; 8192];
        let read = self.0.recv(&mut event).unwrap();
        event.truncate(read);
        let payload = event.split_off(4);
        (u32::from_ne_bytes(event.try_into().unwrap()), payload)
    }
}

fn output(report: &[u8], size: u16) -> Vec<u8> {
    let mut payload = vec![0; 4096];
    payload[..report.len()].copy_from_slice(report);
    payload.extend(size.to_ne_bytes());
    payload.push(1);
    payload
}

fn counted() -> Report {
    let mut report = [0; REPORT];
    for (to, from) in report.iter_mut().zip(1..) {
        *to = from;
    }
    report
}

#[tokio::test]
async fn the_kernel_is_told_what_is_plugged_in() {
    let (kernel, key) = Kernel::with_key().await;
    let (kind, create) = kernel.hear();
    assert_eq!(kind, 11, "UHID_CREATE2");
    // name, phys, uniq; then size, bus and four numbers; then the descriptor.
    assert_eq!(create.len(), 128 + 64 + 64 + 2 + 2 + 16 + 34);
    assert!(create.starts_with(b"Cablecar virtual security key\0"));
    assert_eq!(create[256..258], 34u16.to_ne_bytes());
    assert_eq!(create[258..260], 3u16.to_ne_bytes(), "USB, or libfido2 passes over it");
    assert!(create[260..276].iter().all(|byte| *byte == 0));
    assert_eq!(create[276..], event::DESCRIPTOR);
    key.close().await;
    assert_eq!(kernel.hear(), (1, vec![]), "UHID_DESTROY");
}

/// As hosts read a descriptor: usage page f1d0, 64 bytes in, 64 bytes out.
#[test]
fn the_descriptor_says_what_hosts_look_for() {
    let mut items = &event::DESCRIPTOR[..];
    let (mut usage_page, mut count, mut size, mut main) = (0, 0, 0, Vec::new());
    while let Some((head, rest)) = items.split_first() {
        let length = usize::from(head & 3);
        let value = rest[..length].iter().rev().fold(0u32, |value, byte| value << 8 | u32::from(*byte));
        match head & !3 {
            0x04 => usage_page = value,
            0x74 => size = value,
            0x94 => count = value,
            0x80 | 0x90 | 0xa0 | 0xc0 => main.push((head & !3, size * count)),
            _ => {}
        }
        items = &rest[length..];
    }
    assert_eq!(usage_page, 0xf1d0);
    assert_eq!(main, [(0xa0, 0), (0x80, 512), (0x90, 512), (0xc0, 512)]);
}

#[tokio::test]
async fn reports_come_in_as_programs_send_them() {
    let (kernel, mut key) = Kernel::with_key().await;
    kernel.hear();
    kernel.tell(2, &8u64.to_ne_bytes()); // START
    kernel.tell(4, &[]); // OPEN
    let report = counted();
    kernel.tell(6, &output(&report, 64));
    assert_eq!(key.receive().await.unwrap(), Heard::Report(report));
    // As hidraw has it, with the number of the report before it.
    kernel.tell(6, &output(&[&[0][..], &report].concat(), 65));
    assert_eq!(key.receive().await.unwrap(), Heard::Report(report));
    // One whose first byte is a zero of its own.
    let mut zero = report;
    zero[0] = 0;
    kernel.tell(6, &output(&zero, 64));
    assert_eq!(key.receive().await.unwrap(), Heard::Report(zero));
    // Short ones end in zeros; and no size is believed beyond its bytes.
    kernel.tell(6, &output(&[5], 1));
    let mut short = [0; REPORT];
    short[0] = 5;
    assert_eq!(key.receive().await.unwrap(), Heard::Report(short));
    kernel.tell(6, &output(&report, u16::MAX));
    assert_eq!(key.receive().await.unwrap(), Heard::Report(report));
    kernel.tell(5, &[]); // CLOSE
    assert_eq!(key.receive().await.unwrap(), Heard::Left);
}

#[tokio::test]
async fn whoever_waits_for_a_reply_gets_one() {
    let (kernel, mut key) = Kernel::with_key().await;
    kernel.hear();
    kernel.tell(9, &[7, 0, 0, 0, 0, 0]); // GET_REPORT, a feature
    kernel.tell(13, &[8, 0, 0, 0, 0, 0, 1, 0, 9]); // SET_REPORT, a feature
    let mut set = vec![9, 0, 0, 0, 0, 1, 64, 0];
    set.extend(counted());
    kernel.tell(13, &set); // SET_REPORT, what a program has to say
    assert_eq!(key.receive().await.unwrap(), Heard::Report(counted()));
    assert_eq!(kernel.hear(), (10, vec![7, 0, 0, 0, 5, 0, 0, 0]));
    assert_eq!(kernel.hear(), (14, vec![8, 0, 0, 0, 5, 0]));
    assert_eq!(kernel.hear(), (14, vec![9, 0, 0, 0, 0, 0]));
}

#[tokio::test]
async fn reports_go_out_with_a_pause_before_the_kernel_drops_them() {
    let (kernel, mut key) = Kernel::with_key().await;
    kernel.hear();
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    // A program reads along, or a socket would be full.
    let reader = std::thread::spawn(move || (0..129).map(|_| kernel.hear()).collect::<Vec<_>>());
    for _ in 0..129 {
        key.send(&counted()).await.unwrap();
    }
    let pauses = began.elapsed().as_millis() / defaults::BURST_PAUSE.as_millis();
    assert_eq!(pauses, 4, "one for each 32 that are followed by others");
    for (kind, input) in reader.join().unwrap() {
        assert_eq!((kind, &input[..2], &input[2..]), (12, &64u16.to_ne_bytes()[..], &counted()[..]));
    }
}

#[tokio::test]
async fn a_kernel_without_it_and_one_that_refuses_are_told_apart() {
    let missing = Uhid::plug_in(Path::new("/dev/null/uhid")).await.unwrap_err();
    assert_eq!(missing.advice().1, "uhid.missing");
    for (kind, id) in [
        (ErrorKind::NotFound, "uhid.missing"),
        (ErrorKind::PermissionDenied, "uhid.denied"),
        // ENODEV, ENXIO: a file with nobody behind it.
        (ErrorKind::Other, "uhid.missing"),
    ] {
        assert_eq!(Fault::of(&kind.into()).advice().0, id);
    }
    let (kernel, file) = UnixDatagram::pair().unwrap();
    drop(kernel);
    let broken = Uhid::over(file.into()).await.unwrap_err();
    assert_eq!(broken.advice().1, "uhid.broken");
}

/// Whatever a kernel would say: it is read, and nothing panics.
#[test]
fn every_event_is_read() {
    for kind in 0..20u32 {
        for length in [0, 1, 3, 5, 6, 7, 8, 9, 72, 4098, 4099, 4104, 5000] {
            for fill in [0, 1, 0x40, 0xff] {
                let event = [&kind.to_ne_bytes()[..], &vec![fill; length]].concat();
                let read = Event::read(&event);
                assert_eq!(
                    matches!(read, Event::Report(..)),
                    kind == 6 || kind == 13 && fill == 1 && length > 5
                );
            }
        }
    }
    assert_eq!(Event::read(&[]), Event::Other);
    assert_eq!(Event::read(&[4]), if cfg!(target_endian = "little") { Event::Open } else { Event::Other });
}
