//! A way to a phone that is looked for when the first request needs it: the
//! extension asks for the status more often than pages ask for passkeys, and
//! what keeps a request from being served is to be told to it.

use cablecar_protocol::ctap::GetInfo;

use crate::cli;
use crate::doors::Phone;
use crate::error::Error;
use crate::reach::Reach;
use crate::screen::Screen;
use crate::transaction::Ask;

/// A [`Reach`] from the first request on.
#[derive(Debug)]
pub struct FirstUse<'a> {
    radio: &'a cli::Radio,
    network: &'a cli::Network,
    reach: Option<Reach>,
}

impl<'a> FirstUse<'a> {
    /// Will make sense of what was typed, or stands in the environment.
    pub fn new(radio: &'a cli::Radio, network: &'a cli::Network) -> Self {
        Self { radio, network, reach: None }
    }
}

impl Phone for FirstUse<'_> {
    async fn ask(&mut self, ask: &Ask, screen: &mut dyn Screen) -> Result<Vec<u8>, Error> {
        let reach = match &mut self.reach {
            Some(reach) => reach,
            none => none.insert(Reach::from_cli(self.radio, self.network)?),
        };
        reach.ask(ask, screen).await
    }

    fn get_info(&self) -> Option<&GetInfo> {
        self.reach.as_ref().and_then(Phone::get_info)
    }

    async fn part(&mut self) {
        if let Some(reach) = &mut self.reach {
            reach.part().await;
        }
    }
}
