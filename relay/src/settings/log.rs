//! `[log]`: what is written about all this.

use super::table;
use crate::config::{self, LogAddresses, LogFormat, LogLevel};

table! {
    /// What is written about all this.
    Log "log" "Logs" {
        /// How lines are written: text or json
        format "WORD": LogFormat;
        /// How much is written: error, warn, info, debug or trace
        level "WORD": LogLevel;
        /// Whether clients' addresses are written: off, or truncated to their network
        addresses "WORD": LogAddresses;
    }
}

impl Log {
    pub(super) fn log(self) -> config::Log {
        config::Log { format: self.format, level: self.level, addresses: self.addresses }
    }
}
