//! `cablecar ctap`, as it was typed.

use super::{Pipe, stdio};
use crate::cli::ctap::Ctap;
use crate::doors::surface::Surfaces;
use crate::error::Error;
use crate::reach::Reach;

/// Serves programs until the input ends, or until somebody stops it.
///
/// # Errors
/// [`Error::Usage`], or [`Error::Io`] for a file that cannot be read or
/// written: better known now than when a code has to be shown. As
/// [`Pipe::serve`] and, at a socket, [`Error::SocketTaken`].
pub(crate) fn ctap(typed: &Ctap) -> Result<(), Error> {
    let surfaces = Surfaces::new(typed.showing.place(), typed.showing.json_events())?;
    let mut pipe = Pipe::new(Reach::from_cli(&typed.radio, &typed.network)?, surfaces);
    crate::wait_for(async {
        let served = tokio::select! {
            biased;
            stopped = crate::stopped() => stopped.map_err(crate::cannot_start),
            served = serve(&mut pipe, typed) => served,
        };
        pipe.part().await;
        served
    })
}

async fn serve(pipe: &mut Pipe<Reach, Surfaces>, typed: &Ctap) -> Result<(), Error> {
    let Some(path) = &typed.listen else {
        let (mut input, mut output) = stdio::open().map_err(|cause| Error::PipeBroke(cause.to_string()))?;
        return pipe.serve(&mut input, &mut output).await;
    };
    #[cfg(not(unix))]
    return Err(Error::Usage(format!("there are no unix sockets here ({}): give --stdio", path.display())));
    #[cfg(unix)]
    {
        let socket = super::socket::Socket::listen(path)?;
        if !typed.showing.json_events() {
            crate::tell(&format!("listening at {}", path.display()));
        }
        socket.serve(pipe).await
    }
}
