use std::cell::Cell;

use cablecar_protocol::danger::{open_record, seal_record};
use cablecar_protocol::stream::{Deframer, frame};

use crate::case::{Case, File, hex};
use crate::{noise, replay};

#[test]
fn sessions() {
    let file = File::open("sessions", &["cases", "l2cap"]);
    file.each("cases", |case| {
        let pattern = case.field("handshake").text("pattern").to_owned();
        let both = match (case.text("kind"), &pattern[..13]) {
            ("qr", "Noise_KNpsk0_") => replay::qr(case),
            ("linked", "Noise_NKpsk0_") => replay::linked(case),
            (kind, pattern) => panic!("unknown kind {kind:?} over {pattern:?}"),
        };
        noise::handshake(&case.field("handshake"));
        replay::wire(case, both);
    });
    let l2cap = file.entry("l2cap");
    for case in l2cap.items() {
        file.run(&case, || match case.path.as_str() {
            "sessions.l2cap[wire]" => {}
            "sessions.l2cap[client_to_phone_stream_crlf]" => stream(&l2cap, "client", &case),
            "sessions.l2cap[phone_to_client_stream_crlf]" => stream(&l2cap, "phone", &case),
            "sessions.l2cap[ambiguous_delimiter]" => ambiguous(&case),
            other => panic!("nothing here runs {other}"),
        });
    }
    file.finish();
}

/// One direction of a stream gives its frames back however it is cut. The
/// vector has no keys for it, so that a record "opens" if it is the next one.
fn stream(l2cap: &Case, from: &str, case: &Case) {
    let stream = crate::case::unhex(case.value.as_str().unwrap());
    let frames = l2cap.field("wire").items();
    let frames: Vec<_> =
        frames.iter().filter(|frame| frame.text("from") == from).map(|frame| frame.hex("frame")).collect();
    let written: Vec<u8> = frames.iter().flat_map(|message| frame(message)).collect();
    assert_eq!(hex(&written), hex(&stream));

    for cut in [1, 2, 7, 81, 83, 100, stream.len()] {
        let mut deframer = Deframer::default();
        let mut found: Vec<Vec<u8>> = Vec::new();
        for piece in stream.chunks(cut) {
            deframer.push(piece);
            if found.is_empty() {
                found.extend(deframer.handshake_message().unwrap());
            }
            while let (false, Some(expected)) = (found.is_empty(), frames.get(found.len())) {
                let Some(record) = deframer.record(|record| record == expected).unwrap() else { break };
                found.push(record);
            }
        }
        assert_eq!(found, frames, "in pieces of {cut}");
    }
}

/// A record with the delimiter inside: the seal finds its end.
fn ambiguous(case: &Case) {
    let (key, counter) = (case.array("key"), case.number("counter") as u32);
    let record = case.hex("ciphertext");
    assert_eq!(seal_record(&key, counter, &case.hex("message")), Ok(record.clone()));
    assert_eq!(frame(&record), case.hex("stream"));
    let inside: Vec<_> = (0..record.len() - 1).filter(|at| record[*at..at + 2] == *b"\r\n").collect();
    assert_eq!(serde_json::to_value(inside.clone()).unwrap(), *case.get("crlf_offsets_inside"));

    let tried = Cell::new(0);
    let opens = |record: &[u8]| {
        tried.set(tried.get() + 1);
        open_record(&key, counter, record).is_ok()
    };
    let mut deframer = Deframer::default();
    deframer.push(&case.hex("stream"));
    deframer.push(b"next");
    assert_eq!(deframer.record(opens), Ok(Some(record.clone())));
    assert_eq!(tried.get(), inside.len() + 1);
    assert_eq!(open_record(&key, counter, &record), Ok(case.hex("message")));
}
