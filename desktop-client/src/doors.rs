//! How other programs reach a phone through this one. Each door speaks a
//! language of theirs, and puts what it was asked to a [`Phone`].

pub mod browser_host;
pub mod ctap_pipe;
pub mod fido2_tools;
pub mod requests;
pub mod surface;
#[cfg(target_os = "linux")]
pub mod virtual_key;

use std::future::Future;

use cablecar_protocol::ctap::GetInfo;

use crate::error::Error;
use crate::screen::Screen;
use crate::transaction::Ask;

/// A phone that comes when it is asked for.
pub trait Phone: Send {
    /// Puts one request to the phone, and tells `screen` how far it is. One
    /// that stayed after the last request is asked at once; otherwise a code is
    /// shown. A refusal is an answer. If the future is dropped, the next
    /// [`Phone::part`] withdraws the request.
    ///
    /// # Errors
    /// All but those of the options and of the answer's content.
    fn ask(
        &mut self,
        ask: &Ask,
        screen: &mut dyn Screen,
    ) -> impl Future<Output = Result<Vec<u8>, Error>> + Send;

    /// What the phone of the last request says that it can do, while it stays.
    fn get_info(&self) -> Option<&GetInfo>;

    /// Lets the phone go, and with it a request that waits.
    fn part(&mut self) -> impl Future<Output = ()> + Send;
}
