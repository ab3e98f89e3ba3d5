//! From an accepted connection to a party of a tunnel, or out again: TLS,
//! one HTTP request, one decision.
//!
//! Checked in this order, so that an answer never says more than it must:
//! throttling, method, path, origin, websocket, subprotocol, and only then
//! the switchboard. A query string belongs to no path here and makes it an
//! unknown one.

use std::convert::Infallible;
use std::future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use cablecar_protocol::ids::{RoutingId, TunnelId};
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
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::access::Verdict;
use crate::defaults;
use crate::desk::{Desk, Opened, Seat, Visit};
use crate::line::Line;
use crate::meter::{Account, Arrival};
#[cfg(unix)]
use crate::passing::{self, Passed};
use crate::refusal::{Refusal, Why};
use crate::tunnel::{Party, Tunnel};
use crate::wire::Wire;

/// A connection as it was accepted.
pub(crate) enum Coming {
    /// From a client, or a proxy in front.
    Tcp(TcpStream, Option<TlsAcceptor>),
    /// From another process of this node.
    #[cfg(unix)]
    Passed(UnixStream),
}

/// Serves one connection to its end.
pub(crate) async fn attend(desk: Arc<Desk>, coming: Coming, from: IpAddr, visit: Visit) {
    // HTTP and the TLS handshake are by far the largest part of this; on the
    // heap they are gone once a tunnel begins.
    let received = tokio::select! {
        biased;
        _ = desk.stopping() => return,
        received = Box::pin(receive(&desk, coming, from, visit)) => received,
    };
    match received {
        Some(Guest::First(tunnel)) => tunnel.run().await,
        Some(Guest::Second(seat, party)) => {
            if let Err(party) = seat.send(*party) {
                Box::pin(party.turn_away()).await;
            }
        }
        #[cfg(unix)]
        Some(Guest::Passed(passing)) => passing.await,
        None => {}
    }
}

enum Guest {
    First(Box<Tunnel>),
    Second(Seat, Box<Party>),
    #[cfg(unix)]
    Passed(Pin<Box<dyn Future<Output = ()> + Send>>),
}

/// What an accepted request has been promised.
enum Admitted {
    First(Opened),
    Second(Seat),
    /// Nothing here: another process has the tunnel.
    #[cfg(unix)]
    Elsewhere(Box<Passed>),
}

type Shared = Arc<Mutex<Option<Admitted>>>;

async fn receive(desk: &Arc<Desk>, coming: Coming, from: IpAddr, visit: Visit) -> Option<Guest> {
    let deadline = Instant::now() + desk.limits.opening;
    let wire = match coming {
        #[cfg(unix)]
        Coming::Passed(stream) => Wire::local(stream),
        Coming::Tcp(tcp, None) => Wire::plain(tcp),
        Coming::Tcp(tcp, Some(tls)) => match timeout_at(deadline, tls.accept(tcp)).await {
            Ok(Ok(tls)) => Wire::tls(tls),
            Ok(Err(_)) => return sent_away(desk, Why::Tls),
            Err(_) => return sent_away(desk, Why::TooSlow),
        },
    };
    let admitted = Shared::default();
    let clerk = Clerk { desk: Arc::clone(desk), from, visit, admitted: Arc::clone(&admitted) };
    let mut connection = http1::Builder::new()
        .max_buf_size(desk.limits.head)
        // Refusals of one kind are the same bytes.
        .auto_date_header(false)
        .serve_connection(TokioIo::new(wire), clerk);
    let served = future::poll_fn(|cx| match connection.poll_without_shutdown(cx) {
        Poll::Pending if lock(&admitted).as_ref().is_some_and(Admitted::is_elsewhere) => Poll::Ready(Ok(())),
        served => served,
    });
    let served = timeout_at(deadline, served).await;
    let parts = connection.into_parts();
    let (wire, Clerk { visit, .. }) = (parts.io.into_inner(), parts.service);
    let admitted = lock(&admitted).take();
    match (&served, &admitted) {
        (Err(_), _) => desk.refused(None, Why::TooSlow),
        (Ok(Err(error)), None) if error.is_parse_too_large() => {
            desk.refused(Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE), Why::HeadTooLarge);
        }
        (Ok(Err(error)), None) if error.is_parse() => {
            desk.refused(Some(StatusCode::BAD_REQUEST), Why::Malformed);
        }
        _ => {}
    }
    #[cfg(unix)]
    let admitted = match admitted {
        Some(Admitted::Elsewhere(passed)) => {
            let (desk, early) = (Arc::clone(desk), parts.read_buf);
            return Some(Guest::Passed(Box::pin(passed.carry(desk, wire, early, visit))));
        }
        admitted => admitted,
    };
    let arrived = matches!(served, Ok(Ok(())));
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
        Some(_) => None,
        None => {
            if served.is_ok() {
                let _ = timeout(defaults::LINGER, wire.hang_up()).await;
            }
            None
        }
    }
}

fn sent_away(desk: &Desk, why: Why) -> Option<Guest> {
    desk.refused(None, why);
    None
}

/// Answers the one request of a connection.
struct Clerk {
    desk: Arc<Desk>,
    from: IpAddr,
    visit: Visit,
    admitted: Shared,
}

/// An answer: now, after somebody was asked, or never.
enum Reply {
    Now(Option<Response<Full<Bytes>>>),
    Later(Pin<Box<dyn Future<Output = Response<Full<Bytes>>> + Send>>),
}

