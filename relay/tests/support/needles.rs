//! A search for what must not be said, in every form in which programs say
//! such things.

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What to look for.
#[derive(Debug, Default)]
pub(crate) struct Needles(Vec<Needle>);

#[derive(Debug)]
struct Needle {
    what: String,
    forms: Vec<Vec<u8>>,
}

impl Needles {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Bytes: raw, in hexadecimal of both cases, in both alphabets of base64,
    /// and as the lists that Rust prints.
    pub(crate) fn add(&mut self, what: &str, bytes: &[u8]) {
        let digits = |byte: &u8| format!("{byte:02x}");
        let hex: String = bytes.iter().map(digits).collect();
        let list = |of: fn(&u8) -> String| bytes.iter().map(of).collect::<Vec<_>>().join(", ");
        let standard = base64(bytes);
        let forms = [
            bytes.to_vec(),
            hex.clone().into_bytes(),
            hex.to_uppercase().into_bytes(),
            standard.replace('+', "-").replace('/', "_").into_bytes(),
            standard.into_bytes(),
            list(u8::to_string).into_bytes(),
            list(|byte| format!("{byte:#04x}")).into_bytes(),
            list(|byte| format!("{byte:02x}")).into_bytes(),
            list(|byte| format!("{byte:02X}")).into_bytes(),
            bytes.escape_ascii().to_string().into_bytes(),
        ];
        self.0.push(Needle { what: what.into(), forms: forms.into() });
    }

    /// Text as it is, and its bytes as above.
    pub(crate) fn add_text(&mut self, what: &str, text: &str) {
        self.add(what, text.as_bytes());
    }

    /// Which of them are in this, whatever the case of letters.
    pub(crate) fn found_in(&self, text: &[u8]) -> Vec<String> {
        let lower = text.to_ascii_lowercase();
        let here = |form: &Vec<u8>| {
            let small = form.to_ascii_lowercase();
            contains(text, form) || (hexadecimal(form) && contains(&lower, &small))
        };
        let found = self.0.iter().filter(|needle| needle.forms.iter().any(here));
        found.map(|needle| needle.what.clone()).collect()
    }
}

fn hexadecimal(form: &[u8]) -> bool {
    form.iter().all(u8::is_ascii_hexdigit)
}

fn contains(text: &[u8], form: &[u8]) -> bool {
    text.windows(form.len()).any(|window| window == form)
}

/// Without padding.
fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_usize, |word, byte| word << 8 | usize::from(*byte))
            << (8 * (3 - chunk.len()));
        for n in 0..=chunk.len() {
            text.push(char::from(STANDARD[word >> (18 - 6 * n) & 63]));
        }
    }
    text
}

#[test]
fn every_form_is_found() {
    let mut needles = Needles::default();
    needles.add("it", &[0xfb, 0xff, 0x00, 0xab, 0x41]);
    for said in [
        &b"x\xfb\xff\x00\xabAx"[..],
        b"id=FBFF00AB41.",
        b"id=fbff00ab41.",
        b"id=FbfF00aB41.",
        b"id=+/8Aq0E=",
        b"id=-_8Aq0E",
        b"TunnelId([251, 255, 0, 171, 65])",
        b"[0xfb, 0xff, 0x00, 0xab, 0x41]",
        b"[fb, ff, 00, ab, 41]",
        b"b\"\\xfb\\xff\\x00\\xabA\"",
    ] {
        assert_eq!(needles.found_in(said), ["it"], "{}", said.escape_ascii());
    }
    assert!(needles.found_in(b"id=FBFF00AB42 [251, 255, 0, 171, 66]").is_empty());
}
