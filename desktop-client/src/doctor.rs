//! Looking for what would keep a request from working, before anybody asks
//! for a passkey.
//!
//! The checks walk the way that a request walks, with the same code, and end
//! where it would need a phone. Each is bounded in time
//! ([`defaults`](crate::defaults)): `radio` and `permission` by `RADIO`, those
//! of a relay by `CHECK`.

mod browsers;
mod radio;
mod relay;
mod report;
mod ssh;

use std::time::SystemTime;

use cablecar_protocol::tunnel::TunnelServiceDomain;
use futures_util::future::join_all;
use rand_core::CryptoRngCore;
use serde::Serialize;

use crate::error::Error;
use crate::proximity::Ear;
use crate::tunnel::Network;

/// What is examined.
#[derive(Debug)]
pub struct Examination {
    /// With what to hear.
    pub ear: Ear,
    /// How to get to the relays.
    pub network: Network,
    /// The relays.
    pub domains: Vec<TunnelServiceDomain>,
}

/// What one check is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// The adapter is there and on.
    Radio,
    /// It listens for us.
    Permission,
    /// The relay's name, or the proxy's, has an address.
    Name,
    /// The relay is reached, if need be through a proxy.
    Tcp,
    /// The relay proves who it is.
    Tls,
    /// The relay opens a tunnel and says where.
    Tunnel,
    /// The relay's clock and this one agree.
    Clock,
    /// A browser that was told of this program still finds it.
    Browser,
    /// OpenSSH and the provider for it fit; only where there is one.
    Ssh,
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All is well, and this is what was seen.
    Ok(String),
    /// Something is wrong.
    Finding {
        /// What.
        detail: String,
        /// Its stable id.
        id: &'static str,
        /// What to try.
        remedy: &'static str,
    },
    /// It could not be checked, or need not be; why.
    Skipped(String),
}

impl Outcome {
    fn finding(self) -> Option<Finding> {
        match self {
            Outcome::Finding { detail, id, remedy } => Some(Finding { id, message: detail, remedy }),
            Outcome::Ok(_) | Outcome::Skipped(_) => None,
        }
    }
}

impl From<&Error> for Outcome {
    fn from(error: &Error) -> Self {
        let (_, id, remedy) = error.advice();
        Outcome::Finding { detail: error.to_string(), id, remedy }
    }
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What it is about.
    pub subject: Subject,
    /// The adapter or the host.
    pub target: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its stable id.
    pub id: &'static str,
    /// What.
    pub message: String,
    /// What to try.
    pub remedy: &'static str,
}

/// What is wrong with the radio: the part of an examination that takes
/// milliseconds and asks nobody outside.
pub async fn radio_findings(ear: &Ear) -> Vec<Finding> {
    radio::check(ear).await.into_iter().filter_map(|check| check.outcome.finding()).collect()
}

/// All checks, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report(Vec<Check>);

impl Report {
    /// How many checks found something.
    pub fn findings(&self) -> usize {
        self.0.iter().filter(|check| matches!(check.outcome, Outcome::Finding { .. })).count()
    }
}

/// Makes all checks. `now` is asked when a relay has said what time it is.
pub async fn examine(
    examination: Examination,
    rng: &mut (dyn CryptoRngCore + Send),
    now: fn() -> SystemTime,
) -> Report {
    let Examination { ear, network, domains } = examination;
    let dials: Vec<_> = domains.into_iter().map(|domain| relay::dial(domain, rng)).collect();
    let mut checks = radio::check(&ear).await;
    let relays = join_all(dials.iter().map(|dial| relay::check(&network, dial, now))).await;
    checks.extend(relays.into_iter().flatten());
    checks.extend(browsers::check());
    checks.extend(ssh::check());
    Report(checks)
}
