//! From an accepted connection to a party of a tunnel, or out again: TLS,
//! one HTTP request, one decision.
//!
//! Checked in this order, so that an answer never says more than it must:
//! throttling, method, path, origin, websocket, subprotocol, and only then
//! the switchboard. A query string belongs to no path here and makes it an
//! unknown one.

use std::convert::Infallible;
use std::future::{self, Ready};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use cablecar_protocol::tunnel::{ROUTING_ID_HEADER, Route, SUBPROTOCOL};
use http::header::{
    CONNECTION, CONTENT_TYPE, DATE, HOST, HeaderMap, HeaderName, ORIGIN, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body_util::Full;
use hyper::body::{Body, Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::defaults;
use crate::desk::{Desk, Opened, Seat, Visit};
use crate::line::Line;
use crate::meter::{Account, Arrival};
use crate::proxied;
use crate::refusal::{Refusal, Why};
use crate::socket::Socket;
use crate::tunnel::{Party, Tunnel};
use crate::wire::Wire;

/// A connection as it was accepted.
pub(crate) struct Accepted {
    pub(crate) socket: Socket,
    /// Who is at the other end: a client, or a proxy that brings one.
    pub(crate) peer: IpAddr,
    pub(crate) visit: Visit,
}

/// Serves one connection to its end.
pub(crate) async fn attend(desk: Arc<Desk>, tls: Option<TlsAcceptor>, accepted: Accepted) {
    // HTTP and the TLS handshake are by far the largest part of this; on the
    // heap they are gone once a tunnel begins.
    let received = tokio::select! {
        biased;
        () = desk.stopping() => return,
        received = Box::pin(receive(&desk, tls, accepted)) => received,
    };
    match received {
        Some(Guest::First(tunnel)) => tunnel.run().await,
        Some(Guest::Second(seat, party)) => {
            if let Err(party) = seat.send(*party) {
                Box::pin(party.turn_away()).await;
            }
        }
        None => {}
    }
}

enum Guest {
    First(Box<Tunnel>),
    Second(Seat, Box<Party>),
}

/// What an accepted request has been promised.
enum Admitted {
    First(Opened),
    Second(Seat),
}

async fn receive(desk: &Arc<Desk>, tls: Option<TlsAcceptor>, accepted: Accepted) -> Option<Guest> {
    let began = Instant::now();
    let deadline = began + desk.limits.opening;
    let Accepted { mut socket, peer, mut visit } = accepted;
    if desk.proxy.introduces(peer) {
        match timeout_at(deadline, proxied::header(&mut socket)).await {
            Ok(Ok(client)) => visit.introduce(client.unwrap_or(peer)),
            Ok(Err(_)) => return sent_away(desk, Why::Proxy, None),
            Err(_) => return sent_away(desk, Why::TooSlow, None),
        }
        if visit.arrival() == Arrival::Drop {
            return sent_away(desk, Why::Crowded, visit.account());
        }
    }
    let wire = match tls {
        None => Wire::plain(socket),
        Some(tls) => match timeout_at(deadline, tls.accept(socket)).await {
            Ok(Ok(tls)) => Wire::tls(tls),
            Ok(Err(_)) => return sent_away(desk, Why::Tls, visit.account()),
            Err(_) => return sent_away(desk, Why::TooSlow, visit.account()),
        },
    };
    let clerk = Clerk { desk: Arc::clone(desk), peer, visit: Mutex::new(visit), admitted: Mutex::new(None) };
    let mut connection = http1::Builder::new()
        .max_buf_size(desk.limits.head)
        // Refusals of one kind are the same bytes.
        .auto_date_header(false)
        .serve_connection(TokioIo::new(wire), clerk);
    let served = timeout_at(deadline, future::poll_fn(|cx| connection.poll_without_shutdown(cx))).await;
    let parts = connection.into_parts();
    let (wire, Clerk { visit, admitted, .. }) = (parts.io.into_inner(), parts.service);
    let visit = visit.into_inner().unwrap_or_else(PoisonError::into_inner);
    let admitted = admitted.into_inner().unwrap_or_else(PoisonError::into_inner);
    match (&served, &admitted) {
        (Err(_), _) => desk.refused(None, Why::TooSlow, visit.account()),
        (Ok(Err(error)), None) if error.is_parse_too_large() => {
            let status = Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
            desk.refused(status, Why::HeadTooLarge, visit.account());
        }
        (Ok(Err(error)), None) if error.is_parse() => {
            desk.refused(Some(StatusCode::BAD_REQUEST), Why::Malformed, visit.account());
        }
        _ => {}
    }
    let arrived = matches!(served, Ok(Ok(())));
    if arrived && admitted.is_some() {
        desk.board.metrics.upgraded(began.elapsed());
    }
    let party = |wire| Party::new(Line::new(wire, &parts.read_buf, desk.limits.message), visit, &desk.limits);
    match admitted {
        Some(Admitted::First(opened)) if arrived => {
            Some(Guest::First(Box::new(Tunnel::new(Arc::clone(desk), opened, party(wire)))))
        }
        Some(Admitted::Second(seat)) if arrived => Some(Guest::Second(seat, Box::new(party(wire)))),
        // The upgrade failed. The tunnel goes with its guard, but whoever has
        // joined it meanwhile is owed a word.
        Some(Admitted::First(Opened { open, mut arriving, .. })) => {
            drop(open);
            arriving.close();
            if let Ok(second) = arriving.try_recv() {
                second.turn_away().await;
            }
            None
        }
        Some(Admitted::Second(_)) => None,
        None => {
            if served.is_ok() {
                let _ = timeout(defaults::LINGER, wire.hang_up()).await;
            }
            None
        }
    }
}

fn sent_away(desk: &Desk, why: Why, from: Account) -> Option<Guest> {
    desk.refused(None, why, from);
    None
}

/// Answers the one request of a connection.
struct Clerk {
    desk: Arc<Desk>,
    peer: IpAddr,
    visit: Mutex<Visit>,
    admitted: Mutex<Option<Admitted>>,
}

impl Service<Request<Incoming>> for Clerk {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let mut response = self.answer(&request).unwrap_or_else(|refusal| {
            let account = self.visit.lock().unwrap_or_else(PoisonError::into_inner).account();
            self.desk.refused(refusal.status(), refusal.why(), account);
            refusal.response()
        });
        // One connection asks one question. (The library's own switch for
        // this would also strike "Upgrade" from the header of a 101.)
        let headers = response.headers_mut();
        headers.entry(CONNECTION).or_insert(HeaderValue::from_static("close"));
        future::ready(Ok(response))
    }
}

impl Clerk {
    fn answer(&self, request: &Request<Incoming>) -> Result<Response<Full<Bytes>>, Refusal> {
        let mut visit = self.visit.lock().unwrap_or_else(PoisonError::into_inner);
        if self.desk.proxy.forwards(self.peer) {
            visit.introduce(self.desk.proxy.forwarded_for(request.headers(), self.peer));
        }
        match visit.arrival() {
            Arrival::Welcome => {}
            Arrival::Throttled(pause) => return Err(Refusal::later(Why::Throttled, pause)),
            Arrival::Drop => return Err(Refusal::later(Why::Throttled, Duration::from_secs(1))),
            Arrival::Full => return Err(Refusal::later(Why::Full, Duration::from_secs(1))),
        }
        if request.method() != Method::GET {
            return Err(Refusal::new(Why::Method));
        }
        if request.uri().query().is_some() {
            return Err(Refusal::new(Why::NotFound));
        }
        if request.uri().path() == "/healthz" {
            return Ok(healthy());
        }
        let route = match Route::parse(request.uri().path()) {
            Ok(route @ (Route::New(_) | Route::Connect(..))) => route,
            // Nobody can be called here. Never 410: that would tell a client
            // to forget its phone.
            Ok(Route::Contact(_)) | Err(_) => return Err(Refusal::new(Why::NotFound)),
        };
        if !origin_is_ours(request.headers(), &self.desk.hosts) {
            return Err(Refusal::new(Why::Origin));
        }
        let key = websocket_key(request).ok_or(Refusal::new(Why::Websocket))?;
        if !tokens(request.headers(), SEC_WEBSOCKET_PROTOCOL).any(|offered| offered == SUBPROTOCOL) {
            return Err(Refusal::new(Why::Subprotocol));
        }
        let (admitted, routing_id) = match route {
            Route::New(id) => {
                let opened = self.desk.open(id, &visit).map_err(|why| match why {
                    Why::Throttled => Refusal::later(why, Duration::from_secs(1)),
                    _ => Refusal::new(why),
                })?;
                (Admitted::First(opened), Some(self.desk.routing_id))
            }
            Route::Connect(routing_id, id) => {
                let seat = self.desk.join(routing_id, id).ok_or(Refusal::new(Why::NotFound))?;
                (Admitted::Second(seat), None)
            }
            Route::Contact(_) => return Err(Refusal::new(Why::NotFound)),
        };
        let mut response = switching(key);
        if let Some(value) = routing_id.and_then(|id| HeaderValue::try_from(id.to_hex()).ok()) {
            let name = HeaderName::from_bytes(ROUTING_ID_HEADER.as_bytes());
            name.map(|name| response.headers_mut().insert(name, value)).ok();
        }
        *self.admitted.lock().unwrap_or_else(PoisonError::into_inner) = Some(admitted);
        Ok(response)
    }
}

fn healthy() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(b"ok\n")));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

