//! FIDO's hybrid transport, bytes in and bytes out.
//!
//! A passkey lives on one device and is needed on another. The one that needs
//! it, the *client platform*, shows a QR code. The one that holds it, the
//! *authenticator*, scans the code, opens a tunnel at a *tunnel service*, and
//! advertises over Bluetooth what only the holder of the code can open. Whoever
//! opens it was near enough to hear it, learns where the tunnel is, and now
//! shares a key with the authenticator that nobody else can have. Over the
//! tunnel they speak Noise, and inside that CTAP.
//!
//! ```text
//! client platform                 tunnel service                authenticator
//!   ExpectAdvert::invite ~~~~~~~~~ QR code ~~~~~~~~~~~> QrInvitation::parse
//!                                      <--- /cable/new --- ExpectRoutingId::accept
//!                                      --- routing id ---> ExpectRoutingId::routed
//!   ExpectAdvert::hear <~~~~~~~~~~ advert (20 bytes) ~~~~~ (advertises)
//!   Nearby::tunnel --- /cable/connect --->
//!   Nearby::greet ========== greeting (81) ==========> ExpectGreeting::read
//!   ExpectReply::read <======= reply (81) =============
//!   ExpectHello::read <======= hello (sealed) =========
//!   Channel <================ CTAP (sealed) ==========> Channel
//! ```
//!
//! There are two doors into this corridor. [`client_platform::qr_initiated`]
//! and [`authenticator::qr_initiated`] start from a QR code;
//! [`client_platform::state_assisted`] and [`authenticator::state_assisted`]
//! from a link that an earlier session left behind. From the greeting on they
//! are the same.
//!
//! Nothing here opens a socket, reads a clock or asks the system for
//! randomness: time and randomness are arguments, so that a whole transaction
//! fits into a doc test.
//!
//! # A whole transaction
//!
//! ```
//! use cablecar_protocol::channel::{AuthenticatorEvent, ClientEvent, Request};
//! use cablecar_protocol::client_platform::{Heard, qr_initiated::ExpectAdvert};
//! use cablecar_protocol::authenticator::qr_initiated::ExpectRoutingId;
//! use cablecar_protocol::ctap::GetInfo;
//! use cablecar_protocol::eid::ServiceData;
//! use cablecar_protocol::ids::RoutingId;
//! use cablecar_protocol::message::Hello;
//! use cablecar_protocol::qr::{Hint, QrInvitation};
//! use cablecar_protocol::tunnel::TunnelServiceDomain;
//!
//! let rng = &mut rand_core::OsRng;
//!
//! // The computer shows a code, the phone scans it and opens a tunnel.
//! let (computer, shown) = ExpectAdvert::invite(Hint::GetAssertion, 1_795_000_000, rng)?;
//! let scanned = QrInvitation::parse(&shown.to_text())?;
//! let phone = ExpectRoutingId::accept(scanned, TunnelServiceDomain::new(266)?);
//! assert!(phone.tunnel().url().starts_with("wss://cable.wufkweyy3uaxb.com/cable/new/"));
//!
//! // The tunnel service answers with a routing id; the phone advertises it.
//! let (phone, advert) = phone.routed(RoutingId::new([0xA1, 0xB2, 0xC3]), rng)?;
//!
//! // The computer hears the advert. Only this gives it `Nearby`.
//! let on_the_air = ServiceData::new(advert.as_bytes()).ok_or("too short")?;
//! let Heard::Ours(nearby) = computer.hear(&on_the_air) else { panic!("not ours") };
//! assert!(nearby.tunnel().url().contains("/cable/connect/A1B2C3/"));
//!
//! // Noise: greeting, reply; then the phone's first sealed message.
//! let (computer, greeting) = nearby.greet(rng)?;
//! let hello = Hello::new(GetInfo {
//!     versions: vec!["FIDO_2_0".into()],
//!     extensions: vec![],
//!     aaguid: [0; 16],
//!     options: vec![("rk".into(), true), ("uv".into(), true)],
//!     transports: vec!["hybrid".into()],
//! });
//! let (mut phone, [reply, sealed_hello]) = phone.read(&greeting, &hello, rng)?;
//! let (mut computer, told) = computer.read(&reply)?.read(&sealed_hello)?;
//! assert_eq!(told, hello);
//!
//! // CTAP: one request, one answer.
//! let request = computer.send(Request::Ctap(&[0x02, 0xA0]))?;
//! let AuthenticatorEvent::Ctap(asked) = phone.receive(&request)? else { panic!("not CTAP") };
//! assert_eq!(asked, [0x02, 0xA0]);
//! let answer = phone.send(&[0x2E])?;
//! let ClientEvent::Ctap(answered) = computer.receive(&answer)? else { panic!("not CTAP") };
//! assert_eq!(answered, [0x2E]); // no credentials
//!
//! // The computer ends it.
//! let last = computer.shutdown()?;
//! assert_eq!(phone.receive(&last)?, AuthenticatorEvent::Shutdown);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod authenticator;
pub mod cbor;
pub mod channel;
pub mod client_platform;
pub mod ctap;
#[cfg(feature = "danger")]
pub mod danger;
pub mod derive;
pub mod eid;
pub mod error;
pub mod handshake;
pub mod ids;
pub mod linking;
pub mod message;
mod noise;
pub mod pipe;
pub mod qr;
mod record;
pub mod secrets;
pub mod stream;
pub mod tunnel;

pub use error::Error;
