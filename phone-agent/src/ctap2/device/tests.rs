//! What a platform sees of the local authenticator: each rule of the
//! specification, with its exact status byte.

mod blobs;
mod client_pin;
mod config;
mod extensions;
mod full;
mod garbage;
mod get_assertion;
mod get_info;
mod make_credential;
mod management;
mod platform;
mod requests;
mod reset;
mod tokens;
mod verification;
