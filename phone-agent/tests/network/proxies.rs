//! HTTP proxies of the environment.

use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::certificates::Authority;
use super::stand_in::{CONFLICT, NOT_FOUND, Proxying, proxy, relay, tls_relay};
use super::{HOST, Phone, ended};

#[test]
fn a_proxy_leads_to_the_relay_and_is_asked_where_connect_to_says() {
    let (phone, authority) = (Phone::new(), Authority::new());
    let relay = tls_relay(authority.server(HOST), CONFLICT);
    fs::write(phone.path("ca.pem"), authority.pem()).unwrap();
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let proxy = proxy(Proxying::Willing);
        let rule = relay.instead_of(HOST);
        let mut scan = phone.scan(&["--connect-to", &rule, "--ca-file", "ca.pem"]);
        let output = scan.env(variable, format!("http://{}", proxy.address)).output().unwrap();
        let (exit, id, said) = ended(&output);
        assert_eq!((exit, id.as_str()), (7, "relay.code-in-use"), "{said}");
        let [head] = &proxy.heads()[..] else { panic!("one CONNECT through {variable}") };
        assert!(head.starts_with(&format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n", relay.address)), "{head}");
        assert!(!head.contains("Proxy-Authorization"), "{head}");
    }
    assert!(relay.heads()[0].contains(&format!("\r\nHost: {HOST}\r\n")));
}

#[test]
fn without_a_rule_the_proxy_is_asked_for_the_name() {
    let phone = Phone::new();
    let proxy = proxy(Proxying::Says("HTTP/1.1 502 Bad Gateway\r\n\r\n"));
    let output = phone.scan(&[]).env("HTTPS_PROXY", format!("http://{}", proxy.address)).output().unwrap();
    let (exit, id, said) = ended(&output);
    assert_eq!((exit, id.as_str()), (7, "relay.proxy"), "{said}");
    assert!(said.contains("502 Bad Gateway"), "{said}");
    assert!(proxy.heads()[0].starts_with(&format!("CONNECT {HOST}:443 HTTP/1.1\r\n")));
}

#[test]
fn what_is_named_in_no_proxy_is_reached_directly() {
    let phone = Phone::new();
    let (relay, proxy) = (relay(CONFLICT), proxy(Proxying::Willing));
    let url = format!("http://{}", proxy.address);
    for (none_for, asked) in [("127.0.0.1", 0), ("127.0.0.0/8", 0), ("*", 0), ("example.com", 1)] {
        let before = proxy.heads().len();
        let mut scan = phone.scan(&["--danger-relay", &relay.ws()]);
        let output = scan.env("HTTP_PROXY", &url).env("NO_PROXY", none_for).output().unwrap();
        assert_eq!(ended(&output).1, "relay.code-in-use");
        assert_eq!(proxy.heads().len() - before, asked, "NO_PROXY={none_for}");
    }
    // HTTPS_PROXY is not for a relay without TLS.
    let before = proxy.heads().len();
    let mut scan = phone.scan(&["--danger-relay", &relay.ws()]);
    assert_eq!(ended(&scan.env("HTTPS_PROXY", &url).output().unwrap()).1, "relay.code-in-use");
    assert_eq!(proxy.heads().len(), before);
}

#[test]
fn a_proxy_gets_the_name_and_password_of_its_url() {
    let phone = Phone::new();
    // "Aladdin" and "open:sesame"
    let (relay, proxy) = (relay(CONFLICT), proxy(Proxying::For("Basic QWxhZGRpbjpvcGVuOnNlc2FtZQ==")));
    for (credentials, id, says) in [
        ("", "relay.proxy", "demands a name and a password"),
        ("Aladdin:wrong@", "relay.proxy", "did not take the name and the password"),
        ("Aladdin:open%3Asesame@", "relay.code-in-use", ""),
    ] {
        let url = format!("http://{credentials}{}", proxy.address);
        let mut scan = phone.scan(&["--danger-relay", &relay.ws()]);
        let (exit, found, said) = ended(&scan.env("HTTP_PROXY", url).output().unwrap());
        assert_eq!((exit, found.as_str()), (7, id), "{said}");
        assert!(said.contains(says), "{said}");
        assert!(!said.contains("Aladdin") && !said.contains("QWxh"), "{said}");
    }
}

#[test]
fn a_proxy_that_breaks_is_told_from_a_relay_that_does() {
    let phone = Phone::new();
    let relay = relay(NOT_FOUND);
    let ended_with = |proxy: &str| {
        ended(&phone.scan(&["--danger-relay", &relay.ws()]).env("HTTP_PROXY", proxy).output().unwrap())
    };
    for (answer, says) in [
        ("HTTP/1.1 403 Forbidden\r\n\r\n", "403 Forbidden"),
        ("SSH-2.0-something\r\n\r\n", "did not answer in HTTP"),
        ("HTTP/1.1 200 OK\r\n", "hung up"),
        ("", "hung up"),
    ] {
        let proxy = proxy(Proxying::Says(answer));
        let (exit, id, said) = ended_with(&format!("http://{}", proxy.address));
        assert_eq!((exit, id.as_str()), (7, "relay.proxy"), "{said}");
        assert!(said.contains(says), "{says} in {said}");
    }
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(ended_with(&format!("http://{closed}")).1, "relay.proxy");
    assert_eq!(ended_with("http://name.invalid:3128").1, "relay.proxy");
    assert!(relay.heads().is_empty());
    // Through a good one, the relay's own answer is the error.
    let good = proxy(Proxying::Willing);
    assert_eq!(ended_with(&format!("http://{}", good.address)).1, "relay.not-found");
}

#[test]
fn a_silent_proxy_is_not_waited_for_for_ever() {
    let (phone, proxy) = (Phone::new(), proxy(Proxying::Silent));
    let began = Instant::now();
    let output = phone.scan(&[]).env("HTTPS_PROXY", format!("http://{}", proxy.address)).output().unwrap();
    let (exit, id, said) = ended(&output);
    assert_eq!((exit, id.as_str()), (7, "relay.proxy"), "{said}");
    assert!(said.contains("no answer in time"), "{said}");
    // 15 s, and a slow machine.
    assert!(began.elapsed() < Duration::from_secs(25), "{:?}", began.elapsed());
}

#[test]
fn a_proxy_of_another_kind_is_a_mistake_and_not_ignored() {
    let phone = Phone::new();
    for (url, says) in [
        ("socks5://127.0.0.1:1080", "socks5://"),
        ("https://user:secret@127.0.0.1:3128", "https://"),
        ("ftp://127.0.0.1", "HTTPS_PROXY does not name a proxy"),
        ("http://", "HTTPS_PROXY does not name a proxy"),
    ] {
        let (exit, id, said) = ended(&phone.scan(&[]).env("HTTPS_PROXY", url).output().unwrap());
        assert_eq!((exit, id.as_str()), (2, "usage.arguments"), "{said}");
        assert!(said.contains(says) && !said.contains("secret"), "{said}");
    }
    // Unless it is for other hosts.
    let mut scan = phone.scan(&["--connect-to", &format!("{HOST}:443:127.0.0.1:9")]);
    let output = scan.env("HTTPS_PROXY", "socks5://127.0.0.1:1080").env("NO_PROXY", HOST).output().unwrap();
    assert_eq!(ended(&output).1, "relay.unreachable");
}
