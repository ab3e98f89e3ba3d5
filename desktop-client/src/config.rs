//! What was meant.

use std::net::SocketAddr;

use crate::cli::{Common, EventFormat};
use crate::error::Error;
use crate::screen::Screen;
use crate::screen::events::Events;
use crate::screen::terminal::Terminal;
use crate::tunnel::Network;
use crate::webauthn::Origin;

/// Everything that a request needs besides the options of the page.
#[derive(Debug)]
pub struct Config {
    /// Who asks.
    pub origin: Origin,
    /// How tunnels are joined.
    pub network: Network,
    /// Where phones are heard in place of the radio.
    pub air: Option<SocketAddr>,
    /// Whether programs read the stages.
    pub json_events: bool,
    /// What weakens security in this run, a sentence each.
    pub warnings: Vec<String>,
}

impl Config {
    /// Makes sense of what was typed.
    ///
    /// # Errors
    /// [`Error::Usage`], or [`Error::Io`] for a file that cannot be read.
    pub fn from_cli(typed: &Common) -> Result<Self, Error> {
        let mut warnings = Vec::new();
        if typed.danger_air.is_some() {
            warnings.push("--danger-air: no proximity, any program on this machine can answer".into());
        }
        if let Some(relay) = &typed.danger_relay {
            let plain = if relay.scheme() == "ws" { ", without TLS" } else { "" };
            warnings.push(format!("--danger-relay: {relay} is used whatever the phone names{plain}"));
        }
        Ok(Self {
            origin: Origin::parse(&typed.origin)?,
            network: Network::new(
                typed.ca_file.as_deref(),
                typed.connect_to.clone(),
                typed.danger_relay.clone(),
            )?,
            air: typed.danger_air,
            json_events: typed.events == Some(EventFormat::Json),
            warnings,
        })
    }

    /// The surfaces that were asked for.
    pub fn screens(&self, typed: &Common) -> Vec<Box<dyn Screen>> {
        let mut screens: Vec<Box<dyn Screen>> =
            vec![Box::new(Terminal::new(typed.qr.clone(), self.json_events))];
        if self.json_events {
            screens.push(Box::new(Events));
        }
        screens
    }
}
