//! `ssh` with a passkey that lives on a phone: a security-key provider of
//! OpenSSH (`sk-api.h`, version 0x000a0000: OpenSSH 9.1 and later).
//!
//! ```text
//! ssh, ssh-keygen, ssh-agent -> ssh-sk-helper -> this library -> a tunnel -> the phone
//! ```
//!
//! OpenSSH calls three functions: `enrol` makes a key, `sign` uses it,
//! `resident` finds one that is on the phone alone. Each is one request, or
//! two, to a [`Phone`](cablecar::doors::Phone); `call` brings the real one and
//! takes all back if the person stops it. `surface` finds where to show the
//! code: `ssh-sk-helper` has no standard output to speak of.
//!
//! [`ffi`] is what C sees, and the only file of this project with `unsafe` in
//! it: everything else here takes and gives plain values.
//!
//! Unix alone: elsewhere OpenSSH has providers of another kind.
//!
//! What a phone signs is what a security key signs, so servers need nothing:
//! SHA-256(application) ‖ flags ‖ counter ‖ SHA-256(data).

#![cfg(unix)]

mod answer;
mod call;
mod enrol;
pub mod ffi;
mod flags;
mod resident;
mod sign;
#[cfg(test)]
mod stand_in;
mod surface;
#[cfg(test)]
mod tests;
