//! The door: a loop for each listener that accepts, counts, and never spins.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

use crate::defaults;
use crate::desk::Desk;
use crate::listeners::Listener;
use crate::observer::Event;
use crate::reception::{self, Accepted};
use crate::refusal::Why;
use crate::reserve::{self, Reserve};
use crate::roll_call::Called;
use crate::socket::Socket;
use crate::source::Source;

/// Where connections come in.
pub(crate) struct Door {
    desk: Arc<Desk>,
    tls: Option<TlsAcceptor>,
}

impl Door {
    pub(crate) fn new(desk: Arc<Desk>, tls: Option<TlsAcceptor>) -> Self {
        Self { desk, tls }
    }

    /// Lets in whoever comes, and answers whoever asks whether it does.
    pub(crate) async fn accept_all(self, listener: Arc<Listener>, mut called: Called) {
        let (mut complaint, mut reserve, mut none_left) = (Complaint::default(), Reserve::new(), false);
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = called.answer() => continue,
            };
            match accepted {
                Ok((socket, peer)) => {
                    none_left = false;
                    self.admit(socket, peer);
                }
                Err(error) if concerns_one_connection(&error) => {}
                Err(error) => {
                    self.desk.board.metrics.accept_failed();
                    // The first time some may be free again after the pause.
                    if std::mem::replace(&mut none_left, reserve::exhausted(&error)) && none_left {
                        for _ in 0..reserve.shed(&listener).await {
                            self.desk.refused(None, Why::Exhausted, None);
                        }
                    }
                    if let Some(failures) = complaint.raise(Instant::now()) {
                        self.desk.notice(Event::Struggling { failures });
                    }
                    sleep(defaults::ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn admit(&self, socket: Socket, peer: IpAddr) {
        if self.desk.access.blocks(peer) && !self.desk.proxy.trusts(peer) {
            return self.desk.refused(None, Why::Blocked, Some(Source::of(peer)));
        }
        let Some(visit) = self.desk.arrive(peer) else {
            return self.desk.refused(None, Why::Crowded, Some(Source::of(peer)));
        };
        let accepted = Accepted { socket, peer, passed: false, visit };
        tokio::spawn(reception::attend(Arc::clone(&self.desk), self.tls.clone(), accepted));
    }
}

/// Says once in a while that something keeps failing.
#[derive(Debug, Default)]
struct Complaint {
    failures: u64,
    last: Option<Instant>,
}

impl Complaint {
    /// One more failure; gives their number when it is time to say so.
    fn raise(&mut self, now: Instant) -> Option<u64> {
        self.failures += 1;
        if self.last.is_some_and(|last| now < last + defaults::ACCEPT_NOTICE) {
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.failures))
    }
}

/// Whether only the connection that was about to be accepted failed, so that
/// the next may be tried at once.
fn concerns_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn complaints_come_once_a_second_and_count_what_was_kept_back() {
        let (mut complaint, now) = (Complaint::default(), Instant::now());
        assert_eq!(complaint.raise(now), Some(1));
        for n in 1..10 {
            assert_eq!(complaint.raise(now + Duration::from_millis(100 * n)), None);
        }
        assert_eq!(complaint.raise(now + Duration::from_secs(1)), Some(10));
    }
}
