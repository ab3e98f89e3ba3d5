//! Every number, with its reason.

use std::time::Duration;

use crate::vault::Kdf;

/// argon2id for new vaults: 64 MiB, 3 passes, 1 lane. About a fifth of a
/// second on a small computer; RFC 9106's second recommendation but for the
/// lanes, which a single core cannot use.
pub const KDF: Kdf = Kdf { memory_kib: 64 * 1024, passes: 3, lanes: 1 };

/// The dearest key derivation that a vault's header may demand. Four times
/// the memory and five times the passes of ours: room for people who want
/// more, and no way to take all of a machine's memory with a forged file.
pub const KDF_MAX: Kdf = Kdf { memory_kib: 256 * 1024, passes: 16, lanes: 4 };

/// A message is sent in less, or nobody takes it.
pub const SEND: Duration = Duration::from_secs(30);

/// Nobody waits longer for a goodbye.
pub const CLOSE: Duration = Duration::from_secs(2);

/// How often a locked vault is tried again.
pub const VAULT_LOCK_TRIES: u32 = 150;
/// The pause between two tries: 3 s in all, far more than a write takes.
pub const VAULT_LOCK_PAUSE: Duration = Duration::from_millis(20);

/// The longest passphrase, in bytes. Longer than anybody types; short enough
/// to hold in one buffer that is cleared.
pub const MAX_PASSPHRASE: usize = 4096;

/// Tries to type the passphrase for one request. CTAP gives a PIN 3 in a row.
pub const PASSPHRASE_TRIES: u32 = 3;

/// A code older than this is served with a warning: people take their time,
/// a relayed picture takes longer.
pub const CODE_OLD: Duration = Duration::from_secs(10 * 60);
/// A code from further in the future than this is served with a warning: a
/// clock is wrong.
pub const CODE_EARLY: Duration = Duration::from_secs(5 * 60);
/// A code older than this, or further in the future, is refused.
pub const CODE_REFUSED: Duration = Duration::from_secs(24 * 60 * 60);

/// The relay's answer to `/cable/new`: name lookup, TCP, TLS and one
/// exchange, on a bad mobile network.
pub const DIAL: Duration = Duration::from_secs(15);

/// One of the doctor's checks of a relay. Shorter than [`DIAL`], for it is one
/// step of it; all relays are tried at once.
pub const CHECK: Duration = Duration::from_secs(8);

/// A clock that is further from a relay's is found to be wrong. Certificates
/// forgive days and codes ten minutes; a clock of our time is off by less.
pub const CLOCK_OFF: Duration = Duration::from_secs(5 * 60);

/// From the first advert to the computer's greeting. What is advertised for
/// longer is heard by people who were not meant to; Android gives up after 20 s.
pub const ADVERTISE: Duration = Duration::from_secs(60);

/// Whatever is asked of the Bluetooth service: it answers in milliseconds, or
/// is not there.
pub const RADIO: Duration = Duration::from_secs(5);

/// Between two adverts by Bluetooth. BlueZ's own 1.28 s would let a computer
/// that listens one moment in ten wait for a quarter of a minute.
pub const ADVERT_INTERVAL: Duration = Duration::from_millis(100);

/// How often it is asked whether an advert is still on the air.
pub const RADIO_WATCH: Duration = Duration::from_secs(1);

/// Between two adverts over the air that is no air.
pub const AIR_INTERVAL: Duration = Duration::from_millis(250);

/// From one answer to the computer's next request. A tunnel service ends a
/// tunnel after 180 s.
pub const NEXT_REQUEST: Duration = Duration::from_secs(60);

/// For a person to answer, passphrase and question together. Leaves a minute
/// of the tunnel's 180 s for everything else.
pub const ANSWER: Duration = Duration::from_secs(120);

/// makeCredential and getAssertion in one session; and as many selections.
/// One is what a sign-in takes. More would let a computer wear a person down
/// with questions.
pub const REQUESTS_PER_SESSION: u32 = 8;

/// Requests of other kinds before the session is closed: Chromium sends up to
/// two when an authenticator does not suit it.
pub const OTHERS_PER_SESSION: u32 = 3;

/// Entries in an allow list or exclude list. Chromium sends at most 64 to an
/// authenticator that names no limit, and no account has more passkeys.
pub const MAX_CREDENTIAL_LIST: usize = 64;

/// The longest RP ID, in bytes: a domain name is no longer.
pub const MAX_RP_ID: usize = 253;

/// Names are cut to this many bytes before they are stored. CTAP asks for 64
/// at least.
pub const MAX_NAME: usize = 256;

/// The largest picture that is read, in bytes and in pixels: a large
/// screenshot, not a bomb.
pub const MAX_PICTURE: u64 = 32 << 20;
/// See [`MAX_PICTURE`]. Twice the pixels of an 8K screen.
pub const MAX_PIXELS: usize = 64 << 20;

/// Passes of a progressive JPEG, each as long as the whole picture; encoders
/// make about ten.
pub const MAX_JPEG_SCANS: usize = 64;

/// How far around a pixel one looks to say whether it is dark, in pixels: a
/// third of a small code, and less than the shadow of a hand.
pub const SURROUNDINGS: usize = 40;
/// The same for modules that run into each other: three of small ones.
pub const NEAR: usize = 10;
/// How much darker than that it has to be. Below are the steps of a JPEG.
pub const MARGIN: u64 = 4;

/// The longest that one picture is looked at: what the largest of noise takes,
/// unoptimised, and a third more. A screenshot takes a fraction of a second.
pub const READ: Duration = Duration::from_secs(30);

/// The longest that a camera is looked through.
pub const CAMERA: Duration = Duration::from_secs(60);
/// The size that a camera is asked for, in pixels: the modules of a code that
/// fills half of its height are six pixels wide.
pub const FRAME: (u32, u32) = (1280, 720);

/// A code has 169 to 179 characters; with spaces and line ends around it.
pub const MAX_CODE_TEXT: u64 = 4096;

/// Wrong PINs in a row before the PIN is blocked for good, and tries of the
/// built-in user verification before it is: CTAP 2.1 allows at most 8.
pub const PIN_RETRIES: u8 = 8;
/// See [`PIN_RETRIES`].
pub const UV_RETRIES: u8 = 5;

/// The shortest PIN of a new authenticator, in code points: the least that
/// CTAP 2.1 allows.
pub const MIN_PIN_LENGTH: u8 = 4;

/// The longest request over the pipe, in bytes: what CTAPHID can carry, 57
/// bytes in a first packet and 59 in each of 128 more, so that whoever puts
/// the pipe behind USB's packets loses nothing. getInfo says the same.
pub const MAX_MESSAGE: usize = 7609;

/// What is read from a pipe at once: a whole request of the longest, and what
/// comes with it.
pub const PIPE_BUFFER: usize = 8192;

/// Between two keepalives of the pipe while a person is asked: CTAP 2.1,
/// 11.2.9.1.5, asks for one every 100 ms.
pub const KEEPALIVE: Duration = Duration::from_millis(100);
