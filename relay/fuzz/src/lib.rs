//! What each fuzz target does with its input: it says it to a live relay, over
//! TCP, in the same thread, and judges what comes back by rules that are
//! written down once more. So nothing of the relay has to be public for it.
//!
//! The rules for heads and frames are those of the test `malformed`; those for
//! what proxies say are in `introduced`.

// The rules are those of a test, which also makes its own cases; of these
// nothing is used here.
#[path = "../../tests/malformed/case.rs"]
#[allow(dead_code, reason = "the fuzzer makes the cases")]
mod case;
#[path = "../../tests/malformed/frames.rs"]
#[allow(dead_code, reason = "the fuzzer makes the cases")]
mod frames;
#[path = "../../tests/malformed/heads.rs"]
#[allow(dead_code, reason = "the fuzzer makes the cases")]
mod heads;
mod introduced;
mod support;

use std::net::IpAddr;

use cablecar_relay::config::ProxyProtocol;
use support::{ID, Live};

/// A request's head, and what stands behind it.
pub fn head(data: &[u8]) {
    thread_local!(static LIVE: Live = Live::start(|_| {}));
    LIVE.with(|live| live.judge(heads::put(live.addr, data.to_vec(), "of the fuzzer")));
}

/// What a first party sends, and what becomes of it.
pub fn frames(data: &[u8]) {
    thread_local!(static LIVE: Live = Live::start(|config| config.limits.message = frames::MOST));
    LIVE.with(|live| live.judge(frames::put(live.addr, frames::certain(data.to_vec()), ID)));
}

/// A PROXY header, and a question behind it.
pub fn proxy_header(data: &[u8]) {
    thread_local!(static LIVE: Live = Live::behind(ProxyProtocol::ProxyHeader));
    // What has no end of its own may have one in the question.
    let all = [data, support::question("").as_bytes()].concat();
    let (said, rest) = introduced::header(&all);
    LIVE.with(|live| {
        let answer = live.judge(live.ask(data, ""));
        match said {
            // Who is let in is answered, and whoever is not hears nothing.
            Some(client) if !client.is_some_and(introduced::blocked) => {
                let asked = rest == support::question("").as_bytes();
                let answered = answer.starts_with(b"HTTP/1.1 200 ");
                assert!(answered || !asked, "{said:?}: {}", answer.escape_ascii());
            }
            _ => assert!(answer.is_empty(), "{said:?}: {}", answer.escape_ascii()),
        }
    });
}

/// The header `X-Forwarded-For`, a value a line.
pub fn forwarded_for(data: &[u8]) {
    thread_local!(static LIVE: Live = Live::behind(ProxyProtocol::ForwardedFor));
    let Some(text) = std::str::from_utf8(data)
        .ok()
        .filter(|text| text.len() < 4000 && text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n')))
    else {
        return;
    };
    let headers: String = text.lines().map(|line| format!("X-Forwarded-For: {line}\r\n")).collect();
    if text.lines().count() > 90 || headers.len() > 7000 {
        return;
    }
    let client: IpAddr = introduced::forwarded(text.lines());
    LIVE.with(|live| {
        let answer = live.judge(live.ask(b"", &headers));
        let expected = if introduced::blocked(client) { "HTTP/1.1 403 " } else { "HTTP/1.1 200 " };
        assert!(answer.starts_with(expected.as_bytes()), "{client}: {}", answer.escape_ascii());
    });
}

/// A target and the function behind it.
pub type Target = (&'static str, fn(&[u8]));

/// Every target by its name.
pub const TARGETS: [Target; 4] =
    [("head", head), ("frames", frames), ("proxy_header", proxy_header), ("forwarded_for", forwarded_for)];
