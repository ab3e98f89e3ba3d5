//! `[access]`: who may open a tunnel. Joining one needs only its id.

use std::path::PathBuf;

use super::table;
use crate::config::{self, MayOpen};
use crate::source::Network;

table! {
    /// Who may open a tunnel.
    Access "access" "Access" {
        /// Who may open a tunnel: anyone, networks, token or callout
        open "WORD": MayOpen;
        /// Network whose devices may open tunnels; may be repeated
        networks "NET": Vec<Network>;
        /// File with the bearer tokens that may open tunnels, one a line
        token_file "FILE": Option<PathBuf>;
        /// HTTP address that is asked whether somebody may open a tunnel
        callout_url "URL": Option<String>;
        /// Network that may do nothing; may be repeated
        blocked "NET": Vec<Network>;
        /// File with more such networks, one a line
        block_file "FILE": Option<PathBuf>;
    }
}

impl Access {
    pub(super) fn access(self) -> config::Access {
        config::Access {
            open: self.open,
            networks: self.networks,
            token_file: self.token_file,
            callout_url: self.callout_url,
            blocked: self.blocked,
            block_file: self.block_file,
        }
    }
}
