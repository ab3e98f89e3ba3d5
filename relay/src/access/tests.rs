//! Rules without a relay.

use std::fs;

use http::HeaderValue;

use super::*;

const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));
const TOKEN: &str = "a-token-of-enough-length";

fn authorized(value: &str) -> HeaderMap {
    [(AUTHORIZATION, HeaderValue::from_str(value).unwrap())].into_iter().collect()
}

fn with_tokens(text: &str) -> Result<(tempfile::NamedTempFile, Access), Error> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, text).unwrap();
    let config = config::Access {
        open: MayOpen::Token,
        token_file: Some(file.path().into()),
        ..config::Access::default()
    };
    Access::new(&config).map(|access| (file, access))
}

fn reload(access: &Access) -> Result<(), Error> {
    access.prepare(SystemTime::UNIX_EPOCH).map(|commit| commit())
}

fn opens(access: &Access, value: &str) -> bool {
    matches!(access.may_open(ADDRESS, &authorized(value)), Verdict::Yes)
}

#[test]
fn a_token_is_one_of_the_lines() {
    let text = format!("# of the first phone\n{TOKEN}\n\n  another-long-token  \r\n#{TOKEN}2\n");
    let (_file, access) = with_tokens(&text).unwrap();
    for good in [format!("Bearer {TOKEN}"), format!("bearer {TOKEN}"), "Bearer another-long-token".into()] {
        assert!(opens(&access, &good), "{good}");
    }
    let long = format!("Bearer {TOKEN}2");
    for bad in ["Bearer", "Bearer ", TOKEN, "Basic a-token-of-enough-length", &long, "Bearer a-token"] {
        assert!(!opens(&access, bad), "{bad}");
    }
    let mut twice = authorized(&format!("Bearer {TOKEN}"));
    twice.append(AUTHORIZATION, HeaderValue::from_static("Bearer other"));
    assert!(matches!(access.may_open(ADDRESS, &twice), Verdict::No(Why::Token)));
    assert!(matches!(access.may_open(ADDRESS, &HeaderMap::new()), Verdict::No(Why::Token)));
    assert!(!format!("{access:?}").contains("token-of"), "{access:?}");
}

#[test]
fn a_file_of_tokens_that_says_nothing_is_an_error_that_shows_none() {
    for text in ["", "# only this\n", "short\n", "with a space in it all\n"] {
        let error = with_tokens(text).map(drop).unwrap_err();
        assert_eq!(error.id(), "config.access-file", "{text:?}");
        assert!(!error.to_string().contains("space in"), "{error}");
    }
}

#[test]
fn a_changed_file_is_read_again_and_a_bad_one_changes_nothing() {
    let (file, access) = with_tokens(TOKEN).unwrap();
    fs::write(&file, "the-token-of-the-second-day\n").unwrap();
    reload(&access).unwrap();
    assert!(!opens(&access, &format!("Bearer {TOKEN}")));
    assert!(opens(&access, "Bearer the-token-of-the-second-day"));
    fs::write(&file, "").unwrap();
    assert_eq!(reload(&access).unwrap_err().id(), "config.access-file");
    assert!(opens(&access, "Bearer the-token-of-the-second-day"));
}

#[test]
fn networks_open_and_blocked_ones_do_nothing() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, "# scanners\n198.51.100.0/24\n2001:db8::/32\n").unwrap();
    let config = config::Access {
        open: MayOpen::Networks,
        networks: vec!["192.0.2.0/24".parse().unwrap()],
        blocked: vec!["192.0.2.128/25".parse().unwrap()],
        block_file: Some(file.path().into()),
        ..config::Access::default()
    };
    let access = Access::new(&config).unwrap();
    let other = "203.0.113.1".parse().unwrap();
    assert!(matches!(access.may_open(ADDRESS, &HeaderMap::new()), Verdict::Yes));
    assert!(matches!(access.may_open(other, &HeaderMap::new()), Verdict::No(Why::NotAllowed)));
    let blocked = |text: &str| access.blocks(text.parse().unwrap());
    assert!(blocked("192.0.2.200") && blocked("198.51.100.9") && blocked("2001:db8::1"));
    assert!(!blocked("192.0.2.7") && !blocked("203.0.113.1") && !blocked("2001:db9::1"));
    fs::write(&file, "198.51.100.0/24\nnonsense\n").unwrap();
    assert!(reload(&access).is_err());
    assert!(access.blocks("2001:db8::1".parse().unwrap()));
}

#[test]
fn a_rule_without_what_it_needs_names_the_flag() {
    for (open, flag) in [
        (MayOpen::Networks, "--access-networks"),
        (MayOpen::Token, "--access-token-file"),
        (MayOpen::Callout, "--access-callout-url"),
    ] {
        let error = Access::new(&config::Access { open, ..config::Access::default() }).unwrap_err();
        assert!(matches!(error, Error::Setting { setting, .. } if setting == flag), "{error}");
    }
}
