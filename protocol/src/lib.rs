//! Work in progress.
pub mod cbor;
pub mod derive;
pub mod eid;
pub mod error;
pub mod ids;
pub mod qr;
pub mod secrets;
pub mod tunnel;
pub use error::Error;
