//! Sign-ins, as a relay sees them.

use std::sync::Arc;

use super::figures::{Figures, Report};
use super::runner::Runner;
use super::site::{MASK, Site};
use crate::caller::{Fault, Socket, frame};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    Phone,
    Computer,
}

/// Who says how much: greeting, reply, hello; a request with one allowed
/// credential; an update without a link; the answer; shutdown. As our own two
/// programs say it, each message sealed and padded.
const FRAMES: [(From, usize); 7] = [
    (From::Computer, 81),
    (From::Phone, 81),
    (From::Phone, 176),
    (From::Computer, 208),
    (From::Phone, 48),
    (From::Phone, 304),
    (From::Computer, 48),
];

/// One sign-in after the other, or beside it.
pub(crate) async fn load(site: Site, runner: &Runner, eager: bool) -> Report {
    let (site, script) = (Arc::new(site), Arc::new(Script::new()));
    let figures = Arc::new(Figures::new());
    let each = |_| {
        let (site, script) = (Arc::clone(&site), Arc::clone(&script));
        async move { script.play(&site, eager).await }
    };
    runner.run(&figures, each).await;
    figures.report("sign-ins")
}

/// The frames, made once for all.
#[derive(Debug)]
struct Script(Vec<(From, Vec<u8>, Vec<u8>)>);

impl Script {
    fn new() -> Self {
        let made = FRAMES.iter().zip(1u8..).map(|((from, length), number)| {
            let message = vec![number; *length];
            (*from, frame(0x2, MASK, &message), message)
        });
        Self(made.collect())
    }

    /// One sign-in.
    async fn play(&self, site: &Site, eager: bool) -> Result<(), Fault> {
        let id = site.id();
        let (mut phone, mut computer) = if eager {
            let (for_phone, for_computer) = tokio::try_join!(site.dial(), site.dial())?;
            let (phone, routing_id) = site.open(for_phone, id).await?;
            (phone, site.join(for_computer, routing_id, id).await?)
        } else {
            let (phone, routing_id) = site.open(site.dial().await?, id).await?;
            (phone, site.join(site.dial().await?, routing_id, id).await?)
        };
        for (from, frame, message) in &self.0 {
            let (speaker, listener) = match from {
                From::Phone => (&mut phone, &mut computer),
                From::Computer => (&mut computer, &mut phone),
            };
            speaker.send(frame).await?;
            if listener.message().await? != message {
                return Err(Fault::Frame("other bytes than were sent"));
            }
        }
        part(phone, computer).await
    }
}

/// The second party closes, and both wait for the end.
pub(crate) async fn part(first: Socket, mut second: Socket) -> Result<(), Fault> {
    second.close().await?;
    let (first, second) = tokio::try_join!(first.gone(false), second.gone(true))?;
    match [first, second].into_iter().find(|code| !matches!(code, 1000 | 1005)) {
        None => Ok(()),
        Some(code) => Err(Fault::Closed(code)),
    }
}
