//! The operator's own door: health, metrics, and commands, over HTTP on a
//! loopback address or a unix socket.
//!
//! Whoever reaches it may do everything, so it is for programs of this machine
//! alone; and not for web pages that a browser on this machine shows, which
//! are known by their `Origin` or by a name in `Host` that is not this machine.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
#[cfg(unix)]
use std::os::fd::AsFd;

use http::header::{ALLOW, CONTENT_TYPE, HOST, ORIGIN};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{sleep, timeout};

use crate::address::Address;
use crate::config::LogLevel;
use crate::control::Control;
use crate::defaults;
use crate::error::Error;
use crate::exposition;
use crate::upgrade::Inheritance;
#[cfg(unix)]
use crate::upgrade::Named;

/// An admin listener that is bound and not answering yet.
#[derive(Debug)]
pub(crate) struct Admin {
    listener: Listener,
    /// How another process of ours recognises it.
    name: String,
}

#[derive(Debug)]
enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(tokio::net::UnixListener, unix::Path),
}

impl Admin {
    /// Binds this address, which the configuration has found to be local.
    ///
    /// # Errors
    /// [`Error::Listen`] if it cannot be had.
    pub(crate) fn bind(address: &Address, inheritance: &mut Inheritance) -> Result<Self, Error> {
        let failed = |cause| Error::Listen { addr: address.clone(), cause };
        let name = format!("admin {address}");
        #[cfg(unix)]
        if let Some(inherited) = inheritance.take(&name) {
            let listener = unix::inherited(address, inherited).map_err(failed)?;
            return Ok(Self { listener, name });
        }
        #[cfg(not(unix))]
        let _ = inheritance;
        let listener = match address {
            Address::Tcp(addr) if address.is_local() => Listener::Tcp(loopback(*addr).map_err(failed)?),
            #[cfg(unix)]
            Address::Unix(path) => {
                let (listener, path) = unix::bind(path).map_err(failed)?;
                Listener::Unix(listener, path)
            }
            _ => return Err(failed(std::io::ErrorKind::AddrNotAvailable.into())),
        };
        Ok(Self { listener, name })
    }

    /// The bound address, with the port that was really taken.
    pub(crate) fn address(&self) -> Option<Address> {
        match &self.listener {
            Listener::Tcp(listener) => listener.local_addr().ok().map(Address::Tcp),
            #[cfg(unix)]
            Listener::Unix(_, path) => Some(Address::Unix(path.to_path_buf())),
        }
    }

    /// The name under which another process of ours can take it over.
    #[cfg(unix)]
    pub(crate) fn named(&self) -> Named<'_> {
        let descriptor = match &self.listener {
            Listener::Tcp(listener) => listener.as_fd(),
            Listener::Unix(listener, _) => listener.as_fd(),
        };
        (self.name.clone(), descriptor)
    }

    /// Leaves its file to the process that took it over.
    #[cfg(unix)]
    pub(crate) fn hand_over(&self) {
        if let Listener::Unix(_, path) = &self.listener {
            path.leave();
        }
    }

    /// Answers until it is dropped, and ends all that it has begun then.
    pub(crate) async fn serve(&self, control: Control) -> Infallible {
        let mut visits = JoinSet::new();
        loop {
            let accepted = match &self.listener {
                Listener::Tcp(listener) => listener.accept().await.map(|(tcp, _)| Io::Tcp(tcp)),
                #[cfg(unix)]
                Listener::Unix(listener, _) => listener.accept().await.map(|(unix, _)| Io::Unix(unix)),
            };
            while visits.try_join_next().is_some() {}
            match accepted {
                // One more is dropped unread: there are few who may come here.
                Ok(_) if visits.len() >= defaults::ADMIN_CONNECTIONS => {}
                Ok(Io::Tcp(tcp)) => drop(visits.spawn(attend(tcp, control.clone()))),
                #[cfg(unix)]
                Ok(Io::Unix(unix)) => drop(visits.spawn(attend(unix, control.clone()))),
                Err(_) => sleep(defaults::ACCEPT_PAUSE).await,
            }
        }
    }
}

