use cablecar_protocol::qr::digits::{decode, encode};

use crate::case::{File, judge};

#[test]
fn digits() {
    let file = File::open("digits", &["cases", "errors"]);
    file.each("cases", |case| {
        assert_eq!(*encode(&case.hex("bytes")), case.text("digits"));
        assert_eq!(decode(case.text("digits")), Ok(case.hex("bytes")));
    });
    file.each("errors", |case| judge(case.verdict(), &decode(case.text("digits"))));
    file.finish();
}
