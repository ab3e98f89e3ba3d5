//! What was meant.

use std::net::SocketAddr;

use crate::cli::{Common, EventFormat};
use crate::error::Error;
use crate::screen::events::Events;
use crate::screen::terminal::Terminal;
use crate::screen::{Caution, Screen};
use crate::tunnel::Network;
use crate::webauthn::Origin;

/// Everything that a request needs besides the options of the page.
#[derive(Debug)]
pub struct Config {
    /// Who asks.
    pub origin: Origin,
    /// How tunnels are joined.
    pub network: Network,
    /// The adapter that listens, if one was named.
    pub adapter: Option<String>,
    /// Where phones are heard in place of the radio.
    pub air: Option<SocketAddr>,
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
    pub fn from_cli(typed: &Common) -> Result<Self, Error> {
        let air = typed.danger_air.map(|_| Caution::NoProximity);
        let relay = typed.danger_relay.clone().map(Caution::OtherRelay);
        Ok(Self {
            origin: Origin::parse(&typed.origin)?,
            network: Network::new(
                typed.ca_file.as_deref(),
                typed.connect_to.clone(),
                typed.danger_relay.clone(),
            )?,
            adapter: typed.adapter.clone(),
            air: typed.danger_air,
            json_events: typed.events == Some(EventFormat::Json),
            cautions: air.into_iter().chain(relay).collect(),
        })
    }

    /// The surfaces that were asked for.
    ///
    /// # Errors
    /// [`Error::Io`] for a picture that cannot be written.
    pub fn screens(&self, typed: &Common) -> Result<Vec<Box<dyn Screen>>, Error> {
        let terminal = Terminal::new(typed.qr.clone(), self.json_events)?;
        let mut screens: Vec<Box<dyn Screen>> = vec![Box::new(terminal)];
        if self.json_events {
            screens.push(Box::new(Events));
        }
        Ok(screens)
    }
}
