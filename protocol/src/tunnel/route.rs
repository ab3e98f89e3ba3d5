use super::TunnelServiceDomain;
use crate::error::{Error, What};
use crate::ids::{ContactId, RoutingId, TunnelId};

/// What a websocket request asks of a tunnel service: one path, one question.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Route {
    /// `/cable/new/<tunnel id>`: an authenticator opens a tunnel.
    New(TunnelId),
    /// `/cable/connect/<routing id>/<tunnel id>`: the second party joins it.
    Connect(RoutingId, TunnelId),
    /// `/cable/contact/<contact id>`: a client asks for a linked authenticator.
    Contact(ContactId),
}

impl Route {
    /// Reads a request's path, hexadecimal in either case, nothing before or
    /// after.
    ///
    /// # Errors
    /// [`What::Path`] for any other path. A query does not belong to the path
    /// and must be cut off before.
    pub fn parse(path: &str) -> Result<Self, Error> {
        let bad = |_| Error::Malformed(What::Path);
        let rest = path.strip_prefix("/cable/").ok_or(Error::Malformed(What::Path))?;
        match rest.split_once('/') {
            Some(("new", tunnel)) => TunnelId::from_hex(tunnel).map(Route::New).map_err(bad),
            Some(("connect", ids)) => {
                let (routing, tunnel) = ids.split_once('/').ok_or(Error::Malformed(What::Path))?;
                let routing = RoutingId::from_hex(routing).map_err(bad)?;
                Ok(Route::Connect(routing, TunnelId::from_hex(tunnel).map_err(bad)?))
            }
            Some(("contact", contact)) => ContactId::from_base64url(contact).map(Route::Contact).map_err(bad),
            _ => Err(Error::Malformed(What::Path)),
        }
    }

    /// The path, hexadecimal in upper case as Chromium sends it.
    pub fn path(&self) -> String {
        match self {
            Route::New(tunnel) => format!("/cable/new/{}", tunnel.to_hex()),
            Route::Connect(routing, tunnel) => {
                format!("/cable/connect/{}/{}", routing.to_hex(), tunnel.to_hex())
            }
            Route::Contact(contact) => format!("/cable/contact/{}", contact.to_base64url()),
        }
    }
}

/// What to dial: a route at a tunnel service.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Dial {
    /// The tunnel service.
    pub domain: TunnelServiceDomain,
    /// What to ask it.
    pub route: Route,
}

impl Dial {
    /// `wss://` host path; port 443 is not spelled out.
    pub fn url(&self) -> String {
        format!("wss://{}{}", self.domain.host(), self.route.path())
    }

    /// The `Origin` that Chromium sends: the origin of the URL itself.
    pub fn origin(&self) -> String {
        format!("wss://{}", self.domain.host())
    }
}
