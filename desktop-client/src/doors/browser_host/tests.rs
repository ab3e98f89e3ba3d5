//! The door with a phone that a test plays.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cablecar_protocol::client_platform::qr_initiated::ExpectAdvert;
use cablecar_protocol::ctap::{GetInfo, Status};
use cablecar_protocol::qr::Hint;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::*;
use crate::screen::{Caution, Notice, Screen, Stage};
use crate::transaction::Ask;
use crate::webauthn::{Get, Origin, Page};

/// What the phone does with a request.
#[derive(Clone)]
enum Deed {
    Answers(Vec<u8>),
    Fails(fn() -> Error),
    Waits,
}

/// A phone that shows a code, and then does one deed after the other.
#[derive(Clone)]
struct Played {
    deeds: Arc<Mutex<VecDeque<Deed>>>,
    asked: Arc<Mutex<Vec<Vec<u8>>>>,
    /// How often it was let go.
    parted: watch::Sender<usize>,
}

impl Played {
    fn new(deeds: &[Deed]) -> Self {
        let deeds = Arc::new(Mutex::new(deeds.iter().cloned().collect()));
        Self { deeds, asked: Arc::default(), parted: watch::channel(0).0 }
    }
}

impl Phone for Played {
    async fn ask(&mut self, ask: &Ask, screen: &mut dyn Screen) -> Result<Vec<u8>, Error> {
        self.asked.lock().unwrap().push(ask.request.clone());
        screen.notice(&Notice::Caution(&Caution::NoProximity));
        let (_, code) =
            ExpectAdvert::invite(Hint::GetAssertion, 1_795_000_000, &mut rand_core::OsRng).unwrap();
        screen.notice(&Notice::Code(&code));
        screen.notice(&Notice::Stage(Stage::WaitingForPhone, Duration::ZERO));
        let deed = self.deeds.lock().unwrap().pop_front();
        match deed.expect("it is asked no more often") {
            Deed::Answers(answer) => Ok(answer),
            Deed::Fails(error) => Err(error()),
            Deed::Waits => std::future::pending().await,
        }
    }

    fn get_info(&self) -> Option<&GetInfo> {
        None
    }

    async fn part(&mut self) {
        self.parted.send_modify(|times| *times += 1);
    }
}

/// Longer than anything here takes; only what hangs takes as long.
async fn patiently<T>(work: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(30), work).await.expect("it hangs")
}

/// The extension at the other end.
struct Extension {
    to: Option<DuplexStream>,
    from: DuplexStream,
    phone: Played,
    host: JoinHandle<Result<(), Error>>,
}

impl Extension {
    fn with(deeds: &[Deed]) -> Self {
        let phone = Played::new(deeds);
        let ((to, input), (output, from)) = (duplex(1 << 12), duplex(1 << 12));
        let findings = async || vec![Finding { id: "radio.off", message: "off".into(), remedy: "on" }];
        let host = tokio::spawn(serve(phone.clone(), findings, input, output, std::future::pending()));
        Self { to: Some(to), from, phone, host }
    }

    async fn say_bytes(&mut self, body: &[u8]) {
        let length = u32::try_from(body.len()).unwrap().to_ne_bytes();
        let to = self.to.as_mut().unwrap();
        to.write_all(&length).await.unwrap();
        to.write_all(body).await.unwrap();
    }

    async fn say(&mut self, message: Value) {
        self.say_bytes(message.to_string().as_bytes()).await;
    }

    async fn hear(&mut self) -> Value {
        let heard = async {
            let length = self.from.read_u32_le().await.unwrap();
            let mut body = vec![0; usize::try_from(length).unwrap()];
            self.from.read_exact(&mut body).await.unwrap();
            serde_json::from_slice(&body).unwrap()
        };
        patiently(heard).await
    }

    /// What comes next that is no event.
    async fn answer(&mut self) -> Value {
        loop {
            let heard = self.hear().await;
            if heard.get("event").is_none() {
                return heard;
            }
        }
    }

    /// Until the request of this id is under way.
    async fn under_way(&mut self, id: i64) {
        while self.hear().await != stage(id) {}
    }

    async fn close(mut self) -> Result<(), Error> {
        drop(self.to.take());
        patiently(self.host).await.unwrap()
    }
}

fn stage(id: i64) -> Value {
    json!({
        "id": id, "event": "stage", "stage": "waiting-for-phone",
        "sentence": Stage::WaitingForPhone.sentence(), "ifStuck": Stage::WaitingForPhone.if_stuck(),
    })
}

fn get(id: i64) -> Value {
    json!({
        "id": id, "ask": "get", "origin": "https://login.example.com", "profile": "borrowed",
        "options": {"challenge": "AQID", "rpId": "example.com", "timeout": 60_000, "extensions": {
            "remoteDesktopClientOverride": {"origin": "https://login.example.com", "sameOriginWithAncestors": true},
        }},
    })
}

