//! What a platform sees of the local authenticator: each rule of the
//! specification, with its exact status byte.

mod blobs;
mod client_pin;
mod config;
mod garbage;
mod management;
mod platform;
mod reset;
mod tokens;
