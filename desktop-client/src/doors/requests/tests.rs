#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::VecDeque;
use std::future::pending;
use std::time::Duration;

use cablecar_protocol::cbor::Writer;
use cablecar_protocol::ctap::{CredentialDescriptor, Options, RelyingParty, User};
use tokio::time::{Instant, timeout};

use super::*;
use crate::error::Mismatch;
use crate::screen::Notice;

/// A phone that is not there: it answers what it was told to, and remembers
/// what it was asked.
#[derive(Default)]
struct StandIn {
    answers: VecDeque<Result<Vec<u8>, Error>>,
    asked: Vec<(Vec<u8>, Hint, Duration)>,
    parted: usize,
    says: Option<GetInfo>,
    is_here: bool,
}

impl Phone for StandIn {
    async fn ask(&mut self, ask: &Ask, _: &mut dyn Screen) -> Result<Vec<u8>, Error> {
        assert!(!ask.needs_uv && !ask.needs_rk, "the phone answers for itself");
        self.asked.push((ask.request.clone(), ask.hint, ask.life));
        match self.answers.pop_front() {
            None => pending().await,
            Some(answer) => {
                self.is_here = answer.is_ok();
                answer
            }
        }
    }

    fn get_info(&self) -> Option<&GetInfo> {
        self.says.as_ref().filter(|_| self.is_here)
    }

    async fn part(&mut self) {
        self.parted += 1;
        self.is_here = false;
    }
}

struct Dark;

