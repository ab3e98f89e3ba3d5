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
use std::time::Duration;

use cablecar_protocol::ids::{RoutingId, TunnelId};
use cablecar_protocol::tunnel::{Route, SUBPROTOCOL};
use http::header::{CONNECTION, CONTENT_TYPE, SEC_WEBSOCKET_PROTOCOL};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;

use crate::access::Verdict;
use crate::defaults;
use crate::desk::{Desk, Opened, Seat, Visit};
use crate::handshakes::NoTls;
use crate::line::Line;
use crate::meter::{Account, Arrival};
#[cfg(unix)]
use crate::passing::{self, Passed};
use crate::proxied;
use crate::refusal::{Refusal, Why};
use crate::socket::Socket;
use crate::source::Source;
use crate::tunnel::{Party, Tunnel};
use crate::wire::Wire;

mod websocket;

use websocket::{origin_is_ours, switching, tokens, websocket_key};

/// A connection as it was accepted.
pub(crate) struct Accepted {
    pub(crate) socket: Socket,
    /// Who is at the other end: a client, or a proxy that brings one.
    pub(crate) peer: IpAddr,
    /// Another process of ours brings it: `peer` is the client, whatever a
    /// header says.
    pub(crate) passed: bool,
    pub(crate) visit: Visit,
}

/// Serves one connection to its end.
pub(crate) fn attend(
    desk: Arc<Desk>,
    tls: Option<TlsAcceptor>,
    accepted: Accepted,
) -> impl Future<Output = ()> + Send {
    // HTTP and the TLS handshake are by far the largest part of this; on the
    // heap they are gone once a tunnel begins.
    let receiving = Box::pin(receive(Arc::clone(&desk), tls, accepted));
    serve(desk, receiving)
}

