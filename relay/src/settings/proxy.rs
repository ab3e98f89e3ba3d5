//! `[proxy]`: who may say on whose behalf a connection comes.

use super::table;
use crate::config::{self, ProxyProtocol};
use crate::source::Network;

table! {
    /// Who may say on whose behalf a connection comes.
    Proxy "proxy" "Behind a proxy" {
        /// Network of the proxies in front, such as 10.0.0.0/8; may be repeated
        trusted "NET": Vec<Network>;
        /// How they name the client: forwarded-for (the header X-Forwarded-For) or proxy-v1v2
        protocol "WORD": ProxyProtocol;
    }
}

impl Proxy {
    pub(super) fn proxy(self) -> config::Proxy {
        config::Proxy { trusted: self.trusted, protocol: self.protocol }
    }
}