impl Reply {
    /// One connection asks one question. (The library's own switch for this
    /// would also strike "Upgrade" from the header of a 101.)
    fn now(mut response: Response<Full<Bytes>>) -> Self {
        close_after(&mut response);
        Self::Now(Some(response))
    }
}

impl Future for Reply {
    type Output = Result<Response<Full<Bytes>>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Reply::Now(response) => {
                response.take().map_or(Poll::Pending, |response| Poll::Ready(Ok(response)))
            }
            Reply::Later(later) => later.as_mut().poll(cx).map(Ok),
        }
    }
}

impl Admitted {
    fn is_elsewhere(&self) -> bool {
        match self {
            Self::First(_) | Self::Second(_) => false,
            #[cfg(unix)]
            Self::Elsewhere(_) => true,
        }
    }
}

fn lock(shared: &Shared) -> MutexGuard<'_, Option<Admitted>> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Service<Request<Incoming>> for Clerk {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Reply;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        self.answer(&request).unwrap_or_else(|refusal| Reply::now(refused(&self.desk, refusal)))
    }
}

impl Clerk {
    fn answer(&self, request: &Request<Incoming>) -> Result<Reply, Refusal> {
        match self.visit.arrival() {
            Arrival::Welcome => {}
            Arrival::Throttled(pause) => return Err(Refusal::later(Why::Throttled, pause)),
            Arrival::Full | Arrival::Drop => return Err(Refusal::later(Why::Full, Duration::from_secs(1))),
        }
        if request.method() != Method::GET {
            return Err(Refusal::new(Why::Method));
        }
        if request.uri().query().is_some() {
            return Err(Refusal::new(Why::NotFound));
        }
        if request.uri().path() == "/healthz" {
            return Ok(Reply::now(healthy()));
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
        match route {
            Route::New(id) => self.open(id, key, request),
            Route::Connect(routing_id, id) => self.join(routing_id, id, key, request),
            Route::Contact(_) => Err(Refusal::new(Why::NotFound)),
        }
    }

    fn open(&self, id: TunnelId, key: &[u8], request: &Request<Incoming>) -> Result<Reply, Refusal> {
        if self.desk.access.blocks(self.from) {
            return Err(Refusal::new(Why::Blocked));
        }
        let (desk, account, admitted) =
            (Arc::clone(&self.desk), self.visit.account(), Arc::clone(&self.admitted));
        let response = switching(key, Some(desk.routing_id));
        let question = match desk.access.may_open(self.from, request.headers()) {
            Verdict::Yes => return open(&desk, id, account, &admitted).map(|()| Reply::now(response)),
            Verdict::No(why) => return Err(Refusal::new(why)),
            Verdict::Ask(question) => question,
        };
        Ok(Reply::Later(Box::pin(async move {
            let allowed = desk.access.ask(question).await.map_err(refusal);
            let mut response = match allowed.and_then(|()| open(&desk, id, account, &admitted)) {
                Ok(()) => response,
                Err(refusal) => refused(&desk, refusal),
            };
            close_after(&mut response);
            response
        })))
    }

    fn join(
        &self,
        routing_id: RoutingId,
        id: TunnelId,
        key: &[u8],
        request: &Request<Incoming>,
    ) -> Result<Reply, Refusal> {
        #[cfg(unix)]
        if let Some(passed) = self.pass_on(routing_id, request) {
            *lock(&self.admitted) = Some(Admitted::Elsewhere(Box::new(passed)));
            return Ok(Reply::Now(None));
        }
        let seat = self.desk.join(routing_id, id).ok_or(Refusal::new(Why::NotFound))?;
        *lock(&self.admitted) = Some(Admitted::Second(seat));
        Ok(Reply::now(switching(key, None)))
    }

    /// The way to the process that gave this routing id, if that is another
    /// one of this node.
    #[cfg(unix)]
    fn pass_on(&self, routing_id: RoutingId, request: &Request<Incoming>) -> Option<Passed> {
        let socket = self.desk.sibling(routing_id)?;
        Passed::to(&socket, self.from, passing::head(request))
    }
}

/// Opens a tunnel whose party has yet to be told.
fn open(desk: &Arc<Desk>, id: TunnelId, account: Account, admitted: &Shared) -> Result<(), Refusal> {
    let opened = desk.open(id, account).map_err(refusal)?;
    *lock(admitted) = Some(Admitted::First(opened));
    Ok(())
}

fn refusal(why: Why) -> Refusal {
    match why {
        Why::Throttled => Refusal::later(why, Duration::from_secs(1)),
        Why::Draining => Refusal::later(why, defaults::DRAIN_RETRY),
        Why::Undecided => Refusal::later(why, defaults::UNDECIDED_RETRY),
        _ => Refusal::new(why),
    }
}

fn refused(desk: &Desk, refusal: Refusal) -> Response<Full<Bytes>> {
    desk.refused(refusal.status(), refusal.why());
    refusal.response()
}

fn close_after(response: &mut Response<Full<Bytes>>) {
    response.headers_mut().entry(CONNECTION).or_insert(HeaderValue::from_static("close"));
}

fn healthy() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(b"ok\n")));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

/// The upgrade. It alone says what time it is here: a client whose clock is
/// wrong learns it from nobody else.
fn switching(key: &[u8], routing_id: Option<RoutingId>) -> Response<Full<Bytes>> {
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
    if let Some(value) = routing_id.and_then(|id| HeaderValue::try_from(id.to_hex()).ok()) {
        let name = HeaderName::from_bytes(ROUTING_ID_HEADER.as_bytes());
        name.map(|name| headers.insert(name, value)).ok();
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
