//! The phone side of FIDO's hybrid transport: an authenticator with an
//! encrypted vault, a word from a person before every use, and nothing
//! remembered in the clear.
//!
//! ```text
//!   scan ──> transaction ──> ctap2 ──> consent
//!              │   │           │
//!     proximity┘   └tunnel     └─> vault
//!                  pipe ──> ctap2 …
//! ```
//!
//! [`transaction`] waits and does not think: it opens the tunnel, advertises,
//! and carries requests to the engine. [`ctap2`] thinks and does not wait: a
//! request becomes a question, and only the answer to that question becomes a
//! deed. [`consent`] faces the person, [`vault`] keeps the passkeys. The
//! vault's passphrase is the user verification, asked for again for each
//! request; no key is in memory between two of them.
//!
//! The edges are traits of the module that needs them: [`transaction::Dialer`]
//! and [`transaction::Line`], [`proximity::Advertiser`], [`consent::Consent`],
//! [`passphrase::Passphrases`], [`screen::Screen`], [`vault::Medium`],
//! [`verification::Verifier`]. A test
//! puts memory and scripts behind all of them.

pub mod calendar;
pub mod cli;
pub mod config;
pub mod consent;
pub mod ctap2;
pub mod defaults;
#[cfg(all(any(feature = "notification", feature = "fprintd"), target_os = "linux"))]
mod desktop_bus;
pub mod doctor;
pub mod error;
pub mod exchange;
pub mod hardening;
pub mod passphrase;
pub mod pipe;
pub mod program;
pub mod proximity;
pub mod scan;
pub mod screen;
pub mod transaction;
pub mod tunnel;
pub mod vault;
pub mod verification;
