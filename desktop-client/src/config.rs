//! What was meant with the radio, the network and a check of both.

use crate::cli;
use crate::doctor::Examination;
use crate::error::Error;
use crate::proximity::Ear;
use crate::proximity::air::Air;
use crate::screen::Caution;
use crate::tunnel::Network;
use crate::tunnel::proxy::Proxies;

impl Examination {
    /// Makes sense of what was typed.
    ///
    /// # Errors
    /// [`Error::Usage`], or [`Error::Io`] for a file that cannot be read.
    pub fn from_cli(typed: &cli::Doctor) -> Result<Self, Error> {
        // Only one relay answers to --danger-relay.
        let relays = if typed.network.danger_relay.is_some() { 1 } else { usize::MAX };
        Ok(Self {
            ear: ear(&typed.radio)?,
            network: network(&typed.network)?,
            domains: typed.domain_id.iter().copied().take(relays).collect(),
        })
    }
}

/// What weakens security if this is used.
pub fn cautions(radio: &cli::Radio, network: &cli::Network) -> Vec<Caution> {
    let air = radio.danger_air.map(|_| Caution::NoProximity);
    let relay = network.danger_relay.clone().map(Caution::OtherRelay);
    air.into_iter().chain(relay).collect()
}

pub(crate) fn ear(typed: &cli::Radio) -> Result<Ear, Error> {
    match typed.danger_air {
        None => Ok(Ear::Bluetooth(typed.adapter.clone())),
        Some(address) => Air::allowed(address).map(Ear::Air),
    }
}

pub(crate) fn network(typed: &cli::Network) -> Result<Network, Error> {
    let (rules, relay) = (typed.connect_to.clone(), typed.danger_relay.clone());
    Ok(Network::new(typed.ca_file.as_deref(), rules, relay)?.through(Proxies::of_environment()))
}
