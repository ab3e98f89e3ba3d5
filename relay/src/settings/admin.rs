//! `[admin]`: the operator's own door.

use super::table;
use crate::config::{self, Address};

table! {
    /// The operator's own door.
    Admin "admin" "Administration" {
        /// Loopback address or unix:PATH for health, metrics and commands; none if absent
        listen "ADDR": Option<Address>;
    }
}

impl Admin {
    pub(super) fn admin(self) -> config::Admin {
        config::Admin { listen: self.listen }
    }
}
