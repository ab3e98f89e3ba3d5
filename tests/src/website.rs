//! The relying party as a website: accounts in memory, a page with two buttons,
//! webauthn-rs behind them. Served on this machine alone.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderValue, ORIGIN};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use webauthn_rs_core::proto::{AuthenticationState, Credential, RegistrationState};

use crate::relying_party::RelyingParty;

/// Sign-ins and registrations that have begun and not ended; the oldest goes
/// where there are more.
const MOST_BEGUN: usize = 64;

/// A response with a long attestation has some kilobytes.
const MOST_BYTES: usize = 64 * 1024;

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A website at `http://localhost:PORT`.
pub struct Website {
    host: String,
    relying_party: RelyingParty,
    books: Mutex<Books>,
}

impl std::fmt::Debug for Website {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Website").field("host", &self.host).finish_non_exhaustive()
    }
}

/// What it remembers until it ends.
#[derive(Default)]
struct Books {
    accounts: Vec<Account>,
    begun: BTreeMap<u64, Begun>,
    tickets: u64,
}

struct Account {
    name: String,
    credential: Credential,
    /// How the browser says that its passkey can be reached.
    transports: Vec<String>,
}

enum Begun {
    Registration(String, RegistrationState),
    SignIn(AuthenticationState),
}

impl Books {
    fn begin(&mut self, begun: Begun) -> u64 {
        self.tickets += 1;
        self.begun.insert(self.tickets, begun);
        if self.begun.len() > MOST_BEGUN {
            self.begun.pop_first();
        }
        self.tickets
    }
}

/// A page, a script, a style, or JSON.
type Answer = Response<Full<Bytes>>;

impl Website {
    /// Listens on this port of both loopback addresses, where there are two:
    /// browsers take either for `localhost`. Port 0 takes a free one.
    ///
    /// # Errors
    /// Those of the system.
    pub async fn open(port: u16) -> io::Result<(Arc<Self>, Vec<TcpListener>)> {
        let first = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await?;
        let port = first.local_addr()?.port();
        let second = TcpListener::bind(SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], port))).await;
        let host = format!("localhost:{port}");
        let relying_party = RelyingParty::new("localhost", &format!("http://{host}"));
        let website = Self { host, relying_party, books: Mutex::default() };
        Ok((Arc::new(website), std::iter::once(first).chain(second).collect()))
    }

    /// Where it is.
    pub fn origin(&self) -> String {
        format!("http://{}", self.host)
    }

    /// Serves on one of its addresses until it is dropped.
    ///
    /// # Errors
    /// Those of accepting.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) -> io::Result<()> {
        loop {
            let (stream, _) = listener.accept().await?;
            let website = Arc::clone(&self);
            tokio::spawn(async move {
                let answer =
                    service_fn(|request| async { Ok::<_, io::Error>(website.answer(request).await) });
                let mut connection = hyper::server::conn::http1::Builder::new();
                connection.timer(TokioTimer::new());
                let _ = connection.serve_connection(TokioIo::new(stream), answer).await;
            });
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let is = |name, value: &str| request.headers().get(name).is_some_and(|v: &HeaderValue| v == value);
        // Another name leads here only if somebody made it.
        if !is(HOST, &self.host) {
            return words(StatusCode::NOT_FOUND, "no such page");
        }
        let path = request.uri().path().to_owned();
        match (request.method().clone(), &*path) {
            (Method::GET, "/") => file("text/html; charset=utf-8", include_str!("website/page.html")),
            (Method::GET, "/page.js") => file("text/javascript", include_str!("website/page.js")),
            (Method::GET, "/page.css") => file("text/css", include_str!("website/page.css")),
            (Method::POST, _) if !is(ORIGIN, &self.origin()) => {
                words(StatusCode::FORBIDDEN, "this page may not ask that")
            }
            (Method::POST, path) => {
                let body = Limited::new(request.into_body(), MOST_BYTES).collect().await;
                let body = body.ok().and_then(|body| serde_json::from_slice(&body.to_bytes()).ok());
                let Some(body) = body else { return words(StatusCode::BAD_REQUEST, "this is no JSON") };
                match self.asked(path, &body) {
                    Ok(said) => whole(StatusCode::OK, "application/json", said.to_string()),
                    Err(why) => words(StatusCode::BAD_REQUEST, &why),
                }
            }
            _ => words(StatusCode::NOT_FOUND, "no such page"),
        }
    }

    /// What the page's script asks, and the verdicts.
    fn asked(&self, path: &str, body: &Value) -> Result<Value, String> {
        let mut books = self.books.lock().unwrap();
        let text = |name: &str| body[name].as_str().unwrap_or_default().trim().to_owned();
        let begun = |books: &mut Books| {
            let ticket = body["ticket"].as_u64().ok_or("there is no ticket")?;
            books.begun.remove(&ticket).ok_or("that took too long; begin again")
        };
        match path {
            "/register/begin" => {
                let name = text("name");
                if name.is_empty() || name.len() > 64 {
                    return Err("a name has 1 to 64 bytes".into());
                }
                let (options, state) = self.relying_party.register(&name);
                Ok(json!({"options": options, "ticket": books.begin(Begun::Registration(name, state))}))
            }
            "/register/finish" => {
                let Begun::Registration(name, state) = begun(&mut books)? else {
                    return Err("that was no registration".into());
                };
                let response = &body["response"];
                let credential =
                    self.relying_party.registered(response, &state).map_err(|e| e.to_string())?;
                let transports = response["response"]["transports"].as_array().into_iter().flatten();
                let transports = transports.filter_map(Value::as_str).map(str::to_owned).collect();
                let account = Account { name, credential, transports };
                let told = told(&account, response, account.credential.user_verified);
                books.accounts.push(account);
                Ok(told)
            }
            "/sign-in/begin" => {
                if books.accounts.is_empty() {
                    return Err("nobody has a passkey here yet: register first".into());
                }
                let all = books.accounts.iter().map(|account| account.credential.clone()).collect();
                let (mut options, state) = self.relying_party.sign_in(all);
                // The page names nobody: whoever has a passkey may come.
                options["allowCredentials"] = json!([]);
                Ok(json!({"options": options, "ticket": books.begin(Begun::SignIn(state))}))
            }
            "/sign-in/finish" => {
                let Begun::SignIn(state) = begun(&mut books)? else {
                    return Err("that was no sign-in".into());
                };
                let response = &body["response"];
                let result = self.relying_party.signed_in(response, &state).map_err(|e| e.to_string())?;
                let account =
                    books.accounts.iter_mut().find(|account| account.credential.cred_id == *result.cred_id());
                let account = account.ok_or("nobody has that passkey")?;
                account.credential.counter = result.counter();
                Ok(told(account, response, result.user_verified()))
            }
            _ => Err("nobody answers to that".into()),
        }
    }
}

/// What the website was told about who came, and by what.
fn told(account: &Account, response: &Value, verified: bool) -> Value {
    let attachment = response["authenticatorAttachment"].as_str();
    let hybrid = account.transports.iter().any(|transport| transport == "hybrid");
    json!({
        "name": account.name,
        "verified": verified,
        "attachment": attachment,
        "phone": attachment == Some("cross-platform") && hybrid,
    })
}

fn words(status: StatusCode, words: &str) -> Answer {
    whole(status, "text/plain; charset=utf-8", words.to_owned())
}

fn file(kind: &'static str, text: &'static str) -> Answer {
    whole(StatusCode::OK, kind, text.to_owned())
}

fn whole(status: StatusCode, kind: &'static str, text: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(text)));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    answer
}
