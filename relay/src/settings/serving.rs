//! The top of the file: where, and as whom, a relay serves.

use std::path::PathBuf;

use cablecar_protocol::ids::RoutingId;

use super::table;
use crate::config::Address;
use crate::source::Network;

table! {
    /// Where, and as whom, a relay serves.
    Serving "" "Serving" {
        /// Where to listen: an address with a port, unix:PATH, or systemd for the sockets that it gives; may be repeated
        listen "ADDR": Vec<Address>;
        /// No TLS: a proxy in front does it
        plain "BOOL": bool;
        /// Tunnel service domain id under which clients reach this relay
        domain_id "N": Option<u16>;
        /// Routing id to give out, 6 hexadecimal digits; made from region, node and the start counter if absent
        routing_id "HEX": Option<RoutingId>;
        /// Region in the routing id, 0 to 63
        region "N": u8 = REGION;
        /// Node in the routing id, 0 to 1023; random if absent
        node "N": Option<u16>;
        /// Folder for the start counter and the handover socket; without it each start is at random
        state_dir "DIR": Option<PathBuf>;
        /// Host whose web pages may connect, beside the relay's own; may be repeated
        allow_origin "HOST": Vec<String>;
        /// Network without limits per source, such as 192.0.2.0/24; may be repeated
        exempt "NET": Vec<Network>;
    }
}
