//! A page for the eyes: the code large in the browser, with the stages, for
//! one request and one look.
//!
//! It is served on 127.0.0.1 alone, under a path of 128 random bits. Each path
//! answers once: the page itself, and then each page that comes after it, which
//! is held back until there is something new. A browser with scripts takes over
//! what is new in place; one without loads the next page. When the request
//! ends, nobody listens there any more.

mod caller;
pub mod opener;
mod server;
mod view;

use std::net::SocketAddr;
use std::sync::Arc;

use rand_core::CryptoRngCore;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use zeroize::Zeroizing;

use super::code::Code;
use super::{Notice, Screen};
use crate::defaults;
use crate::error::Error;
use opener::Opener;
use server::{Paths, Server, Told};
use view::{Shown, View};

/// How a request ended, for its last page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Well. The sentence says who is signed in where.
    Done(String),
    /// With this error, and its remedy.
    Failed(String, String),
}

impl From<&Error> for Ending {
    fn from(error: &Error) -> Self {
        Ending::Failed(error.to_string(), error.advice().2.to_owned())
    }
}

/// The page of one request. Dropped, it is gone, and so is the code in the
/// browser; [`Page::end`] says goodbye before.
pub struct Page {
    url: Zeroizing<String>,
    opener: Option<Box<dyn Opener>>,
    view: watch::Sender<View>,
    told: watch::Receiver<Told>,
    serving: JoinHandle<()>,
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Page(..)")
    }
}

impl Page {
    /// Listens on a port of the system's choice. The browser is opened when
    /// there is a code to show. `heading` says what is wanted, such as
    /// `Sign in at login.example.com`.
    ///
    /// # Errors
    /// [`Error::Io`] if nothing can listen on 127.0.0.1.
    pub async fn open(
        heading: &str,
        opener: impl Opener + 'static,
        rng: &mut (dyn CryptoRngCore + Send),
    ) -> Result<Self, Error> {
        let failed =
            |cause: std::io::Error| Error::Io { what: "--show page".into(), cause: cause.to_string() };
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let paths = Paths::draw(rng);
        let url = Zeroizing::new(format!("http://{address}{}", *paths.path(0)));
        let (view, seen) = watch::channel(View::new(heading));
        let (tell, told) = watch::channel(Told::Nothing);
        let server = Arc::new(Server::new(address, paths, seen, tell));
        let serving = tokio::spawn(server::serve(listener, server));
        Ok(Self { url, opener: Some(Box::new(opener)), view, told, serving })
    }

    /// Shows how it ended, and waits a little for the browser to take it, if
    /// one has come at all.
    pub async fn end(mut self, ending: Ending) {
        if *self.told.borrow() == Told::Nothing {
            return;
        }
        self.view.send_modify(|view| view.end(ending));
        let _ = timeout(defaults::PAGE_GOODBYE, self.told.wait_for(|told| *told == Told::All)).await;
    }
}

impl Screen for Page {
    fn notice(&mut self, notice: &Notice<'_>) {
        match notice {
            Notice::Code(invitation) => {
                // One that cannot be drawn can still be copied.
                let svg = Code::of(invitation).map(|code| Zeroizing::new(code.to_svg())).unwrap_or_default();
                let shown =
                    Shown { svg, text: invitation.to_text(), until: Instant::now() + defaults::CODE_LIFE };
                self.view.send_modify(|view| view.show(shown));
                if let Some(mut opener) = self.opener.take() {
                    opener.open(&self.url);
                }
            }
            Notice::Stage(stage, _) => self.view.send_modify(|view| view.reach(*stage)),
            Notice::NotOurs(_) => {
                self.view.send_if_modified(View::hear_another);
            }
            Notice::Caution(caution) => self.view.send_modify(|view| view.warn(caution.to_string())),
        }
    }
}

/// Nobody listens any more, and no connection is left open.
impl Drop for Page {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[cfg(test)]
mod tests;
