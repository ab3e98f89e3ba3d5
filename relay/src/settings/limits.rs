//! `[limits]`: what everybody may use.

use super::table;
use super::value::{Size, Time};
use crate::config;
use crate::meter::SourceLimits;
use crate::source::Network;

table! {
    /// What everybody may use.
    Limits "limits" "Limits (sizes in bytes, KiB, MiB or GiB; times in seconds or ms)" {
        /// Bytes of one message
        max_message "SIZE": Size = MAX_MESSAGE;
        /// Messages per side
        max_messages "N": u32 = MAX_MESSAGES;
        /// Bytes per side in all
        max_bytes "SIZE": Size = MAX_BYTES;
        /// Bytes held per direction beside one message; then the sender is not read
        held "SIZE": Size = HELD;
        /// Waiting for the second party
        waiting "TIME": Time = WAITING;
        /// Life after pairing
        life "TIME": Time = LIFE;
        /// How long a side may take nothing of what it is sent
        stall "TIME": Time = STALL;
        /// TCP, TLS and the request's head together
        opening "TIME": Time = OPENING;
        /// Bytes of the request's head
        max_head "SIZE": Size = MAX_HEAD;
        /// Pause between pings
        ping "TIME": Time = PING;
        /// Unanswered pings in a row that close
        missed_pings "N": u32 = MISSED_PINGS;
        /// Waiting tunnels per source (an IPv4 address or an IPv6 /64)
        per_source_waiting "N": u32 = PER_SOURCE_WAITING;
        /// Connections per source
        per_source_total "N": u32 = PER_SOURCE_TOTAL;
        /// New connections a second per source
        per_source_rate "N": u32 = PER_SOURCE_RATE;
        /// New connections at once per source, before the rate binds
        per_source_burst "N": u32 = PER_SOURCE_BURST;
        /// Connections in all; 9/10 of the descriptor limit if absent
        max_connections "N": Option<u64>;
        /// TLS handshakes at once
        max_handshakes "N": Option<u32>;
        /// Memory beyond which no new tunnels are opened
        max_memory "SIZE": Option<Size>;
        /// What a drain may take; as long as the last tunnel may live if absent
        drain "TIME": Option<Time>;
    }
}

impl Limits {
    pub(super) fn limits(self, exempt: Vec<Network>) -> config::Limits {
        config::Limits {
            message: self.max_message.usize(),
            held: self.held.usize(),
            waiting: self.waiting.0,
            life: self.life.0,
            messages: self.max_messages,
            bytes: self.max_bytes.0,
            stall: self.stall.0,
            opening: self.opening.0,
            head: self.max_head.usize(),
            ping: self.ping.0,
            missed_pings: self.missed_pings,
            per_source: SourceLimits {
                waiting: self.per_source_waiting,
                total: self.per_source_total,
                rate: self.per_source_rate,
                burst: self.per_source_burst,
            },
            exempt,
            connections: self.max_connections,
            handshakes: self.max_handshakes,
            memory: self.max_memory.map(|size| size.0),
            drain: self.drain.map(|time| time.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_of_the_table_are_those_of_the_library() {
        assert_eq!(Limits::default().limits(Vec::new()), config::Limits::default());
    }
}