fn declined() -> Deed {
    Deed::Answers(vec![Status::OPERATION_DENIED.byte()])
}

fn error_of(answer: &Value) -> (i64, &str, &str) {
    let error = &answer["error"];
    (answer["id"].as_i64().unwrap_or(-1), error["name"].as_str().unwrap(), error["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_request_is_told_of_step_by_step_and_answered_once() {
    let mut extension = Extension::with(&[declined()]);
    extension.say(get(-7)).await;
    let caution = extension.hear().await;
    assert_eq!((&caution["id"], &caution["event"]), (&json!(-7), &json!("caution")));
    assert_eq!(caution["message"], Caution::NoProximity.to_string());
    let code = extension.hear().await;
    assert_eq!((&code["id"], &code["event"]), (&json!(-7), &json!("code")));
    assert!(code["svg"].as_str().unwrap().starts_with("<svg"), "{code}");
    assert!(code["text"].as_str().unwrap().starts_with("FIDO:/"));
    // As long as the request, which is shorter than a code is good for.
    assert!((1..=60_000).contains(&code["expiresMs"].as_u64().unwrap()), "{}", code["expiresMs"]);
    assert_eq!(extension.hear().await, stage(-7));
    let answer = extension.hear().await;
    assert_eq!(error_of(&answer), (-7, "NotAllowedError", "phone.declined"));
    for member in ["message", "remedy"] {
        assert!(answer["error"][member].is_string(), "{answer}");
    }
    let phone = extension.phone.clone();
    extension.close().await.unwrap();
    assert!(*phone.parted.borrow() >= 1, "a phone is not kept for the next page");
}

#[tokio::test]
async fn what_concerns_only_the_browser_never_reaches_a_phone() {
    let mut extension = Extension::with(&[declined(), declined()]);
    let mut without = get(2);
    without["options"].as_object_mut().unwrap().remove("extensions");
    for message in [get(1), without] {
        extension.say(message).await;
        extension.answer().await;
    }
    let asked = extension.phone.asked.lock().unwrap();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0], asked[1]);
}

#[tokio::test]
async fn a_cancelled_request_is_withdrawn_on_the_phone_too() {
    let mut extension = Extension::with(&[Deed::Waits, declined()]);
    let mut parted = extension.phone.parted.subscribe();
    extension.say(get(1)).await;
    extension.under_way(1).await;
    extension.say(get(2)).await;
    extension.say(json!({"id": 7, "ask": "cancel"})).await;
    extension.say(json!({"id": 1, "ask": "cancel"})).await;
    assert_eq!(error_of(&extension.answer().await), (1, "AbortError", "interrupted"));
    patiently(parted.wait_for(|times| *times >= 1)).await.unwrap();
    assert_eq!(error_of(&extension.answer().await), (2, "NotAllowedError", "phone.declined"));
}

