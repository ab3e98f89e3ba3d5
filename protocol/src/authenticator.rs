//! The phone's side: it scans a code or is woken, opens a tunnel or joins
//! one, advertises, and waits to be greeted.
//!
//! | state | input | gives |
//! |---|---|---|
//! | [`qr_initiated::ExpectRoutingId`] | the tunnel service's header | [`ExpectGreeting`](crate::handshake::ExpectGreeting) and an advert |
//! | [`state_assisted::wake`] | what the tunnel service passed on | the same, and what to dial |

pub mod qr_initiated;
pub mod state_assisted;
