//! HTTP proxies of the environment.

use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use cablecar::error::Error;
use cablecar::tunnel::proxy::Proxies;
use cablecar::tunnel::{Dialer, Network};
use cablecar_protocol::ids::{RoutingId, TunnelId};
use cablecar_protocol::tunnel::{Dial, Route, TunnelServiceDomain};

use super::certificates::Authority;
use super::stand_in::{NOT_FOUND, OPENED, Proxying, proxy, relay, tls_relay};
use super::{Computer, HOST, ended, first_finding};

#[test]
fn a_proxy_leads_to_the_relay_and_is_asked_where_connect_to_says() {
    let (computer, authority) = (Computer::new(), Authority::new());
    let relay = tls_relay(authority.server(HOST), OPENED);
    fs::write(computer.path("ca.pem"), authority.pem()).unwrap();
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let proxy = proxy(Proxying::Willing);
        let rule = relay.instead_of(HOST);
        let mut doctor = computer.doctor(&["--domain-id", "0", "--connect-to", &rule, "--ca-file", "ca.pem"]);
        doctor.env(variable, format!("http://{}", proxy.address));
        assert_eq!(first_finding(doctor), Default::default());
        let [head] = &proxy.heads()[..] else { panic!("one CONNECT through {variable}") };
        assert!(head.starts_with(&format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n", relay.address)), "{head}");
        assert!(!head.contains("Proxy-Authorization"), "{head}");
    }
    assert!(relay.heads()[0].contains(&format!("\r\nHost: {HOST}\r\n")));
}

#[test]
fn without_a_rule_the_proxy_is_asked_for_the_name() {
    let computer = Computer::new();
    let proxy = proxy(Proxying::Says("HTTP/1.1 502 Bad Gateway\r\n\r\n"));
    let mut doctor = computer.doctor(&["--domain-id", "0"]);
    doctor.env("HTTPS_PROXY", format!("http://{}", proxy.address));
    let (id, said) = first_finding(doctor);
    assert!(id == "relay.proxy" && said.contains("502 Bad Gateway"), "{id} {said}");
    assert!(proxy.heads()[0].starts_with(&format!("CONNECT {HOST}:443 HTTP/1.1\r\n")));
}

#[test]
fn what_is_named_in_no_proxy_is_reached_directly() {
    let computer = Computer::new();
    let (relay, proxy) = (relay(OPENED), proxy(Proxying::Willing));
    let url = format!("http://{}", proxy.address);
    let reached = |variables: &[(&str, &str)]| {
        let mut doctor = computer.doctor(&["--danger-relay", &relay.ws()]);
        doctor.envs(variables.iter().copied());
        let before = proxy.heads().len();
        assert_eq!(first_finding(doctor), Default::default());
        proxy.heads().len() - before
    };
    for (none_for, asked) in [("127.0.0.1", 0), ("127.0.0.0/8", 0), ("*", 0), ("example.com", 1)] {
        assert_eq!(reached(&[("HTTP_PROXY", &url), ("NO_PROXY", none_for)]), asked, "NO_PROXY={none_for}");
    }
    // HTTPS_PROXY is not for a relay without TLS.
    assert_eq!(reached(&[("HTTPS_PROXY", &url)]), 0);
}

#[test]
fn a_proxy_gets_the_name_and_password_of_its_url() {
    let computer = Computer::new();
    // "Aladdin" and "open:sesame"
    let (relay, proxy) = (relay(OPENED), proxy(Proxying::For("Basic QWxhZGRpbjpvcGVuOnNlc2FtZQ==")));
    for (credentials, expected, says) in [
        ("", "relay.proxy", "demands a name and a password"),
        ("Aladdin:wrong@", "relay.proxy", "did not take the name and the password"),
        ("Aladdin:open%3Asesame@", "", ""),
    ] {
        let mut doctor = computer.doctor(&["--danger-relay", &relay.ws()]);
        doctor.env("HTTP_PROXY", format!("http://{credentials}{}", proxy.address));
        let (id, said) = first_finding(doctor);
        assert!(id == expected && said.contains(says), "{id} {said}");
        assert!(!said.contains("Aladdin") && !said.contains("QWxh"), "{said}");
    }
}

#[test]
fn a_proxy_that_breaks_is_told_from_a_relay_that_does() {
    let computer = Computer::new();
    let relay = relay(NOT_FOUND);
    let found = |proxy: &str| {
        let mut doctor = computer.doctor(&["--danger-relay", &relay.ws()]);
        doctor.env("HTTP_PROXY", proxy);
        first_finding(doctor)
    };
    for (answer, says) in [
        ("HTTP/1.1 403 Forbidden\r\n\r\n", "403 Forbidden"),
        ("SSH-2.0-something\r\n\r\n", "did not answer in HTTP"),
        ("HTTP/1.1 200 OK\r\n", "hung up"),
        ("", "hung up"),
    ] {
        let proxy = proxy(Proxying::Says(answer));
        let (id, said) = found(&format!("http://{}", proxy.address));
        assert!(id == "relay.proxy" && said.contains(says), "{says} in {id} {said}");
    }
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(found(&format!("http://{closed}")).0, "relay.proxy");
    assert_eq!(found("http://name.invalid:3128").0, "relay.proxy");
    assert!(relay.heads().is_empty());
    // Through a good one, the relay's own answer is the error.
    let good = proxy(Proxying::Willing);
    assert_eq!(found(&format!("http://{}", good.address)).0, "relay.answer");
}

#[test]
fn a_proxy_of_another_kind_is_a_mistake_and_not_ignored() {
    let computer = Computer::new();
    for (url, says) in [
        ("socks5://127.0.0.1:1080", "socks5://"),
        ("https://user:secret@127.0.0.1:3128", "https://"),
        ("ftp://127.0.0.1", "HTTPS_PROXY does not name a proxy"),
        ("http://", "HTTPS_PROXY does not name a proxy"),
        // A slash or a hash ends the host, and what stands before is no port.
        ("http://user:12/secret@127.0.0.1:3128", "HTTPS_PROXY does not name a proxy"),
        ("http://user:12#secret@127.0.0.1:3128", "HTTPS_PROXY does not name a proxy"),
    ] {
        let mut doctor = computer.doctor(&["--domain-id", "0"]);
        doctor.env("HTTPS_PROXY", url);
        let (id, said) = first_finding(doctor);
        assert!(id == "usage.arguments" && said.contains(says) && !said.contains("secret"), "{id} {said}");
    }
    // Unless it is for other hosts.
    let rule = format!("{HOST}:443:127.0.0.1:9");
    let mut doctor = computer.doctor(&["--domain-id", "0", "--connect-to", &rule]);
    doctor.env("HTTPS_PROXY", "socks5://127.0.0.1:1080").env("NO_PROXY", HOST);
    assert_eq!(first_finding(doctor).0, "relay.unreachable");
}

/// What joining a tunnel comes to, with this in the environment.
async fn joined(relay: &str, variable: &'static str, value: String) -> Result<(), Error> {
    let proxies = Proxies::of(|name| (name == variable).then(|| value.clone()));
    let network = Network::new(None, Vec::new(), Some(relay.parse().unwrap())).unwrap().through(proxies);
    let route = Route::Connect(RoutingId::new([1, 2, 3]), TunnelId::new([7; TunnelId::LENGTH]));
    let dial = Dial { domain: TunnelServiceDomain::new(0).unwrap(), route };
    network.dial(&dial).await.map(drop)
}

#[tokio::test]
async fn a_tunnel_is_joined_through_the_proxy() {
    let (relay, good) = (relay(OPENED), proxy(Proxying::Willing));
    joined(&relay.ws(), "HTTP_PROXY", format!("http://{}", good.address)).await.unwrap();
    assert_eq!((good.heads().len(), relay.heads().len()), (1, 1));
    assert!(relay.heads()[0].starts_with("GET /cable/connect/010203/"), "{:?}", relay.heads());
    let kind = joined(&relay.ws(), "HTTP_PROXY", "socks5://127.0.0.1:1".into()).await.unwrap_err();
    assert_eq!(kind.advice().1, "usage.arguments");
}

#[tokio::test]
async fn a_silent_proxy_is_not_waited_for_for_ever() {
    let (relay, silent) = (relay(OPENED), proxy(Proxying::Silent));
    let began = Instant::now();
    let error = joined(&relay.ws(), "ALL_PROXY", format!("http://{}", silent.address)).await.unwrap_err();
    assert_eq!(error.advice().1, "relay.proxy", "{error}");
    assert!(error.to_string().contains("no answer in time"), "{error}");
    // 15 s, and a slow machine.
    assert!(began.elapsed() < Duration::from_secs(25), "{:?}", began.elapsed());
}

#[test]
fn help_names_the_variables() {
    let output = Computer::new().command(&["--help"]).output().unwrap();
    let (exit, _, said) = ended(&output);
    assert_eq!((exit, said.as_str()), (0, ""));
    let help = String::from_utf8(output.stdout).unwrap();
    for variable in ["HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE"] {
        assert!(help.contains(variable), "{variable} in {help}");
    }
}