enum Io {
    Tcp(tokio::net::TcpStream),
    #[cfg(unix)]
    Unix(tokio::net::UnixStream),
}

fn loopback(addr: SocketAddr) -> std::io::Result<TcpListener> {
    let listener = std::net::TcpListener::bind(addr)?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

/// One question, one answer, in limited time.
async fn attend(io: impl AsyncRead + AsyncWrite + Unpin, control: Control) {
    let service = service_fn(|request| {
        let control = control.clone();
        async move { Ok::<_, Infallible>(answer(request, control).await) }
    });
    let connection = http1::Builder::new()
        .max_buf_size(defaults::MAX_HEAD)
        .keep_alive(false)
        .serve_connection(TokioIo::new(io), service);
    let _ = timeout(defaults::ADMIN_PATIENCE, connection).await;
}

type Answer = Response<Full<Bytes>>;

async fn answer(request: Request<Incoming>, control: Control) -> Answer {
    if !from_this_machine(&request) {
        return plain(StatusCode::FORBIDDEN, "not for web pages\n");
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    match request.uri().path() {
        "/healthz" if reads => healthy(control).await,
        "/readyz" if reads => ready(&control),
        "/metrics" if reads => metrics(control).await,
        "/status" if reads => status(control).await,
        "/version" if reads => {
            say(StatusCode::OK, &json!({ "name": "cablecar-relay", "version": env!("CARGO_PKG_VERSION") }))
        }
        "/healthz" | "/readyz" | "/metrics" | "/status" | "/version" => only("GET"),
        "/drain" | "/reload" | "/loglevel" if request.method() != Method::POST => only("POST"),
        "/drain" => say(StatusCode::OK, &json!({ "draining": true, "changed": control.drain() })),
        "/reload" => reload(control).await,
        "/loglevel" => log_level(request, &control).await,
        _ => plain(StatusCode::NOT_FOUND, "not found\n"),
    }
}

/// No page of a browser, whatever name it has given to this machine's address.
fn from_this_machine(request: &Request<Incoming>) -> bool {
    let headers = request.headers();
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.and_then(|host| host.parse::<http::uri::Authority>().ok());
    let ours = host.is_none_or(|host| {
        let name = host.host().trim_start_matches('[').trim_end_matches(']');
        name == "localhost" || name.parse::<IpAddr>().is_ok()
    });
    ours && !headers.contains_key(ORIGIN)
}

/// Live, if a task that is started now runs and the tables can be read.
async fn healthy(control: Control) -> Answer {
    let looked = tokio::spawn(async move { control.snapshot() });
    match timeout(defaults::ADMIN_HEALTH, looked).await {
        Ok(Ok(_)) => plain(StatusCode::OK, "ok\n"),
        _ => plain(StatusCode::SERVICE_UNAVAILABLE, "stuck\n"),
    }
}

fn ready(control: &Control) -> Answer {
    if control.ready() {
        plain(StatusCode::OK, "ready\n")
    } else if control.snapshot().draining {
        plain(StatusCode::SERVICE_UNAVAILABLE, "draining\n")
    } else {
        plain(StatusCode::SERVICE_UNAVAILABLE, "not accepting\n")
    }
}

async fn metrics(control: Control) -> Answer {
    match spawn_blocking(move || control.metrics()).await {
        Ok(text) => typed(StatusCode::OK, exposition::CONTENT_TYPE, text),
        Err(_) => failed("the metrics could not be written"),
    }
}

async fn status(control: Control) -> Answer {
    match spawn_blocking(move || serde_json::to_value(control.status())).await {
        Ok(Ok(status)) => say(StatusCode::OK, &status),
        _ => failed("the status could not be written"),
    }
}

async fn reload(control: Control) -> Answer {
    match spawn_blocking(move || control.reload()).await {
        Ok(Ok(())) => say(StatusCode::OK, &json!({ "reloaded": true })),
        Ok(Err(error)) => {
            let told = json!({ "error": error.to_string(), "id": error.id(), "remedy": error.remedy() });
            say(StatusCode::UNPROCESSABLE_ENTITY, &told)
        }
        Err(_) => failed("the reload broke off"),
    }
}

async fn log_level(request: Request<Incoming>, control: &Control) -> Answer {
    let body = Limited::new(request.into_body(), defaults::ADMIN_BODY).collect().await;
    let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let level = std::str::from_utf8(&body).ok().and_then(|text| LogLevel::from_name(text.trim()));
    let Some(level) = level else {
        let names = LogLevel::ALL.map(LogLevel::name).join(", ");
        return say(StatusCode::BAD_REQUEST, &json!({ "error": format!("the body must be one of {names}") }));
    };
    if control.set_level(level) {
        say(StatusCode::OK, &json!({ "level": level.name() }))
    } else {
        say(StatusCode::CONFLICT, &json!({ "error": "this relay keeps no log" }))
    }
}

fn only(method: &'static str) -> Answer {
    let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, "not so\n");
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static(method));
    answer
}

