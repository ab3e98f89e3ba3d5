//! The routing id that a relay gives out: which process has the tunnel.
//!
//! ```text
//!   24 bits:  format 2 (0) ‖ region 6 ‖ node 10 ‖ generation 6
//! ```
//!
//! A generation is one start of the program on one node. So a client that
//! comes back to a relay that was restarted is told that its tunnel is gone,
//! and one that comes in the middle of an upgrade is taken to the process that
//! has it.

use cablecar_protocol::ids::RoutingId;
use rand_core::{OsRng, RngCore};

use crate::error::Error;

/// Regions there can be.
pub const REGIONS: u8 = 1 << 6;

/// Nodes there can be in a region.
pub const NODES: u16 = 1 << 10;

/// Starts after which the numbers begin again. More old processes than this
/// would have to be draining on one node before two had the same.
pub const GENERATIONS: u8 = 1 << 6;

/// The parts of a routing id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// Below [`REGIONS`].
    pub region: u8,
    /// Below [`NODES`].
    pub node: u16,
    /// Below [`GENERATIONS`].
    pub generation: u8,
}

impl Parts {
    /// The parts of this id; `None` if it is of another format.
    pub fn of(id: RoutingId) -> Option<Self> {
        let [first, high, low] = *id.as_bytes();
        (first < REGIONS).then(|| Self {
            region: first,
            node: u16::from_be_bytes([high, low]) >> 6,
            generation: low % GENERATIONS,
        })
    }

    /// The routing id. Of parts that are too large, the lower bits count.
    pub fn id(self) -> RoutingId {
        let [high, low] = ((self.node % NODES) << 6).to_be_bytes();
        RoutingId::new([self.region % REGIONS, high, low | (self.generation % GENERATIONS)])
    }

    /// The generation of this id, if it is of the same node and another start.
    pub fn sibling(self, other: RoutingId) -> Option<u8> {
        let other = Self::of(other)?;
        let same_node = (other.region, other.node) == (self.region, self.node);
        (same_node && other.generation != self.generation).then_some(other.generation)
    }
}

/// Node and generation of a relay that keeps no count.
pub(crate) fn random() -> Result<(u16, u8), Error> {
    let mut random = [0; 3];
    OsRng.try_fill_bytes(&mut random).map_err(|error| Error::System(error.to_string()))?;
    let [high, low, generation] = random;
    Ok((u16::from_be_bytes([high, low]) % NODES, generation % GENERATIONS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_has_its_bits() {
        let id = |region, node, generation| *Parts { region, node, generation }.id().as_bytes();
        assert_eq!(id(0, 0, 0), [0, 0, 0]);
        assert_eq!(id(63, 0, 0), [0b0011_1111, 0, 0]);
        assert_eq!(id(0, 1023, 0), [0, 0xff, 0b1100_0000]);
        assert_eq!(id(0, 0, 63), [0, 0, 0b0011_1111]);
        assert_eq!(id(1, 0b10_0000_0001, 5), [1, 0x80, 0x45]);
        for region in 0..REGIONS {
            for node in (0..NODES).step_by(41) {
                for generation in 0..GENERATIONS {
                    let parts = Parts { region, node, generation };
                    assert_eq!(Parts::of(parts.id()), Some(parts));
                }
            }
        }
        assert_eq!(Parts::of(RoutingId::new([0x40, 0, 0])), None);
    }

    #[test]
    fn a_sibling_is_another_start_of_the_same_node() {
        let ours = Parts { region: 1, node: 2, generation: 3 };
        assert_eq!(ours.sibling(Parts { generation: 9, ..ours }.id()), Some(9));
        assert_eq!(ours.sibling(ours.id()), None);
        assert_eq!(ours.sibling(Parts { node: 3, generation: 9, ..ours }.id()), None);
        assert_eq!(ours.sibling(Parts { region: 2, generation: 9, ..ours }.id()), None);
        assert_eq!(ours.sibling(RoutingId::new([0xff; 3])), None);
    }
}
