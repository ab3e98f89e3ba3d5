//! The page as a browser meets it, and as somebody else does.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cablecar_protocol::client_platform::qr_initiated::ExpectAdvert;
use cablecar_protocol::qr::{Hint, QrInvitation};
use rand_core::OsRng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::screen::Stage;

/// Keeps the URL, as a browser would.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<String>>>);

impl Opener for Kept {
    fn open(&mut self, url: &str) {
        self.0.lock().unwrap().push(url.to_owned());
    }
}

fn invitation() -> QrInvitation {
    ExpectAdvert::invite(Hint::GetAssertion, 1_795_000_000, &mut OsRng).unwrap().1
}

/// A page with a code on it, and where it is: host and path.
async fn shown(code: &QrInvitation) -> (Page, String, String) {
    let kept = Kept::default();
    let mut page = Page::open("Sign in at <b>here</b>", kept.clone(), &mut OsRng).await.unwrap();
    assert!(kept.0.lock().unwrap().is_empty(), "opened before there was anything to see");
    page.notice(&Notice::Code(code));
    page.notice(&Notice::Stage(Stage::WaitingForPhone, Duration::ZERO));
    let urls = kept.0.lock().unwrap().clone();
    let (host, path) = urls[0].strip_prefix("http://").unwrap().split_once('/').unwrap();
    assert_eq!(urls.len(), 1);
    (page, host.to_owned(), format!("/{path}"))
}

/// All that comes back for these bytes.
async fn say(host: &str, bytes: &str) -> String {
    let mut stream = TcpStream::connect(host).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    answer
}

async fn get(host: &str, path: &str) -> String {
    say(host, &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")).await
}

/// The path at which a page goes on.
fn next(answer: &str) -> String {
    answer.split_once("data-next=\"").expect(answer).1.split_once('"').unwrap().0.to_owned()
}

#[tokio::test]
async fn a_code_is_shown_once_and_to_whoever_has_the_path() {
    let code = invitation();
    let (_page, host, path) = shown(&code).await;
    assert!(host.starts_with("127.0.0.1:"));
    assert_eq!(path.len(), 1 + 32, "128 bits in hexadecimal");

    let nothing = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let port = host.rsplit(':').next().unwrap();
    let request = |line: &str, host: &str| format!("{line}\r\nHost: {host}\r\n\r\n");
    let good = format!("GET {path} HTTP/1.1");
    for wrong in [
        request("GET / HTTP/1.1", &host),
        request("GET /favicon.ico HTTP/1.1", &host),
        request(&format!("GET {path}0 HTTP/1.1"), &host),
        request(&format!("GET {path}?x HTTP/1.1"), &host),
        request(&format!("GET {} HTTP/1.1", path.to_uppercase()), &host),
        request(&format!("GET http://{host}{path} HTTP/1.1"), &host),
        request(&format!("POST {path} HTTP/1.1"), &host),
        request(&format!("HEAD {path} HTTP/1.1"), &host),
        request(&format!("OPTIONS {path} HTTP/1.1"), &host),
        request(&good, "rebound.example.com"),
        request(&good, &format!("rebound.example.com:{port}")),
        request(&good, &format!("localhost:{port}")),
        request(&good, "127.0.0.1"),
        format!("{good}\r\n\r\n"),
        format!("{good}\r\nHost: {host}\r\nHost: rebound.example.com\r\n\r\n"),
        format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nX: {}\r\n\r\n", "y".repeat(9_000)),
        "no HTTP at all\r\n\r\n".into(),
    ] {
        assert_eq!(say(&host, &wrong).await, nothing, "{wrong}");
    }

    let answer = get(&host, &path).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains(&*code.to_text()) && answer.contains("<svg"), "{answer}");
    assert!(answer.contains("Sign in at &lt;b&gt;here&lt;/b&gt;"), "{answer}");
    for header in ["Cache-Control: no-store", "default-src 'none'", "Referrer-Policy: no-referrer"] {
        assert!(answer.contains(header), "{header} in {answer}");
    }
    let again = get(&host, &path).await;
    assert!(again.starts_with("HTTP/1.1 410 Gone\r\n") && !again.contains("FIDO:"), "{again}");
}

