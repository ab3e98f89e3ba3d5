//! Arguments of `device`.

use clap::Args;

use super::{Network, Radio, Showing};

/// Arguments of `device`.
#[derive(Debug, Args)]
pub struct Device {
    /// How to follow a request.
    #[command(flatten)]
    pub showing: Showing,

    /// Take CTAPHID's reports from the socket of packets that is standard
    /// input, in place of /dev/uhid: for tests
    #[arg(long, hide = true)]
    pub socket: bool,

    /// How to hear a phone.
    #[command(flatten)]
    pub radio: Radio,

    /// How to get to its relay.
    #[command(flatten)]
    pub network: Network,
}