fn failed(problem: &str) -> Answer {
    say(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "error": problem }))
}

fn plain(status: StatusCode, text: &'static str) -> Answer {
    typed(status, "text/plain", text.to_owned())
}

fn say(status: StatusCode, value: &serde_json::Value) -> Answer {
    typed(status, "application/json", format!("{value}\n"))
}

fn typed(status: StatusCode, kind: &'static str, text: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(text)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

#[cfg(unix)]
mod unix {
    //! A socket in the file system, for its owner alone.

    use std::fs::{self, Permissions};
    use std::io::{Error, ErrorKind, Result};
    use std::ops::Deref;
    use std::os::fd::OwnedFd;
    use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
    use std::os::unix::net::UnixStream;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicBool, Ordering};

    use tokio::net::UnixListener;

    use super::{Address, Listener, TcpListener};

    /// Where the socket is. Dropped, it is not there any more, unless another
    /// has taken its place.
    #[derive(Debug)]
    pub(super) struct Path {
        path: PathBuf,
        inode: u64,
        /// Another process takes it away.
        left: AtomicBool,
    }

    pub(super) fn bind(path: &std::path::Path) -> Result<(UnixListener, Path)> {
        let there = fs::symlink_metadata(path).ok();
        match there.map(|there| there.file_type().is_socket()) {
            None => {}
            // Left behind by a relay that was killed: nobody answers.
            Some(true) if UnixStream::connect(path).is_err() => fs::remove_file(path)?,
            Some(true) => return Err(ErrorKind::AddrInUse.into()),
            Some(false) => return Err(Error::new(ErrorKind::AlreadyExists, "something else is there")),
        }
        let listener = UnixListener::bind(path)?;
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
        Ok((listener, Path::of(path)?))
    }

    /// The listener that another process of ours had.
    pub(super) fn inherited(address: &Address, descriptor: OwnedFd) -> Result<Listener> {
        match address {
            Address::Unix(path) => {
                let listener = std::os::unix::net::UnixListener::from(descriptor);
                listener.set_nonblocking(true)?;
                Ok(Listener::Unix(UnixListener::from_std(listener)?, Path::of(path)?))
            }
            _ => TcpListener::from_std(descriptor.into()).map(Listener::Tcp),
        }
    }

    impl Path {
        fn of(path: &std::path::Path) -> Result<Self> {
            let inode = fs::symlink_metadata(path)?.ino();
            Ok(Self { path: path.into(), inode, left: AtomicBool::new(false) })
        }

        /// It stays when this is dropped.
        pub(super) fn leave(&self) {
            self.left.store(true, Ordering::Relaxed);
        }
    }

    impl Deref for Path {
        type Target = std::path::Path;

        fn deref(&self) -> &std::path::Path {
            &self.path
        }
    }

    impl Drop for Path {
        fn drop(&mut self) {
            let left = self.left.load(Ordering::Relaxed);
            if !left && fs::symlink_metadata(&self.path).is_ok_and(|there| there.ino() == self.inode) {
                let _ = fs::remove_file(&self.path);
            }
        }
    }
}
