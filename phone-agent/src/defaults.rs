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

/// The longest token for a relay, in bytes: what fits into a header beside all
/// others in the 8 KiB that relays read.
pub const MAX_RELAY_TOKEN: usize = 4096;

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

/// The most that a consent command may say. An answer has 33 bytes and the
/// digits of a number.
pub const MAX_CONSENT_ANSWER: usize = 4096;
/// For a consent command to end by itself once its question is answered or
/// withdrawn: time to close a window.
pub const CONSENT_COMMAND_ENDS: Duration = Duration::from_secs(1);
/// How often one looks whether it has.
pub const CONSENT_COMMAND_LOOK: Duration = Duration::from_millis(10);
/// What fits into a pipe that nobody reads: 64 KiB on Linux, less where pages
/// are scarce, and 16 KiB on macOS.
pub const PIPE: usize = 16 * 1024;

/// The accounts that a notification offers. GNOME shows three buttons, and
/// one of them is for no.
pub const MAX_NOTIFIED_ACCOUNTS: usize = 2;

/// Fingers that are not known before that is a no. CTAP gives a built-in
/// verification up to 5 tries, a PIN 3 in a row.
pub const FINGER_TRIES: u32 = 3;

/// Whatever is asked of a desktop's services, a person's answers aside: they
/// may have to be started first.
pub const DESKTOP: Duration = Duration::from_secs(10);

/// Wrong PINs in a row before the PIN is blocked for good, and tries of the
/// built-in user verification before it is: CTAP 2.1 allows at most 8.
pub const PIN_RETRIES: u8 = 8;
/// See [`PIN_RETRIES`].
pub const UV_RETRIES: u8 = 5;

/// The shortest PIN of a new authenticator, in code points: the least that
/// CTAP 2.1 allows.
pub const MIN_PIN_LENGTH: u8 = 4;

/// Wrong PINs in a row before a power cycle is needed: CTAP 2.1, 6.5.2.2.
pub const PIN_MISMATCHES: u8 = 3;

/// A pinUvAuthToken is used within this time, or never: CTAP 2.1, 6.5.2.1.
pub const TOKEN_FIRST_USE: Duration = Duration::from_secs(30);
/// The longest life of a pinUvAuthToken: the same place.
pub const TOKEN_LIFE: Duration = Duration::from_secs(10 * 60);

/// Passkeys in one vault. Ten times more than the largest that is tested;
/// what is counted for platforms has to end somewhere.
pub const MAX_PASSKEYS: usize = 100_000;

/// The longest credential id that is passed around, in bytes: WebAuthn's own
/// limit, because imported passkeys bring theirs along.
pub const MAX_CREDENTIAL_ID: usize = 1023;

/// The largest `credBlob`, in bytes. CTAP 2.1 asks for 32 at least.
pub const MAX_CRED_BLOB: usize = 64;

/// Tries of the built-in verification after which a platform should ask for
/// the PIN: fewer than [`UV_RETRIES`], so that there are some left.
pub const PLATFORM_UV_ATTEMPTS: u64 = 3;

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

/// After a client could not be let in at a socket, until the next is: long
/// enough to idle, and not felt by who waits.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Names that are tried for the folder in which a socket is made. Each was
/// left by a kill within the same millisecond of a start.
pub const FOLDER_NAMES: u32 = 100;

/// The longest PIN, in bytes of UTF-8 (CTAP 2.1, 6.5.1), and so also in code
/// points.
pub const MAX_PIN: usize = 63;
/// See [`MAX_PIN`].
pub const MAX_PIN_LENGTH: u8 = 63;
/// RP IDs that may learn the shortest length of a PIN: getInfo's
/// maxRPIDsForSetMinPINLength.
pub const MAX_MIN_PIN_RP_IDS: usize = 16;

/// After power-up, how long a reset is taken: CTAP 2.1, 6.6.
pub const RESET_WINDOW: Duration = Duration::from_secs(10);

/// How long a command may follow the one that it goes on from: CTAP 2.1, 6.
pub const NEXT_COMMAND: Duration = Duration::from_secs(30);

/// Bytes of the large-blob array, its trailer included: getInfo's
/// maxSerializedLargeBlobArray. CTAP asks for 1024 at least.
pub const MAX_LARGE_BLOBS: usize = 8192;
/// The longest part of the array that one command reads or writes:
/// getInfo's maxMsgSize, less 64.
pub const MAX_FRAGMENT: usize = MAX_MESSAGE - 64;
/// The largest file that is imported: 5,000 passkeys are 5 MB of JSON, and
/// people have ten times as much that is no passkey.
pub const MAX_EXCHANGE_FILE: usize = 64 << 20;
/// What a packed file may unpack to. It is in memory at once.
pub const MAX_EXCHANGE_UNPACKED: usize = 128 << 20;
/// How deep a file may be nested. Exports reach 8, and groups of a database
/// stand in groups.
pub const MAX_EXCHANGE_DEPTH: usize = 64;
/// Items of any kind in a file, and passkeys among them: twice what a vault
/// is measured with.
pub const MAX_EXCHANGE_ITEMS: usize = 200_000;
/// See [`MAX_EXCHANGE_ITEMS`].
pub const MAX_EXCHANGE_PASSKEYS: usize = 20_000;

/// The dearest key derivation that a file of others may demand. Bitwarden's
/// own limits are 1 GiB and 10 passes of argon2, and 2 million iterations of
/// PBKDF2; KeePassXC spends at most 5 s on a fast machine, which is many
/// passes over little.
pub const EXCHANGE_ARGON2_KIB: u64 = 1 << 20;
/// Memory times passes, in KiB: some minutes of one processor at most.
pub const EXCHANGE_ARGON2_WORK: u64 = 32 << 20;
/// Lanes, which are computed one after the other here.
pub const EXCHANGE_ARGON2_LANES: u32 = 64;
/// See [`EXCHANGE_ARGON2_KIB`].
pub const EXCHANGE_PBKDF2_ITERATIONS: u64 = 10_000_000;
/// Rounds of AES-KDF: ten times what a second is on a fast machine.
pub const EXCHANGE_AES_ROUNDS: u64 = 1_000_000_000;

/// The longest user handle, in bytes, as WebAuthn has it.
pub const MAX_USER_HANDLE: usize = 64;
