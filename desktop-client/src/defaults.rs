//! Every number, with its reason.

use std::time::Duration;

/// A code is renewed after this long on screen: phones may refuse old codes,
/// and a photograph of one should not stay good.
pub const CODE_LIFE: Duration = Duration::from_secs(5 * 60);

/// How long a request lasts if the page does not say: WebAuthn's recommended
/// upper bound for ceremonies with user verification.
pub const REQUEST_LIFE: Duration = Duration::from_secs(10 * 60);

/// A page's own time above this is a mistake: a day.
pub const LONGEST_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// Name look-up, TCP, TLS and the websocket's handshake together: slow mobile
/// networks need several seconds, people give up after about this long.
pub const DIAL: Duration = Duration::from_secs(15);

/// One of the doctor's checks of a relay. Shorter than [`DIAL`], for it is one
/// step of it; all relays are tried at once.
pub const CHECK: Duration = Duration::from_secs(8);

/// A clock that is further from a relay's is found to be wrong. Certificates
/// forgive days and codes ten minutes; a clock of our time is off by less.
pub const CLOCK_OFF: Duration = Duration::from_secs(5 * 60);

/// The phone computes its reply in milliseconds; the rest is the network.
pub const REPLY: Duration = Duration::from_secs(30);

/// The hello follows the reply at once.
pub const HELLO: Duration = Duration::from_secs(15);

/// From the request to its answer a person reads, decides and unlocks.
pub const ANSWER: Duration = Duration::from_secs(3 * 60);

/// A message is sent in less, or nobody takes it.
pub const SEND: Duration = Duration::from_secs(30);

/// Nobody waits longer for a goodbye.
pub const CLOSE: Duration = Duration::from_secs(2);

/// Adverts are tried one by one this long after the other, 192 a second, after
/// the first [`TRIALS_AT_ONCE`]: together at most 200 in any second. That is
/// more than a street full of phones needs, and next to no work.
pub const TRIAL_GAP: Duration = Duration::from_micros(5_209);

/// Adverts that are tried without a gap after a silence: what was heard first
/// is tried at once, also if two or three phones speak.
pub const TRIALS_AT_ONCE: u32 = 8;

/// Adverts that wait for their trial: three seconds of all that a radio can
/// hear, so that a phone that repeats itself only once a second is heard twice
/// before it is forgotten. With those that were tried, eight megabytes at worst.
pub const MOST_WAITING: usize = 8_192;

/// Adverts remembered as tried: minutes at the full rate.
pub const MOST_TRIED: usize = 32_768;

/// Bytes of service data: one structure of an advertisement has 255, of which
/// three are its length, its kind and the UUID's half; longer is a mistake.
pub const LONGEST_SERVICE_DATA: usize = 252;

/// Finding the adapter and starting to listen. BlueZ needs milliseconds; with
/// a radio that is slow to start, a second or two.
pub const RADIO: Duration = Duration::from_secs(10);

/// Redirects that a client follows, as the most generous one in the field does.
pub const REDIRECTS: usize = 5;

/// Options of a page are some kilobytes, also with a long allow list (our own
/// phone takes 64 entries); a megabyte is a mistake or an attack.
pub const MAX_OPTIONS: u64 = 1 << 20;

/// Light modules around a QR code (ISO 18004).
pub const QUIET_ZONE: usize = 4;

/// Pixels a side of one module in a picture: readers want three or more.
pub const MODULE_PIXELS: usize = 8;