#[tokio::test]
async fn a_request_that_waits_is_cancelled_without_the_phone() {
    let mut extension = Extension::with(&[Deed::Waits]);
    extension.say(get(1)).await;
    extension.under_way(1).await;
    extension.say(get(2)).await;
    extension.say(json!({"id": 2, "ask": "cancel"})).await;
    assert_eq!(error_of(&extension.answer().await), (2, "AbortError", "interrupted"));
    assert_eq!(*extension.phone.parted.borrow(), 0);
    assert_eq!(extension.phone.asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn the_end_of_the_input_withdraws_what_is_under_way() {
    let mut extension = Extension::with(&[Deed::Waits]);
    extension.say(get(1)).await;
    extension.under_way(1).await;
    let phone = extension.phone.clone();
    extension.close().await.unwrap();
    assert_eq!(*phone.parted.borrow(), 1);
}

#[tokio::test]
async fn requests_are_served_one_after_the_other_and_not_without_end() {
    let mut extension = Extension::with(&[Deed::Waits]);
    extension.say(get(0)).await;
    extension.under_way(0).await;
    let most = i64::try_from(defaults::MOST_REQUESTS_WAITING).unwrap();
    for id in 1..=most + 1 {
        extension.say(get(id)).await;
    }
    assert_eq!(error_of(&extension.answer().await), (most + 1, "NotAllowedError", "browser.busy"));
    assert_eq!(extension.phone.asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn the_status_says_which_version_this_is_and_what_is_wrong() {
    let mut extension = Extension::with(&[Deed::Waits]);
    extension.say(json!({"id": 9, "ask": "status"})).await;
    let findings = json!([{"id": "radio.off", "message": "off", "remedy": "on"}]);
    let status = |findings| json!({"version": env!("CARGO_PKG_VERSION"), "findings": findings});
    assert_eq!(extension.hear().await, json!({"id": 9, "status": status(findings)}));
    // While a radio listens, nobody else tries it.
    extension.say(get(1)).await;
    extension.under_way(1).await;
    extension.say(json!({"id": 10, "ask": "status"})).await;
    assert_eq!(extension.hear().await, json!({"id": 10, "status": status(json!([]))}));
}

#[tokio::test]
async fn who_asks_is_the_browsers_word_and_what_they_may_use_is_ours() {
    let mut extension = Extension::with(&[]);
    let cases: [(&str, Value, &str, &str); 8] = [
        ("origin", json!("https://example.org"), "SecurityError", "options.rp-id"),
        ("origin", json!("https://com"), "SecurityError", "options.rp-id"),
        ("origin", json!("http://login.example.com"), "SecurityError", "browser.page"),
        ("origin", json!("null"), "SecurityError", "browser.page"),
        ("origin", Value::Null, "TypeError", "browser.message"),
        ("topOrigin", json!("http://shop.example"), "SecurityError", "browser.page"),
        ("options", json!({"challenge": 7}), "TypeError", "options.invalid"),
        ("options", json!("{}"), "TypeError", "options.invalid"),
    ];
    for (member, value, name, id) in cases {
        let mut message = get(4);
        message[member] = value.clone();
        extension.say(message).await;
        assert_eq!(error_of(&extension.hear().await), (4, name, id), "{member} {value}");
    }
    assert!(extension.phone.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_frame_of_another_site_is_told_from_a_page_of_its_own() {
    let mut extension = Extension::with(&[declined(), declined(), declined()]);
    let mut framed = get(2);
    framed["topOrigin"] = json!("https://shop.example");
    let mut nameless = get(3);
    nameless["crossOrigin"] = json!(true);
    for message in [get(1), framed, nameless] {
        extension.say(message).await;
        extension.answer().await;
    }
    // The hash of the client data is all that a phone sees of it.
    let asked = extension.phone.asked.lock().unwrap().clone();
    let page =
        Page::in_frame(Origin::parse("https://login.example.com").unwrap(), Some("https://shop.example"));
    let options = get(0)["options"].to_string();
    let expected = Get::from_json(options.as_bytes(), page.unwrap()).unwrap().ask().request;
    assert_eq!(asked[1], expected);
    assert_ne!(asked[0], asked[1]);
    assert_ne!(asked[1], asked[2]);
    assert_ne!(asked[0], asked[2]);
}

#[tokio::test]
async fn garbage_is_answered_and_does_no_harm() {
    let mut extension = Extension::with(&[Deed::Waits]);
    for garbage in [
        &b""[..],
        b"{",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"{\"id\": \"1\", \"ask\": \"get\"}",
        b"{\"id\": 1}",
    ] {
        extension.say_bytes(garbage).await;
        let answer = extension.hear().await;
        assert_eq!((&answer["id"], error_of(&answer).2), (&Value::Null, "browser.message"), "{garbage:?}");
    }
    extension.say(json!({"id": 1, "ask": "fly"})).await;
    assert_eq!(error_of(&extension.hear().await), (1, "TypeError", "browser.message"));
    extension.say(json!({"id": 1, "ask": "get"})).await;
    assert_eq!(error_of(&extension.hear().await), (1, "TypeError", "browser.message"));
    // An id that is in use already is not answered as if it were the other.
    extension.say(get(1)).await;
    extension.under_way(1).await;
    extension.say(get(1)).await;
    assert_eq!(extension.answer().await["id"], Value::Null);
}

#[tokio::test]
async fn a_length_beyond_all_reason_ends_it() {
    let mut extension = Extension::with(&[]);
    extension.to.as_mut().unwrap().write_all(&u32::MAX.to_ne_bytes()).await.unwrap();
    let ended = patiently(extension.host).await.unwrap().unwrap_err();
    assert_eq!(ended.advice().1, "browser.message");
}

#[tokio::test]
async fn what_fails_before_a_phone_comes_is_told_to_the_page() {
    let fault = || crate::proximity::fault::Fault::Off("hci0".into()).into();
    let mut extension = Extension::with(&[Deed::Fails(fault), Deed::Fails(|| Error::NobodyCame)]);
    for (id, expected) in [(1, "radio.off"), (2, "phone.nobody-came")] {
        extension.say(get(id)).await;
        assert_eq!(error_of(&extension.answer().await), (id, "NotAllowedError", expected));
    }
}

#[tokio::test]
async fn a_person_who_stops_the_program_withdraws_too() {
    let phone = Played::new(&[Deed::Waits]);
    let ((mut to, input), (output, mut from)) = (duplex(1 << 12), duplex(1 << 16));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let host = serve(phone.clone(), async || Vec::new(), input, output, async { drop(stopped.await) });
    let host = tokio::spawn(host);
    let message = get(1).to_string();
    to.write_all(&u32::try_from(message.len()).unwrap().to_ne_bytes()).await.unwrap();
    to.write_all(message.as_bytes()).await.unwrap();
    patiently(from.read_u8()).await.unwrap();
    stop.send(()).unwrap();
    patiently(host).await.unwrap().unwrap();
    assert_eq!(*phone.parted.borrow(), 1);
}
