//! `cablecar device`, as it was typed.

use std::future::Future;

use super::VirtualKey;
use super::uhid::{DEVICE, Uhid};
use super::wire::{Socket, Wire};
use crate::cli::device::Device;
use crate::doors::Phone;
use crate::doors::requests::Requests;
use crate::doors::surface::{Surface, Surfaces};
use crate::error::Error;
use crate::reach::Reach;

/// A security key for other programs, until somebody stops it.
///
/// # Errors
/// [`Error::Usage`], [`Error::Io`], [`Error::Uhid`]. Being stopped is no error:
/// it is how this ends.
pub(crate) fn device(typed: &Device) -> Result<(), Error> {
    let requests = Requests::new(Reach::from_cli(&typed.radio, &typed.network)?);
    let surface = Surfaces::new(typed.showing.place(), typed.showing.json_events())?;
    crate::wait_for(async {
        if typed.socket {
            serve(Socket::stdin()?, requests, surface).await
        } else {
            serve(Uhid::plug_in(DEVICE.as_ref()).await?, requests, surface).await
        }
    })
}

fn serve<P: Phone>(
    wire: impl Wire,
    requests: Requests<P>,
    surface: impl Surface,
) -> impl Future<Output = Result<(), Error>> {
    let stopped = async { crate::stopped().await.map_err(crate::cannot_start) };
    VirtualKey::new(wire, requests, surface).serve(stopped)
}
