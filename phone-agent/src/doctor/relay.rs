//! Whether a relay is reached, and does what a scan needs of it.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use cablecar_protocol::ids::TunnelId;
use cablecar_protocol::tunnel::{Dial, Route, TunnelServiceDomain};
use http::{HeaderMap, header};
use rand_core::CryptoRngCore;
use tokio::time::{Instant, timeout};

use super::{Check, Outcome, Subject};
use crate::defaults;
use crate::error::Error;
use crate::transaction::Line;
use crate::tunnel::{Network, Way, upgrade};

/// A tunnel that nobody will come to.
pub(super) fn dial(domain: TunnelServiceDomain, rng: &mut (dyn CryptoRngCore + Send)) -> Dial {
    let mut id = [0; TunnelId::LENGTH];
    rng.fill_bytes(&mut id);
    Dial { domain, route: Route::New(TunnelId::new(id)) }
}

/// The five checks of a relay, in order.
pub(super) async fn check(network: &Network, dial: &Dial, now: fn() -> SystemTime) -> Vec<Check> {
    let mut seen = Seen { host: dial.domain.host(), checks: Vec::with_capacity(5) };
    if let Err(error) = walk(network, dial, now, &mut seen).await {
        seen.stopped(&error);
    }
    seen.checks
}

/// What was seen of one relay so far.
struct Seen {
    host: String,
    checks: Vec<Check>,
}

const ORDER: [Subject; 5] = [Subject::Name, Subject::Tcp, Subject::Tls, Subject::Tunnel, Subject::Clock];

impl Seen {
    /// The outcome of the next check in the order.
    fn next(&mut self, target: &str, outcome: Outcome) {
        if let Some(subject) = ORDER.get(self.checks.len()) {
            self.checks.push(Check { subject: *subject, target: target.into(), outcome });
        }
    }

    /// The next check found this, and those behind it have nothing to go on.
    fn stopped(&mut self, error: &Error) {
        let host = self.host.clone();
        let target = if let Error::RelayProxy { proxy, .. } = error { proxy.clone() } else { host.clone() };
        self.next(&target, error.into());
        while self.checks.len() < ORDER.len() {
            self.next(&host, Outcome::Skipped("the relay was not reached".into()));
        }
    }
}

async fn walk(network: &Network, dial: &Dial, now: fn() -> SystemTime, seen: &mut Seen) -> Result<(), Error> {
    let until = || Instant::now() + defaults::CHECK;
    let url = network.url(dial)?;
    let way = Way::to(&url, network)?;
    seen.host.clone_from(&way.host);
    let (host, proxy) = (way.host.clone(), way.proxy());
    let first = proxy.as_deref().unwrap_or(&host);

    let addresses = way.look_up(until()).await?;
    let named = named(&addresses);
    seen.next(first, Outcome::Ok(if proxy.is_some() { format!("the proxy is {named}") } else { named }));

    let tcp = way.connect(&addresses, until()).await?;
    let reached = match (&proxy, tcp.peer_addr()) {
        (Some(_), _) => format!("the proxy leads to {host}"),
        (None, Ok(address)) => format!("answers at {address}"),
        (None, Err(_)) => "answers".into(),
    };
    seen.next(first, Outcome::Ok(reached));

    let stream = way.secure(tcp, until()).await?;
    let secured = if way.has_tls() {
        Outcome::Ok("proved who it is".into())
    } else {
        Outcome::Skipped("ws:// has none".into())
    };
    seen.next(&host, secured);

    let headers = match upgrade(stream, &url, &host, network.token(dial), until()).await {
        Ok(((socket, _), headers)) => {
            let _ = timeout(defaults::CLOSE, socket.close()).await;
            seen.next(&host, Outcome::Ok("a tunnel was opened, and left again".into()));
            headers
        }
        Err((error, headers)) => {
            seen.next(&host, Outcome::from(&error));
            headers
        }
    };
    seen.next(&host, clock(&headers, now()));
    Ok(())
}

fn named(addresses: &[SocketAddr]) -> String {
    let mut names: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
    names.dedup();
    names.join(", ")
}

/// This clock against that in an answer's `Date`.
fn clock(headers: &HeaderMap, now: SystemTime) -> Outcome {
    let date = headers.get(header::DATE).and_then(|date| date.to_str().ok());
    let Some(theirs) = date.and_then(|date| httpdate::parse_http_date(date).ok()) else {
        return Outcome::Skipped("the relay did not say what time it is".into());
    };
    let (off, way) = match now.duration_since(theirs) {
        Ok(ahead) => (ahead, "ahead of"),
        Err(behind) => (behind.duration(), "behind"),
    };
    if off > defaults::CLOCK_OFF {
        Outcome::Finding {
            detail: format!("this clock is {} {way} the relay's", readable(off)),
            id: "system.clock",
            remedy: "set this system's clock, and let it be kept right: timedatectl set-ntp true",
        }
    } else {
        Outcome::Ok(format!("this clock is within {} of the relay's", readable(off.max(SECOND))))
    }
}

const SECOND: Duration = Duration::from_secs(1);

fn readable(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} minutes", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} hours", seconds / 3_600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(date: &'static str, now: u64) -> Outcome {
        let mut headers = HeaderMap::new();
        headers.insert(header::DATE, http::HeaderValue::from_static(date));
        clock(&headers, SystemTime::UNIX_EPOCH + Duration::from_secs(now))
    }

    #[test]
    fn a_clock_is_wrong_from_five_minutes_on_in_both_directions() {
        const DATE: &str = "Sun, 22 Nov 2026 02:40:00 GMT";
        const THEN: u64 = 1_795_315_200;
        let detail = |outcome| match outcome {
            Outcome::Ok(detail) => (detail, ""),
            Outcome::Finding { detail, id, .. } => (detail, id),
            Outcome::Skipped(why) => (why, "skipped"),
        };
        for (off, says, id) in [
            (0, "this clock is within 1 s of the relay's", ""),
            (300, "this clock is within 5 minutes of the relay's", ""),
            (-300, "this clock is within 5 minutes of the relay's", ""),
            (301, "this clock is 5 minutes ahead of the relay's", "system.clock"),
            (-301, "this clock is 5 minutes behind the relay's", "system.clock"),
            (86_400 * 3, "this clock is 3 days ahead of the relay's", "system.clock"),
        ] {
            assert_eq!(detail(told(DATE, THEN.saturating_add_signed(off))), (says.into(), id));
        }
        assert_eq!(detail(told("yesterday", THEN)).1, "skipped");
        assert_eq!(detail(clock(&HeaderMap::new(), SystemTime::UNIX_EPOCH)).1, "skipped");
    }
}
