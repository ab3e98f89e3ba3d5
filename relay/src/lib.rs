//! A tunnel service for FIDO's hybrid transport (CTAP 2.2 and 2.3, once
//! called caBLE v2).
//!
//! Two devices that cannot reach each other both dial here. The first opens a
//! tunnel under an id that only the two of them know, the second joins it,
//! and from then on the relay carries binary messages, in order, once,
//! without being able to read them. It knows neither keys nor accounts, and
//! keeps nothing.
//!
//! ```text
//!  first party            relay             second party
//!      | GET /cable/new/ID  |                     |
//!      |------------------->| registered,         |
//!      |<--- 101 + routing -| then answered       |
//!      |                    |<- GET /cable/connect/ROUTING/ID
//!      |                    |-------- 101 ------->|
//!      |<========= binary messages, both ways ===>|
//!      | close              |                     |
//!      |------------------->| forgotten, then     |
//!      |<---- answered -----|------- close ------>|
//! ```
//!
//! Where to look: [`switchboard`] decides who meets whom and [`meter`] who
//! asks too much, both without sockets and clocks; `reception` takes a
//! connection from TCP to its decision, `tunnel` carries the messages of one
//! pair, `line` is one party's websocket. [`server`] binds, accepts and ends.
//! Every number is in [`defaults`].
//!
//! Embedding it takes four lines:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), cablecar_relay::Error> {
//! use cablecar_relay::{Config, Relay, Security, Silent};
//!
//! let relay = Relay::bind(Config::new(([127, 0, 0, 1], 0).into(), Security::Plain))?;
//! println!("listening on {}", relay.local_addr());
//! relay.run(std::future::ready(()), Silent).await; // stops at once
//! # Ok(()) }
//! ```

mod access;
#[cfg_attr(not(feature = "acme"), path = "acme/absent.rs")]
mod acme;
mod address;
mod admin;
#[cfg(feature = "bench")]
mod bench;
mod caller;
mod certificate;
pub mod cli;
pub mod config;
pub mod control;
pub mod defaults;
mod desk;
mod door;
pub mod drain;
pub mod error;
mod exposition;
mod handshakes;
mod identity;
mod journal;
mod line;
mod listeners;
pub mod meter;
pub mod metrics;
mod narrator;
pub mod observer;
#[cfg(unix)]
mod passing;
mod pressure;
mod probe;
mod process;
mod proxied;
mod pulse;
mod reception;
pub mod refusal;
pub mod reload;
mod reserve;
mod roll_call;
pub mod routing;
pub mod server;
#[cfg(unix)]
mod service;
mod settings;
#[cfg(unix)]
mod signals;
mod socket;
pub mod source;
#[cfg(unix)]
mod state;
pub mod switchboard;
pub mod tls;
mod tunnel;
#[cfg_attr(not(unix), path = "upgrade/absent.rs")]
pub mod upgrade;
mod warning;
mod wire;

pub use access::ListFile;
pub use address::Address;
pub use config::{Config, Limits, Security};
pub use control::Control;
pub use drain::Drain;
pub use error::Error;
pub use observer::{Ending, Event, Fault, Observer, Serial, Side, Silent};
pub use refusal::Why;
pub use reload::Reloader;
pub use roll_call::RollCall;
pub use server::Relay;
pub use upgrade::{Inheritance, NotUpgraded, Upgrade};