async fn serve(desk: Arc<Desk>, receiving: Pin<Box<impl Future<Output = Option<Guest>>>>) {
    let received = tokio::select! {
        biased;
        received = receiving => received,
        _ = desk.stopping() => return,
    };
    match received {
        Some(Guest::First(tunnel)) => tunnel.run().await,
        Some(Guest::Second(seat, party)) => {
            if let Err(party) = seat.send(party) {
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

async fn receive(desk: Arc<Desk>, tls: Option<TlsAcceptor>, accepted: Accepted) -> Option<Guest> {
    let (desk, began) = (&desk, Instant::now());
    let deadline = began + desk.limits.opening;
    let Accepted { mut socket, peer, passed, mut visit } = accepted;
    let mut client = peer;
    if !passed && desk.proxy.introduces(peer) {
        match timeout_at(deadline, proxied::header(&mut socket)).await {
            Ok(Ok(introduced)) => client = introduced.unwrap_or(peer),
            Ok(Err(_)) => return sent_away(desk, Why::Proxy, None),
            Err(_) => return sent_away(desk, Why::TooSlow, None),
        }
        if desk.access.blocks(client) {
            return sent_away(desk, Why::Blocked, Some(Source::of(client)));
        }
        visit.introduce(client);
        if visit.arrival() == Arrival::Drop {
            return sent_away(desk, Why::Crowded, visit.account());
        }
    }
    let wire = match tls {
        None => Wire::plain(socket),
        // By far the largest part of this, and only with TLS.
        Some(tls) => match timeout_at(deadline, Box::pin(desk.handshakes.accept(&tls, socket))).await {
            Ok(Ok(tls)) => Wire::tls(tls),
            Ok(Err(NoTls::Failed)) => return sent_away(desk, Why::Tls, visit.account()),
            Ok(Err(NoTls::Crowded)) => return sent_away(desk, Why::Flooded, visit.account()),
            Err(_) => return sent_away(desk, Why::TooSlow, visit.account()),
        },
    };
    let admitted = Shared::default();
    let behind_proxy = !passed && desk.proxy.forwards(peer);
    let clerk = Clerk {
        desk: Arc::clone(desk),
        client,
        behind_proxy,
        visit: Mutex::new(visit),
        admitted: Arc::clone(&admitted),
    };
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
    let visit = visit.into_inner().unwrap_or_else(PoisonError::into_inner);
    let admitted = lock(&admitted).take();
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
    #[cfg(unix)]
    let admitted = match admitted {
        Some(Admitted::Elsewhere(passed)) => {
            let (desk, early) = (Arc::clone(desk), parts.read_buf);
            return Some(Guest::Passed(Box::pin(passed.carry(desk, wire, early, visit))));
        }
        admitted => admitted,
    };
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
                Box::pin(second.turn_away()).await;
            }
            None
        }
        Some(_) => None,
        None => {
            if served.is_ok() {
                let _ = timeout(defaults::LINGER, Box::pin(wire.hang_up())).await;
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
    client: IpAddr,
    /// Its headers say who the client is.
    behind_proxy: bool,
    visit: Mutex<Visit>,
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
        self.answer(&request).unwrap_or_else(|refusal| {
            let account = self.visit.lock().unwrap_or_else(PoisonError::into_inner).account();
            Reply::now(refused(&self.desk, refusal, account))
        })
    }
}

impl Clerk {
    fn answer(&self, request: &Request<Incoming>) -> Result<Reply, Refusal> {
        let mut visit = self.visit.lock().unwrap_or_else(PoisonError::into_inner);
        let mut client = self.client;
        if self.behind_proxy {
            client = self.desk.proxy.forwarded_for(request.headers(), client);
            if self.desk.access.blocks(client) {
                return Err(Refusal::new(Why::Blocked));
            }
            visit.introduce(client);
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
        match request.uri().path() {
            "/healthz" => return Ok(Reply::now(plain(StatusCode::OK, "ok\n"))),
            "/readyz" => return Ok(Reply::now(self.ready())),
            _ => {}
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
            Route::New(id) => self.open(id, key, (client, visit.account()), request),
            Route::Connect(routing_id, id) => self.join(routing_id, id, key, client, request),
            Route::Contact(_) => Err(Refusal::new(Why::NotFound)),
        }
    }

    /// For a proxy in front that sends phones to whoever takes them. No more
    /// than what the answer to a phone would say.
    fn ready(&self) -> Response<Full<Bytes>> {
        match self.desk.drain.draining() {
            false => plain(StatusCode::OK, "ready\n"),
            true => plain(StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
        }
    }

    fn open(
        &self,
        id: TunnelId,
        key: &[u8],
        (client, account): (IpAddr, Account),
        request: &Request<Incoming>,
    ) -> Result<Reply, Refusal> {
        let (desk, admitted) = (Arc::clone(&self.desk), Arc::clone(&self.admitted));
        let response = switching(key, Some(desk.routing_id));
        let question = match desk.access.may_open(client, request.headers()) {
            Verdict::Yes => return open(&desk, id, account, &admitted).map(|()| Reply::now(response)),
            Verdict::No(why) => return Err(Refusal::new(why)),
            Verdict::Ask(question) => question,
        };
        Ok(Reply::Later(Box::pin(async move {
            let allowed = desk.access.ask(question).await.map_err(refusal);
            let mut response = match allowed.and_then(|()| open(&desk, id, account, &admitted)) {
                Ok(()) => response,
                Err(refusal) => refused(&desk, refusal, account),
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
        client: IpAddr,
        request: &Request<Incoming>,
    ) -> Result<Reply, Refusal> {
        #[cfg(not(unix))]
        let _ = (client, request);
        #[cfg(unix)]
        if let Some(passed) = self.pass_on(routing_id, client, request) {
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
    fn pass_on(&self, routing_id: RoutingId, client: IpAddr, request: &Request<Incoming>) -> Option<Passed> {
        let socket = self.desk.sibling(routing_id)?;
        Passed::to(&socket, client, passing::head(request))
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
        Why::Memory => Refusal::later(why, defaults::MEMORY_RETRY),
        Why::Undecided => Refusal::later(why, defaults::UNDECIDED_RETRY),
        _ => Refusal::new(why),
    }
}

fn refused(desk: &Desk, refusal: Refusal, from: Account) -> Response<Full<Bytes>> {
    desk.refused(refusal.status(), refusal.why(), from);
    refusal.response()
}

fn close_after(response: &mut Response<Full<Bytes>>) {
    response.headers_mut().entry(CONNECTION).or_insert(HeaderValue::from_static("close"));
}

fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}
