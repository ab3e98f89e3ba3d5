//! What a platform sees of the local authenticator: each rule of the
//! specification, with its exact status byte.

mod extensions;
mod get_assertion;
mod get_info;
mod make_credential;
mod platform;
mod requests;
