use super::*;

fn proxies(set: &'static [(&'static str, &'static str)]) -> Proxies {
    Proxies::of(|name| set.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned()))
}

fn toward(set: &'static [(&'static str, &'static str)], relay: &str) -> Option<String> {
    let proxy = proxies(set).toward(&Url::parse(relay).unwrap()).unwrap();
    proxy.map(|proxy| proxy.to_string())
}

#[test]
fn the_variable_for_the_relays_kind_comes_before_the_one_for_all() {
    const SET: &[(&str, &str)] =
        &[("ALL_PROXY", "http://all:1"), ("https_proxy", "http://tls:2"), ("HTTP_PROXY", "http://plain:3")];
    assert_eq!(toward(SET, "wss://cable.ua5v.com/x").as_deref(), Some("tls:2"));
    assert_eq!(toward(SET, "ws://cable.ua5v.com/x").as_deref(), Some("plain:3"));
    assert_eq!(toward(&[("all_proxy", "all:1")], "wss://cable.ua5v.com/x").as_deref(), Some("all:1"));
    assert_eq!(
        toward(&[("HTTPS_PROXY", ""), ("ALL_PROXY", "http://[::1]")], "wss://h/").as_deref(),
        Some("[::1]:80")
    );
    assert_eq!(toward(&[], "wss://cable.ua5v.com/x"), None);
}

#[test]
fn no_proxy_names_hosts_and_all_below_them() {
    let direct = |none_for: &'static str, host: &str| {
        let get = |name: &str| match name {
            "HTTPS_PROXY" => Some("http://proxy:3128".to_owned()),
            "NO_PROXY" => Some(none_for.to_owned()),
            _ => None,
        };
        let relay = Url::parse(&format!("wss://{host}/cable/new/00")).unwrap();
        Proxies::of(get).toward(&relay).unwrap().is_none()
    };
    assert!(direct("ua5v.com", "cable.ua5v.com"));
    assert!(direct("other.org, .ua5v.com", "cable.ua5v.com"));
    assert!(direct("10.0.0.0/8", "10.1.2.3"));
    assert!(direct("*", "cable.ua5v.com"));
    assert!(!direct("a5v.com", "cable.ua5v.com"));
    assert!(!direct("", "cable.ua5v.com"));
}

#[test]
fn a_password_is_in_no_debug_output() {
    let set: &[(&str, &str)] = &[("HTTPS_PROXY", "http://name:secret@proxy:3128")];
    let proxies = proxies(set);
    let proxy = proxies.toward(&Url::parse("wss://cable.ua5v.com/").unwrap()).unwrap().unwrap();
    let shown = format!("{proxies:?} {proxy:?} {proxy}");
    assert!(!shown.contains("secret") && !shown.contains("c2VjcmV0") && !shown.contains("name"), "{shown}");
}