impl Screen for Dark {
    fn notice(&mut self, _: &Notice<'_>) {}
}

fn requests(answers: impl IntoIterator<Item = Result<Vec<u8>, Error>>) -> Requests<StandIn> {
    Requests::new(StandIn { answers: answers.into_iter().collect(), ..StandIn::default() })
}

fn to_make() -> make_credential::Request {
    make_credential::Request {
        client_data_hash: [7; 32],
        rp: RelyingParty { id: "example.com".into(), name: None },
        user: User { id: vec![1], name: None, display_name: None },
        algorithms: vec![-7],
        exclude: vec![],
        prf: None,
        options: Options::default(),
        pin_uv_auth: false,
    }
}

fn to_get() -> get_assertion::Request {
    get_assertion::Request {
        rp_id: "example.com".into(),
        client_data_hash: [7; 32],
        allow: vec![CredentialDescriptor { id: vec![3; 16], transports: vec![] }],
        has_allow_list: true,
        prf: None,
        options: Options::default(),
        pin_uv_auth: false,
    }
}

/// The request with one entry more in its map, which had fewer than 23 of them
/// and none with a key as high.
fn with_entry(mut request: Vec<u8>, key: i64, fill: impl FnOnce(&mut Writer)) -> Vec<u8> {
    request[1] += 1;
    request.extend(Writer::item(|w| w.int(key)));
    request.extend(Writer::item(fill));
    request
}

/// What a request is answered without a phone, and whether one was asked.
async fn answered_here(request: &[u8]) -> Vec<u8> {
    let mut requests = requests([Ok(vec![0, 0xa0])]);
    assert!(!requests.needs_phone(request));
    let answer = requests.answer(request, &mut Dark).await;
    assert!(requests.phone.asked.is_empty(), "{request:02x?} went to the phone");
    assert_eq!(requests.phone.parted, 0);
    answer
}

#[tokio::test]
async fn both_requests_and_answers_pass_as_they_are() {
    // Keys and members that nobody here knows, in both directions.
    let odd = |request| with_entry(request, 0x60, |w| w.text("of a vendor"));
    let (make, get) = (odd(to_make().to_bytes()), odd(to_get().to_bytes()));
    let answers: [&[u8]; 3] = [b"\x00 no CBOR at all \xff", &[0x2e], &[0xf3, 1, 2, 3]];
    let mut requests = requests(answers.map(|answer| Ok(answer.to_vec())));
    for (request, answer) in [&make, &get, &get].into_iter().zip(answers) {
        assert!(requests.needs_phone(request));
        assert_eq!(requests.answer(request, &mut Dark).await, answer);
        assert!(requests.failure().is_none());
    }
    let life = defaults::REQUEST_LIFE;
    let asked = [
        (make, Hint::MakeCredential, life),
        (get.clone(), Hint::GetAssertion, life),
        (get, Hint::GetAssertion, life),
    ];
    assert_eq!(requests.phone.asked, asked);
    assert_eq!(requests.phone.parted, 0, "the phone may stay");
}

#[tokio::test]
async fn get_info_says_what_is_known_and_no_more() {
    let mut requests = requests([]);
    let answer = requests.answer(&[4], &mut Dark).await;
    let (status, map) = answer.split_first().unwrap();
    assert_eq!(*status, 0);
    // Proves that the map is canonical, too.
    let info = GetInfo::parse(map).unwrap();
    assert_eq!(info.versions, ["FIDO_2_0", "FIDO_2_1"]);
    assert_eq!((info.aaguid, info.extensions), ([0; 16], vec![]));
    assert_eq!(info.options, [("rk".into(), true), ("up".into(), true), ("uv".into(), true)]);
    assert_eq!(info.transports, ["hybrid", "internal"]);
    let map = cbor::parse(map, cbor::CTAP_DEPTH).unwrap().as_map().unwrap();
    let number = |key| map.get(key).and_then(|item| item.as_unsigned());
    assert_eq!((number(5), number(7), number(8)), (Some(7609), Some(255), Some(1023)));
    assert_eq!(map.get(6).unwrap().encoded(), [0x82, 2, 1]);
    assert_eq!(map.len(), 8, "no algorithms");
    assert!(requests.phone.asked.is_empty());
}

#[tokio::test]
async fn get_info_says_what_a_phone_said_but_what_cannot_pass() {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let phone = GetInfo {
        versions: texts(&["U2F_V2", "FIDO_2_0", "FIDO_2_1_PRE", "FIDO_2_2"]),
        extensions: texts(&["prf", "hmac-secret", "largeBlobKey", "credProtect"]),
        aaguid: [9; 16],
        options: ["uv", "rk", "clientPin", "credMgmt", "plat"]
            .map(|name| (name.to_owned(), name != "rk"))
            .into(),
        transports: texts(&["internal", "hybrid"]),
    };
    let mut requests = requests([Ok(vec![0]), Ok(vec![0])]);
    requests.phone.says = Some(phone);
    requests.answer(&to_get().to_bytes(), &mut Dark).await;
    let answer = requests.answer(&[4], &mut Dark).await;
    let info = GetInfo::parse(&answer[1..]).unwrap();
    assert_eq!(info.versions, ["FIDO_2_0", "FIDO_2_2"]);
    assert_eq!(info.extensions, ["prf", "credProtect"]);
    assert_eq!(info.aaguid, [9; 16]);
    assert_eq!(info.options, [("rk".into(), false), ("uv".into(), true)]);
    assert_eq!(info.transports, ["internal", "hybrid"]);

    // A phone that says nothing usable is one that nobody knows.
    let nothing = GetInfo { versions: texts(&["U2F_V2"]), transports: vec![], ..info };
    requests.phone.says = Some(nothing);
    requests.answer(&to_get().to_bytes(), &mut Dark).await;
    let answer = requests.answer(&[4], &mut Dark).await;
    let info = GetInfo::parse(&answer[1..]).unwrap();
    assert_eq!((info.versions.len(), info.transports.len()), (2, 2));

    // And one that is gone is forgotten with its client.
    requests.part().await;
    let answer = requests.answer(&[4], &mut Dark).await;
    assert_eq!(GetInfo::parse(&answer[1..]).unwrap().aaguid, [0; 16]);
}

#[tokio::test]
async fn what_no_phone_would_serve_shows_no_code() {
    let (make, get) = (to_make().to_bytes(), to_get().to_bytes());
    let silent = Options { up: Some(false), ..Options::default() };
    let cut = |bytes: &[u8]| bytes[..bytes.len() - 1].to_vec();
    let large = with_entry(get.clone(), 0x60, |w| w.bytes(&vec![0; defaults::MAX_REQUEST]));
    let cases: Vec<(Vec<u8>, u8)> = vec![
        (vec![], 0x03),
        (vec![1], 0x12),
        (vec![2], 0x12),
        (vec![1, 0xa0], 0x14),
        (vec![2, 0x80], 0x11),
        (cut(&make), 0x12),
        (cut(&get), 0x12),
        ([get.clone(), vec![0]].concat(), 0x12),
        (make_credential::Request { options: silent, ..to_make() }.to_bytes(), 0x2b),
        (get_assertion::Request { options: silent, ..to_get() }.to_bytes(), 0x2b),
        (with_entry(make.clone(), 8, |w| w.bytes(&[1; 16])), 0x14),
        (with_entry(with_entry(make, 8, |w| w.bytes(&[1; 16])), 9, |w| w.int(2)), 0x02),
        (with_entry(get.clone(), 6, |w| w.bytes(&[1; 16])), 0x14),
        (large, 0x39),
        (vec![4, 0xa0], 0x03),
        (vec![0x0b, 0xa0], 0x03),
        (vec![8], 0x30),
        (vec![0, 1, 0, 0], 0x01),
        (vec![6, 0xa2, 1, 2, 2, 2], 0x01),
        (vec![7], 0x01),
        (vec![0x0a], 0x01),
        (vec![0x41], 0x01),
        (vec![0xff], 0x01),
    ];
    for (request, status) in cases {
        assert_eq!(answered_here(&request).await, [status], "{request:02x?}");
    }
    let full =
        with_entry(get, 0x60, |w| w.bytes(&vec![0; defaults::MAX_REQUEST - 5 - to_get().to_bytes().len()]));
    assert_eq!(full.len(), defaults::MAX_REQUEST);
    assert!(requests([]).needs_phone(&full), "as long as it may be");
}

#[tokio::test(start_paused = true)]
async fn a_touch_is_waited_for_and_never_comes() {
    let dummy = RelyingParty { id: ".dummy".into(), name: None };
    let touches = [
        vec![0x0b],
        make_credential::Request { rp: dummy, ..to_make() }.to_bytes(),
        with_entry(to_make().to_bytes(), 8, |w| w.bytes(&[])),
        with_entry(to_get().to_bytes(), 6, |w| w.bytes(&[])),
    ];
    for touch in touches {
        let began = Instant::now();
        assert_eq!(answered_here(&touch).await, [0x2f], "{touch:02x?}");
        assert_eq!(began.elapsed(), defaults::UNTOUCHED);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_waited_for_any_more_is_withdrawn_once() {
    let get = to_get().to_bytes();
    let mut requests = requests([]);
    let waiting = timeout(Duration::from_secs(5), requests.answer(&get, &mut Dark)).await;
    assert!(waiting.is_err());
    assert_eq!(requests.phone.parted, 0);
    requests.withdraw().await;
    requests.withdraw().await;
    assert_eq!(requests.phone.parted, 1);

    // A client that forgets to say so has it withdrawn by its next request.
    let waiting = timeout(Duration::from_secs(5), requests.answer(&get, &mut Dark)).await;
    assert!(waiting.is_err());
    requests.phone.answers.push_back(Ok(vec![0]));
    assert_eq!(requests.answer(&get, &mut Dark).await, [0]);
    assert_eq!(requests.phone.parted, 2);
    // An answer that came leaves the phone where it is.
    requests.withdraw().await;
    assert_eq!(requests.phone.parted, 2);
}

#[tokio::test]
async fn an_error_is_a_status_and_is_there_to_be_told() {
    let cases = [
        (Error::NobodyCame, 0x2f),
        (Error::NotOurs(3), 0x2f),
        (Error::PhoneSilent("waiting"), 0x2f),
        (Error::PhoneHungUp("waiting"), 0x27),
        (Error::Declined, 0x27),
        (Error::Interrupted, 0x2d),
        (Error::NoPasskey, 0x2e),
        (Error::AlreadyRegistered, 0x19),
        (Error::Algorithm, 0x26),
        (Error::Unsuitable("fly"), 0x2b),
        (Error::Status(Status::KEY_STORE_FULL), 0x28),
        (Error::Usage(String::new()), 0x02),
        (Error::TunnelBroke(String::new()), 0x7f),
        (Error::RelayNotFound { host: String::new() }, 0x7f),
        (Error::Answer(Mismatch::Unreadable), 0x7f),
    ];
    for (error, status) in cases {
        let told = error.to_string();
        let mut requests = requests([Err(error)]);
        assert_eq!(requests.answer(&to_get().to_bytes(), &mut Dark).await, [status], "{told}");
        assert_eq!(requests.failure().unwrap().to_string(), told);
        assert!(requests.failure().is_none(), "told once");
    }
    // An answer without a byte is none.
    let mut requests = requests([Ok(vec![])]);
    assert_eq!(requests.answer(&to_get().to_bytes(), &mut Dark).await, [0x7f]);
    assert!(matches!(requests.failure(), Some(Error::Answer(Mismatch::Unreadable))));
    // And what failed before is not told of what did not.
    requests.phone.answers.push_back(Err(Error::NobodyCame));
    requests.answer(&to_get().to_bytes(), &mut Dark).await;
    requests.answer(&[4], &mut Dark).await;
    assert!(requests.failure().is_none());
}
