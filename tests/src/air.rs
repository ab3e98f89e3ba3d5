//! An air in memory: what one says, everybody in it hears.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cablecar::proximity::Scanner;
use cablecar_phone::proximity::Advertiser;
use cablecar_protocol::eid::{Advert, ServiceData};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

/// How often a phone repeats its advert, as over the loopback air.
const INTERVAL: Duration = Duration::from_millis(250);

/// A place in which adverts are heard. Clones are the same place; two airs
/// are two places far from each other.
#[derive(Debug, Clone, Default)]
pub struct Air(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    ears: Vec<UnboundedSender<ServiceData>>,
    said: Vec<ServiceData>,
}

impl Air {
    /// Says something to everybody who listens now.
    pub fn say(&self, data: ServiceData) {
        let mut inner = self.0.lock().unwrap();
        inner.ears.retain(|ear| ear.send(data.clone()).is_ok());
        inner.said.push(data);
    }

    /// All that was ever said here: what a recorder would have.
    pub fn recorded(&self) -> Vec<ServiceData> {
        self.0.lock().unwrap().said.clone()
    }

    /// A computer's ear.
    pub fn ear(&self) -> Ear {
        let (ear, heard) = unbounded_channel();
        self.0.lock().unwrap().ears.push(ear);
        Ear { heard }
    }

    /// A phone's voice.
    pub fn voice(&self) -> Voice {
        Voice(self.clone())
    }
}

/// Hears what is said in one place.
#[derive(Debug)]
pub struct Ear {
    heard: UnboundedReceiver<ServiceData>,
}

impl Scanner for Ear {
    async fn heard(&mut self) -> Result<ServiceData, cablecar::error::Error> {
        match self.heard.recv().await {
            Some(data) => Ok(data),
            None => std::future::pending().await,
        }
    }
}

/// Advertises in one place.
#[derive(Debug)]
pub struct Voice(Air);

/// Repeats an advert until it is dropped.
#[derive(Debug)]
pub struct Beacon(JoinHandle<()>);

impl Drop for Beacon {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Advertiser for Voice {
    type Beacon = Beacon;

    async fn advertise(&mut self, advert: Advert) -> Result<Beacon, cablecar_phone::error::Error> {
        let air = self.0.clone();
        Ok(Beacon(tokio::spawn(async move {
            loop {
                air.say(ServiceData::from(advert));
                tokio::time::sleep(INTERVAL).await;
            }
        })))
    }
}