/// The upgrade. It alone says what time it is here: a client whose clock is
/// wrong learns it from nobody else.
fn switching(key: &[u8]) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    if let Ok(date) = HeaderValue::try_from(httpdate::fmt_http_date(SystemTime::now())) {
        headers.insert(DATE, date);
    }
    if let Ok(accept) = HeaderValue::try_from(derive_accept_key(key)) {
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    response
}

/// The key of a well-formed websocket request (RFC 6455, section 4.2.1).
fn websocket_key(request: &Request<Incoming>) -> Option<&[u8]> {
    let headers = request.headers();
    let has = |name, wanted: &str| tokens(headers, name).any(|token| token.eq_ignore_ascii_case(wanted));
    let key = only(headers, SEC_WEBSOCKET_KEY)?;
    // 16 bytes in base64: 22 digits and two signs of padding
    let digits = key.strip_suffix("==").filter(|digits| digits.len() == 22)?;
    let well_formed = request.version() == Version::HTTP_11
        && request.body().is_end_stream()
        && only(headers, HOST).is_some()
        && only(headers, SEC_WEBSOCKET_VERSION) == Some("13")
        && has(CONNECTION, "upgrade")
        && has(UPGRADE, "websocket")
        && digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
    well_formed.then_some(key.as_bytes())
}

/// No origin at all, as every program sends that is no browser; or that of
/// the relay itself, under the name by which it was asked or another of its own.
fn origin_is_ours(headers: &HeaderMap, ours: &[String]) -> bool {
    if !headers.contains_key(ORIGIN) {
        return true;
    }
    let Some(origin) = only(headers, ORIGIN).and_then(|origin| origin.parse::<http::Uri>().ok()) else {
        return false;
    };
    let Some(host) = origin.host().filter(|_| origin.scheme().is_some()) else { return false };
    let asked = only(headers, HOST).and_then(|host| host.parse::<http::uri::Authority>().ok());
    asked.is_some_and(|asked| asked.host().eq_ignore_ascii_case(host))
        || ours.iter().any(|name| name.eq_ignore_ascii_case(host))
}

/// The value of a header that is there once.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

/// The comma-separated tokens of all headers of this name.
fn tokens(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(',').map(str::trim))
}
