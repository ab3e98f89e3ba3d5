//! Which of all relays this process is.

use cablecar_protocol::ids::RoutingId;

use crate::config::Config;
#[cfg(unix)]
use crate::desk::Siblings;
use crate::error::Error;
use crate::routing::{self, Parts};
#[cfg(unix)]
use crate::state::{Door, StateDir};
#[cfg(unix)]
use crate::upgrade::NotUpgraded;

/// Which of all relays this process is.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) routing_id: RoutingId,
    /// Where other processes of this node find it, if it keeps a count.
    #[cfg(unix)]
    pub(crate) place: Result<Place, NotUpgraded>,
}

/// Where other processes of this node find this one, and it finds them.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) socket: tokio::net::UnixListener,
    pub(crate) siblings: Siblings,
    pub(crate) door: Door,
}

impl Identity {
    /// The configured routing id; else one of this start, or a random one
    /// where starts are not counted.
    pub(crate) fn of(config: &Config) -> Result<Self, Error> {
        if let Some(routing_id) = config.routing_id {
            return Ok(Self {
                routing_id,
                #[cfg(unix)]
                place: Err(NotUpgraded::FixedRoutingId),
            });
        }
        #[cfg(unix)]
        if let Some(path) = &config.state_dir {
            let state = StateDir::new(path);
            let start = state.start(config.node)?;
            let own = Parts { region: config.region, node: start.node, generation: start.generation };
            let socket = tokio::net::UnixListener::from_std(start.socket).map_err(Error::system)?;
            let place = Ok(Place { socket, siblings: Siblings { own, state }, door: start.door });
            return Ok(Self { routing_id: own.id(), place });
        }
        let (drawn, generation) = routing::random()?;
        let parts = Parts { region: config.region, node: config.node.unwrap_or(drawn), generation };
        Ok(Self {
            routing_id: parts.id(),
            #[cfg(unix)]
            place: Err(NotUpgraded::NoStateDir),
        })
    }
}
