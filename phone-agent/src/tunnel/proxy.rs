//! Through an HTTP proxy, where the environment names one.

use std::fmt;

use http::{HeaderValue, StatusCode, Uri};
use hyper_util::client::proxy::matcher::Matcher;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

use crate::error::Error;

/// The proxies that the environment names.
#[derive(Clone, Default)]
pub struct Proxies {
    for_tls: Option<Named>,
    for_plain: Option<Named>,
    none_for: String,
}

/// A variable and what is in it, which may have a password in it.
#[derive(Clone)]
struct Named {
    variable: &'static str,
    url: String,
}

impl Proxies {
    /// Reads `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, in
    /// capitals or not, with this.
    pub fn of(get: impl Fn(&str) -> Option<String>) -> Self {
        let first = |variables: &[&'static str]| {
            let named = |variable: &&'static str| {
                let url = get(variable).filter(|url| !url.is_empty())?;
                Some(Named { variable, url })
            };
            variables.iter().find_map(named)
        };
        Self {
            for_tls: first(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]),
            for_plain: first(&["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]),
            none_for: first(&["NO_PROXY", "no_proxy"]).map(|named| named.url).unwrap_or_default(),
        }
    }

    /// Reads the environment of this process.
    pub fn of_environment() -> Self {
        Self::of(|name| std::env::var(name).ok())
    }

    /// The proxy on the way to a relay, if there is one.
    pub(super) fn toward(&self, relay: &Url) -> Result<Option<Proxy>, Error> {
        // The library lets a star match names and no addresses.
        if self.none_for.split(',').any(|entry| entry.trim() == "*") {
            return Ok(None);
        }
        let tls = relay.scheme() == "wss";
        let Some(named) = (if tls { &self.for_tls } else { &self.for_plain }) else { return Ok(None) };
        let host = relay.host_str().unwrap_or_default();
        let to: Uri = format!("{}://{host}/", if tls { "https" } else { "http" })
            .parse()
            .map_err(|_| Error::Usage(format!("{host} cannot be a host")))?;
        let matcher = |url: &str| Matcher::builder().all(url).no(self.none_for.as_str()).build();
        // Any proxy that can be read shows whether one is wanted for this host.
        if matcher("http://proxy.invalid").intercept(&to).is_none() {
            return Ok(None);
        }
        let variable = named.variable;
        let usage = |what: &str| Error::Usage(format!("{variable} {what}"));
        let found = matcher(&named.url).intercept(&to).ok_or_else(|| usage("does not name a proxy"))?;
        let proxy = found.uri();
        // Where a name or password hides the host, the URL is cut in the wrong
        // place, and a part of the password would be told as the host.
        if named.url.contains('@') && found.basic_auth().is_none() {
            return Err(usage("does not name a proxy: in its name and password write / as %2F and # as %23"));
        }
        if proxy.scheme_str() != Some("http") {
            let scheme = proxy.scheme_str().unwrap_or_default();
            return Err(usage(&format!("names a proxy of the kind {scheme}://, and only http:// is served")));
        }
        let host = proxy.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        if host.is_empty() {
            return Err(usage("does not name a proxy"));
        }
        let port = proxy.port_u16().unwrap_or(80);
        Ok(Some(Proxy { host, port, credentials: found.basic_auth().cloned() }))
    }
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proxies(..)")
    }
}

/// A proxy that is asked with `CONNECT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proxy {
    pub(super) host: String,
    pub(super) port: u16,
    /// For a header; marked as sensitive.
    credentials: Option<HeaderValue>,
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&authority(&self.host, self.port))
    }
}

/// The longest answer to `CONNECT`, in bytes, that is read.
const MAX_ANSWER: usize = 8192;

impl Proxy {
    /// Asks for the way to this host and port. After that the stream leads
    /// there. Fails with what the proxy did instead, in words.
    pub(super) async fn ask(&self, stream: &mut TcpStream, host: &str, port: u16) -> Result<(), String> {
        let to = authority(host, port);
        let mut request = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n").into_bytes();
        if let Some(credentials) = &self.credentials {
            request.extend_from_slice(b"Proxy-Authorization: ");
            request.extend_from_slice(credentials.as_bytes());
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        stream.write_all(&request).await.map_err(|cause| cause.to_string())?;
        match status(stream).await? {
            status if status.is_success() => Ok(()),
            StatusCode::PROXY_AUTHENTICATION_REQUIRED if self.credentials.is_none() => {
                Err("it demands a name and a password".into())
            }
            StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                Err("it did not take the name and the password".into())
            }
            status => Err(format!("it answered {status} to CONNECT {to}")),
        }
    }
}

/// Reads an answer up to the end of its head, and not a byte more: what
/// follows is the relay's.
async fn status(stream: &mut TcpStream) -> Result<StatusCode, String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = stream.read_u8().await.map_err(|cause| match cause.kind() {
            std::io::ErrorKind::UnexpectedEof => "it hung up".into(),
            _ => cause.to_string(),
        })?;
        head.push(byte);
        if head.len() > MAX_ANSWER {
            return Err("its answer has no end".into());
        }
    }
    let mut headers = [httparse::EMPTY_HEADER; 100];
    let mut answer = httparse::Response::new(&mut headers);
    let read = answer.parse(&head).ok().filter(httparse::Status::is_complete);
    read.and(answer.code)
        .and_then(|code| StatusCode::from_u16(code).ok())
        .ok_or_else(|| "it did not answer in HTTP".into())
}

fn authority(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

#[cfg(test)]
mod tests;