#[tokio::test]
async fn each_page_waits_for_news_and_the_code_goes_when_a_phone_comes() {
    let (code, another) = (invitation(), invitation());
    let (mut page, host, path) = shown(&code).await;
    let first = get(&host, &path).await;

    let path = next(&first);
    let waiting = tokio::spawn({
        let (host, path) = (host.clone(), path.clone());
        async move { get(&host, &path).await }
    });
    // It is not there without news.
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!waiting.is_finished());
    page.notice(&Notice::Code(&another));
    let second = waiting.await.unwrap();
    assert!(second.contains(&*another.to_text()) && !second.contains(&*code.to_text()), "{second}");

    page.notice(&Notice::NotOurs(1));
    let third = get(&host, &next(&second)).await;
    assert!(third.contains("A phone that scanned another code was heard."), "{third}");

    page.notice(&Notice::Stage(Stage::PhoneNearby, Duration::ZERO));
    let fourth = get(&host, &next(&third)).await;
    assert!(!fourth.contains("FIDO:") && !fourth.contains("<svg"), "{fourth}");
    assert!(fourth.contains("The phone is nearby"), "{fourth}");

    // What was missed is not told one by one.
    page.notice(&Notice::Stage(Stage::Connecting, Duration::ZERO));
    page.notice(&Notice::Stage(Stage::VerifyingOnPhone, Duration::ZERO));
    let fifth = get(&host, &next(&fourth)).await;
    assert!(fifth.contains(">Confirm on the phone</p>"), "{fifth}");

    let path = next(&fifth);
    let (last, ()) = tokio::join!(get(&host, &path), page.end(Ending::Done("alice signs in".into())));
    assert!(last.contains(">Alice signs in</p>") && last.contains("data-ending=\"done\""), "{last}");
    assert!(!last.contains("data-next") && !last.contains("refresh"), "{last}");
    // Nobody is there any more; the listener goes with its task.
    while TcpStream::connect(&host).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_error_ends_it_with_its_remedy() {
    let (page, host, path) = shown(&invitation()).await;
    let path = next(&get(&host, &path).await);
    let ending = Ending::from(&Error::NobodyCame);
    let (last, ()) = tokio::join!(get(&host, &path), page.end(ending));
    assert!(last.contains("Nobody scanned the code in time") && last.contains("What to do: "), "{last}");
    assert!(last.contains("data-ending=\"failed\"") && !last.contains("FIDO:"), "{last}");
}

#[tokio::test(start_paused = true)]
async fn a_page_without_news_comes_before_a_browser_gives_up() {
    let (_page, host, path) = shown(&invitation()).await;
    let first = get(&host, &path).await;
    // Time turns by itself while everybody waits.
    let second = get(&host, &next(&first)).await;
    assert!(second.starts_with("HTTP/1.1 200 OK") && second.contains("FIDO:"), "{second}");
}

#[tokio::test(start_paused = true)]
async fn slow_clients_are_hung_up_on_and_keep_nobody_out() {
    let code = invitation();
    let (_page, host, path) = shown(&code).await;
    let mut slow = Vec::new();
    for _ in 0..2 * defaults::PAGE_CONNECTIONS {
        let mut stream = TcpStream::connect(&host).await.unwrap();
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n").as_bytes()).await.unwrap();
        slow.push(stream);
    }
    assert!(get(&host, &path).await.contains(&*code.to_text()));
    for mut stream in slow {
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert_eq!(answer, b"");
    }
}

#[tokio::test]
async fn a_page_that_is_dropped_is_gone() {
    let (page, host, path) = shown(&invitation()).await;
    let path = next(&get(&host, &path).await);
    let waiting = tokio::spawn(async move { get(&host, &path).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(page);
    assert_eq!(waiting.await.unwrap(), "");
}
