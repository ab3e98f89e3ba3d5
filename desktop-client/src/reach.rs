//! This computer's way to a phone: what hears it, what joins its tunnel, and
//! the session with one that stays.

use std::time::{SystemTime, UNIX_EPOCH};

use cablecar_protocol::ctap::GetInfo;
use cablecar_protocol::secrets::scrub_stack;

use crate::cli;
use crate::config;
use crate::doors::Phone;
use crate::error::Error;
use crate::proximity::Ear;
use crate::proximity::air::Air;
use crate::proximity::btleplug::Adapter;
use crate::screen::{Caution, Notice, Screen};
use crate::transaction::{self, Ask, Session};
use crate::tunnel::proxy::Proxies;
use crate::tunnel::{Network, Socket};

/// A phone that comes when it is asked for.
#[derive(Debug)]
pub struct Reach {
    ear: Ear,
    network: Network,
    cautions: Vec<Caution>,
    session: Option<Session<Socket>>,
}

impl Reach {
    /// Makes sense of what was typed.
    ///
    /// # Errors
    /// [`Error::Usage`], or [`Error::Io`] for a file that cannot be read.
    pub fn from_cli(radio: &cli::Radio, network: &cli::Network) -> Result<Self, Error> {
        // A proxy of a kind that is not served is told before a code is shown.
        if network.danger_relay.is_none() {
            Proxies::of_environment().check()?;
        }
        Ok(Self {
            ear: config::ear(radio)?,
            network: config::network(network)?,
            cautions: config::cautions(radio, network),
            session: None,
        })
    }

    /// What weakens security here, because somebody asked for it.
    pub fn cautions(&self) -> &[Caution] {
        &self.cautions
    }

    /// With what a phone is heard here.
    pub fn ear(&self) -> &Ear {
        &self.ear
    }

    async fn meet(&mut self, ask: &Ask, screen: &mut dyn Screen) -> Result<Session<Socket>, Error> {
        self.cautions.iter().for_each(|caution| screen.notice(&Notice::Caution(caution)));
        let mut rng = rand_core::OsRng;
        let now = &seconds_since_1970;
        // It listens before there is a code, so that whoever cannot be heard
        // is not asked to scan one.
        match &self.ear {
            Ear::Air(address) => {
                let mut air = Air::bind(*address).await?;
                transaction::meet(ask, &mut air, &self.network, screen, now, &mut rng).await
            }
            Ear::Bluetooth(wanted) => {
                let adapter = Adapter::choose(wanted.as_deref()).await?;
                let mut radio = adapter.listen().await?;
                transaction::meet(ask, &mut radio, &self.network, screen, now, &mut rng).await
            }
        }
    }
}

impl Phone for Reach {
    async fn ask(&mut self, ask: &Ask, screen: &mut dyn Screen) -> Result<Vec<u8>, Error> {
        let open = match &mut self.session {
            Some(session) => session.is_open().await,
            None => false,
        };
        if !open {
            self.part().await;
            self.session = Some(self.meet(ask, screen).await?);
        }
        let Some(session) = &mut self.session else { return Err(Error::Interrupted) };
        let answer = session.ask(ask, screen).await;
        if answer.is_err() {
            self.part().await;
        }
        answer
    }

    fn get_info(&self) -> Option<&GetInfo> {
        self.session.as_ref().and_then(Session::get_info)
    }

    async fn part(&mut self) {
        if let Some(session) = self.session.take() {
            session.end().await;
            scrub_stack();
        }
    }
}

fn seconds_since_1970() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
