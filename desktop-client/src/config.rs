//! What was meant.

use std::net::SocketAddr;

use crate::cli;
use crate::doctor::Examination;
use crate::error::Error;
use crate::proximity::air::Air;
use crate::screen::events::Events;
use crate::screen::terminal::Terminal;
use crate::screen::{Caution, Screen};
use crate::tunnel::Network;
use crate::tunnel::proxy::Proxies;
use crate::webauthn::Origin;

/// With what to hear a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ear {
    /// The Bluetooth adapter of this name, or any.
    Bluetooth(Option<String>),
    /// UDP on a loopback address, in place of a radio.
    Air(SocketAddr),
}

/// Everything that a request needs besides the options of the page.
#[derive(Debug)]
pub struct Config {
    /// Who asks.
    pub origin: Origin,
    /// How tunnels are joined.
    pub network: Network,
    /// With what to hear the phone.
    pub ear: Ear,
    /// Whether programs read the stages.
    pub json_events: bool,
    /// What weakens security in this run.
    pub cautions: Vec<Caution>,
}

impl Config {
    /// Makes sense of what was typed.
    ///
    /// # Errors
    /// [`Error::Usage`], or [`Error::Io`] for a file that cannot be read.
    pub fn from_cli(typed: &cli::Request) -> Result<Self, Error> {
        // A proxy of a kind that is not served is told before a code is shown.
        if typed.network.danger_relay.is_none() {
            Proxies::of_environment().check()?;
        }
        Ok(Self {
            origin: Origin::parse(&typed.origin)?,
            network: network(&typed.network)?,
            ear: ear(&typed.radio)?,
            json_events: typed.events == Some(cli::EventFormat::Json),
            cautions: cautions(&typed.radio, &typed.network),
        })
    }

    /// The surfaces that were asked for.
    ///
    /// # Errors
    /// [`Error::Io`] for a picture that cannot be written.
    pub fn screens(&self, typed: &cli::Request) -> Result<Vec<Box<dyn Screen>>, Error> {
        let terminal = Terminal::new(typed.qr.clone(), self.json_events)?;
        let mut screens: Vec<Box<dyn Screen>> = vec![Box::new(terminal)];
        if self.json_events {
            screens.push(Box::new(Events));
        }
        Ok(screens)
    }
}

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

fn ear(typed: &cli::Radio) -> Result<Ear, Error> {
    match typed.danger_air {
        None => Ok(Ear::Bluetooth(typed.adapter.clone())),
        Some(address) => Air::allowed(address).map(Ear::Air),
    }
}

fn network(typed: &cli::Network) -> Result<Network, Error> {
    let (rules, relay) = (typed.connect_to.clone(), typed.danger_relay.clone());
    Ok(Network::new(typed.ca_file.as_deref(), rules, relay)?.through(Proxies::of_environment()))
}
