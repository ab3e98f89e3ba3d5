//! Looking for what would keep a scan from working, before anybody scans.
//!
//! The checks walk the way that a scan walks, with the same code, and end
//! where it would ask a person for something. Each is bounded in time
//! ([`defaults`](crate::defaults)): `radio` and `permission` by `RADIO`, those
//! of a relay by `CHECK`.

mod radio;
mod relay;
mod report;
mod vault;

use std::path::Path;
use std::time::SystemTime;

use cablecar_protocol::tunnel::TunnelServiceDomain;
use futures_util::future::join_all;
use rand_core::CryptoRngCore;
use serde::Serialize;

use crate::error::Error;
use crate::proximity::Medium;
use crate::tunnel::Network;
use crate::vault::Vault;

/// What is examined.
#[derive(Debug)]
pub struct Examination {
    /// By what to be heard.
    pub medium: Medium,
    /// How to get to the relays.
    pub network: Network,
    /// The relays.
    pub domains: Vec<TunnelServiceDomain>,
}

/// What one check is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// The adapter is there, on, and has a place for an advert.
    Radio,
    /// An advert goes on the air.
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
    /// There is a vault, and only its owner can read it.
    Vault,
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
    /// The adapter, the host or the file.
    pub target: String,
    /// What came of it.
    pub outcome: Outcome,
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
    vault: (&Vault, &Path),
    rng: &mut (dyn CryptoRngCore + Send),
    now: fn() -> SystemTime,
) -> Report {
    let Examination { medium, network, domains } = examination;
    let mut checks = radio::check(medium, rng).await;
    let dials: Vec<_> = domains.into_iter().map(|domain| relay::dial(domain, rng)).collect();
    let relays = join_all(dials.iter().map(|dial| relay::check(&network, dial, now))).await;
    checks.extend(relays.into_iter().flatten());
    checks.push(vault::check(vault.0, vault.1));
    Report(checks)
}
