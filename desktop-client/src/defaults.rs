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

/// The longest CTAP request of another program, in bytes: what CTAPHID can
/// carry, 57 bytes in a first packet and 59 in each of 128 more. getInfo says
/// the same (maxMsgSize).
pub const MAX_REQUEST: usize = 7609;

/// What is read from a pipe at once: a whole request of the longest, and what
/// comes with it.
pub const PIPE_BUFFER: usize = 8192;

/// Between two keepalives of the pipe while a request waits: CTAP 2.1,
/// 11.2.9.1.5, asks for one every 100 ms.
pub const KEEPALIVE: Duration = Duration::from_millis(100);

/// How long a phone that stayed is kept without a request: programs that have
/// another one send it at once, and a person wants the phone back.
pub const IDLE: Duration = Duration::from_secs(30);

/// A phone that hangs up within this time of a request that is not its first
/// had hung up before it: nobody has read a question so soon.
pub const UNREAD: Duration = Duration::from_secs(1);

/// After a client could not be let in at a socket, until the next is: long
/// enough to idle, and not felt by who waits.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Names that are tried for the folder in which a socket is made. Each was
/// left by a kill within the same millisecond of a start.
pub const FOLDER_NAMES: u32 = 100;

/// Credentials in a list that programs are told of (maxCredentialCountInList):
/// more than a request of [`MAX_REQUEST`] holds, so that no program cuts a list
/// and asks for the parts.
pub const MAX_CREDENTIALS: u64 = 255;

/// Bytes of a credential id that programs are told of (maxCredentialIdLength):
/// the most that WebAuthn allows, for nobody knows the phone.
pub const MAX_CREDENTIAL_ID: u64 = 1023;

/// How long a key that cannot be touched says that it waits for the touch: as
/// long as keys that can.
pub const UNTOUCHED: Duration = Duration::from_secs(30);

/// The longest message that a browser takes from a native host: Chromium's and
/// Firefox's own bound.
pub const MAX_TO_BROWSER: usize = 1 << 20;

/// Requests of a browser that wait for the one that runs. Each comes from a
/// page that a person looks at, so two are rare.
pub const MOST_REQUESTS_WAITING: usize = 8;

/// Light modules around a QR code (ISO 18004).
pub const QUIET_ZONE: usize = 4;

/// Pixels a side of one module in a picture: readers want three or more.
pub const MODULE_PIXELS: usize = 8;

/// Between two reports of one message to the virtual security key: half a
/// second to three are usual among keys, and some hosts try whether it is less
/// than one.
#[cfg(target_os = "linux")]
pub const NEXT_PACKET: Duration = Duration::from_millis(750);

/// Reports in a row for programs that read a virtual security key, before a
/// pause: the kernel keeps 64 for each of them and drops the rest without a
/// word. Half of that, for the programs' sake.
#[cfg(target_os = "linux")]
pub const BURST: u32 = 32;

/// That pause. A program that waits for reports reads 32 of them in far less;
/// a key on a cable takes as long as the pause for five.
#[cfg(target_os = "linux")]
pub const BURST_PAUSE: Duration = Duration::from_millis(5);

/// The head of a request for the page in the browser, and the answer's way
/// there: one machine, so more than enough for a busy one.
pub const PAGE_HEAD: Duration = Duration::from_secs(5);

/// Browsers send less than one kilobyte of head to a page without cookies.
pub const PAGE_HEAD_BYTES: usize = 8 * 1024;

/// Browsers open one or two connections beforehand and one for the page; the
/// rest waits in the kernel.
pub const PAGE_CONNECTIONS: usize = 16;

/// A page without news is sent after this long: Firefox waits five minutes for
/// an answer.
pub const PAGE_NEWS: Duration = Duration::from_secs(4 * 60);

/// A browser that is there takes the last page in milliseconds; one that is
/// still starting is waited for a little.
pub const PAGE_GOODBYE: Duration = Duration::from_secs(3);
