//! A program that was built without the feature `acme`: there is no
//! authority, and whoever asks for one is told so.

use std::sync::Arc;

use rustls::ServerConfig;

use crate::config::Acme;
use crate::error::Error;
use crate::observer::Event;

/// There is none.
#[derive(Debug)]
pub(crate) enum Authority {}

impl Authority {
    /// # Errors
    /// Always.
    pub(crate) fn new(_: &Acme) -> Result<Self, Error> {
        Err(Error::Acme("this program was built without the feature acme".into()))
    }

    pub(crate) fn server(&self) -> Result<Arc<ServerConfig>, Error> {
        match *self {}
    }

    pub(crate) fn attend(self, _: impl Fn(Event)) -> std::future::Pending<()> {
        match self {}
    }
}
