//! Asking another server who may open a tunnel.
//!
//! ```text
//!   POST URL                                      200 {"allow": true}
//!   {"may":"open","network":"192.0.2.0/24",
//!    "token":"…" or null}                         anything else means no
//! ```
//!
//! It never learns which tunnel, nor the whole address.

use std::net::IpAddr;
use std::sync::Arc;

use http::header::{ACCEPT, CONTENT_TYPE, HOST};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::Question;
use crate::defaults;
use crate::error::Error;
use crate::refusal::Why;
use crate::source::Source;
use crate::tls;

/// Another server that decides.
pub(super) struct Callout {
    uri: Uri,
    host: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    at_once: Semaphore,
}

#[derive(Serialize)]
struct Asked<'a> {
    may: &'static str,
    network: String,
    token: Option<&'a str>,
}

#[derive(Deserialize)]
struct Answered {
    allow: bool,
}

/// Nobody decided, for whatever reason.
struct Undecided;

impl Callout {
    /// A server at this address: `https`, or `http` on loopback.
    pub(super) fn new(url: &str) -> Result<Self, Error> {
        let wrong = |problem| Error::Setting { setting: "--access-callout-url", problem };
        let uri: Uri = url.parse().map_err(|_| wrong("is no URL"))?;
        let host = uri.host().ok_or_else(|| wrong("is no URL"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let loopback = host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
        let (standard, tls) = match uri.scheme_str() {
            Some("https") => {
                let name = ServerName::try_from(host.clone()).map_err(|_| wrong("has no host name"))?;
                (443, Some((connector()?, name)))
            }
            Some("http") if loopback => (80, None),
            _ => return Err(wrong("must be https, or http on this machine: it carries tokens")),
        };
        let port = uri.port_u16().unwrap_or(standard);
        Ok(Self { uri, host, port, tls, at_once: Semaphore::new(defaults::CALLOUTS) })
    }

    /// The answer, within the time for it.
    pub(super) async fn ask(&self, question: &Question) -> Result<(), Why> {
        let answered = async {
            // Waiting for a turn is part of the time.
            let _turn = self.at_once.acquire().await.map_err(|_| Undecided)?;
            self.exchange(question).await
        };
        match timeout(defaults::CALLOUT, answered).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(Why::NotAllowed),
            Ok(Err(Undecided)) | Err(_) => Err(Why::Undecided),
        }
    }

    async fn exchange(&self, question: &Question) -> Result<bool, Undecided> {
        let tcp = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(undecided)?;
        tcp.set_nodelay(true).map_err(undecided)?;
        match &self.tls {
            None => self.post(tcp, question).await,
            Some((tls, name)) => {
                let tls = tls.connect(name.clone(), tcp).await.map_err(undecided)?;
                self.post(tls, question).await
            }
        }
    }

    async fn post<S>(&self, stream: S, question: &Question) -> Result<bool, Undecided>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    {
        let asked = Asked {
            may: "open",
            network: Source::of(question.from).network().to_string(),
            token: question.token.as_deref(),
        };
        let body = serde_json::to_vec(&asked).map_err(undecided)?;
        let authority = self.uri.authority().map_or(self.host.as_str(), http::uri::Authority::as_str);
        let path = self.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let request = Request::post(path)
            .header(HOST, authority)
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(undecided)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(undecided)?;
        let answered = async {
            let answer = sender.send_request(request).await.map_err(undecided)?;
            if answer.status() != StatusCode::OK {
                // A clear no is one; a server in trouble decides nothing.
                return if answer.status().is_client_error() { Ok(false) } else { Err(Undecided) };
            }
            let body = Limited::new(answer.into_body(), defaults::CALLOUT_ANSWER).collect().await;
            let body = body.map_err(undecided)?.to_bytes();
            serde_json::from_slice(&body).map(|Answered { allow }| allow).map_err(undecided)
        };
        // Its own end is no answer: whatever was answered before it is.
        let connection = async {
            let _ = connection.await;
            std::future::pending().await
        };
        tokio::select! {
            answered = answered => answered,
            undecided = connection => Err(undecided),
        }
    }
}

fn undecided<E>(_: E) -> Undecided {
    Undecided
}

/// Trusts the system's certificate authorities.
fn connector() -> Result<TlsConnector, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(tls::system_roots())
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

impl std::fmt::Debug for Callout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Callout").field("host", &self.host).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_do_not_cross_a_network_in_the_clear() {
        for url in
            ["http://127.0.0.1:1/ask", "http://[::1]/", "http://localhost:9/", "https://decides.example/x"]
        {
            assert!(Callout::new(url).is_ok(), "{url}");
        }
        for url in
            ["", "/ask", "http://192.0.2.1/", "http://decides.example/", "ftp://127.0.0.1/", "127.0.0.1:80"]
        {
            assert!(Callout::new(url).is_err(), "{url}");
        }
    }
}
