use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// What the header says, and what is left behind it.
async fn read(bytes: &[u8]) -> Result<(Option<IpAddr>, Vec<u8>), io::ErrorKind> {
    let mut rest = bytes;
    let said = header(&mut rest).await.map_err(|error| error.kind())?;
    Ok((said, rest.to_vec()))
}

fn v2(command: u8, family: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
    [&SIGNATURE[..], &[command, family], &length, payload].concat()
}

#[tokio::test]
async fn version_1_is_read_to_its_last_byte() {
    for (line, client) in [
        ("PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n", Some(ip("192.0.2.7"))),
        ("PROXY TCP6 2001:db8::7 2001:db8::1 1 2\r\n", Some(ip("2001:db8::7"))),
        ("PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n", Some(ip("192.0.2.7"))),
        ("PROXY UNKNOWN\r\n", None),
        ("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", None),
    ] {
        let sent = format!("{line}GET /");
        assert_eq!(read(sent.as_bytes()).await, Ok((client, b"GET /".to_vec())), "{line}");
    }
}

#[tokio::test]
async fn version_2_is_read_to_its_last_byte() {
    let v4 = [192, 0, 2, 7, 198, 51, 100, 1, 0, 1, 0, 2];
    let mut v6 = [0; 36];
    v6[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
    v6[15] = 7;
    let with_more = [&v4[..], &[3, 0, 4, 1, 2, 3, 4]].concat();
    for (header, client) in [
        (v2(0x21, 0x11, &v4), Some(ip("192.0.2.7"))),
        (v2(0x21, 0x11, &with_more), Some(ip("192.0.2.7"))),
        (v2(0x21, 0x21, &v6), Some(ip("2001:db8::7"))),
        (v2(0x20, 0x00, &[]), None),
        (v2(0x20, 0x11, &v4), None),
        (v2(0x21, 0x00, &[1, 2, 3]), None),
        (v2(0x21, 0x31, &[0; 216]), None),
    ] {
        let sent = [&header[..], b"\x16\x03\x01"].concat();
        assert_eq!(read(&sent).await, Ok((client, b"\x16\x03\x01".to_vec())), "{header:02x?}");
    }
}

#[tokio::test]
async fn whatever_is_no_header_is_an_error() {
    let wrong = Err(io::ErrorKind::InvalidData);
    for text in [
        "GET /healthz HTTP/1.1\r\n\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 1\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 1 65536\r\n",
        "PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 1 2 3\r\n",
        "PROXY TCP5 192.0.2.7 198.51.100.1 1 2\r\n",
        "PROXYTCP4 192.0.2.7 198.51.100.1 1 2\r\n",
        "proxy TCP4 192.0.2.7 198.51.100.1 1 2\r\n",
    ] {
        assert_eq!(read(text.as_bytes()).await, wrong, "{text}");
    }
    let endless = format!("PROXY UNKNOWN {}", "x".repeat(1000));
    assert_eq!(read(endless.as_bytes()).await, wrong);
    let short = [192, 0, 2, 7, 198, 51, 100, 1, 0, 1, 0];
    for header in [
        v2(0x21, 0x11, &short),
        v2(0x11, 0x11, &[0; 12]),
        v2(0x22, 0x11, &[0; 12]),
        v2(0x21, 0x41, &[0; 36]),
        v2(0x21, 0x21, &[0; 35]),
        v2(0x21, 0x11, &[0; PAYLOAD + 1]),
    ] {
        assert_eq!(read(&header).await, wrong, "{header:02x?}");
    }
    for length in 0..27 {
        let cut = &v2(0x21, 0x11, &[0; 12])[..length];
        assert_eq!(read(cut).await, Err(io::ErrorKind::UnexpectedEof), "{length}");
    }
}

#[test]
fn the_right_most_address_that_is_no_proxys_counts() {
    let proxy = Proxy {
        trusted: vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()],
        protocol: ProxyProtocol::ForwardedFor,
    };
    let client = |peer: &str, values: &[&str]| {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("X-Forwarded-For", value.parse().unwrap());
        }
        proxy.forwarded_for(&headers, ip(peer)).to_string()
    };
    assert_eq!(client("10.0.0.1", &["192.0.2.7"]), "192.0.2.7");
    assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    // whoever is no proxy may say what it likes
    assert_eq!(client("203.0.113.9", &["192.0.2.7"]), "203.0.113.9");
    // the client wrote the left part itself
    assert_eq!(client("10.0.0.1", &["198.51.100.1, 192.0.2.7, 10.0.0.2"]), "192.0.2.7");
    assert_eq!(client("10.0.0.1", &["198.51.100.1", "192.0.2.7", "10.0.0.2"]), "192.0.2.7");
    assert_eq!(client("10.0.0.1", &["198.51.100.1", "2001:db8::5"]), "198.51.100.1");
    assert_eq!(client("10.0.0.1", &["10.0.0.3,10.0.0.2"]), "10.0.0.3");
    // what is no address ends the chain at the proxy that wrote it
    assert_eq!(client("10.0.0.1", &["192.0.2.7, unknown, 10.0.0.2"]), "10.0.0.2");
    assert_eq!(client("10.0.0.1", &[""]), "10.0.0.1");
    for (written, read) in [
        ("192.0.2.7:4711", "192.0.2.7"),
        ("[2001:db9::7]:4711", "2001:db9::7"),
        ("[2001:db9::7]", "2001:db9::7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
    ] {
        assert_eq!(client("10.0.0.1", &[written]), read);
    }
}
