//! Every number of the relay, with its reason. What a flag can change is a
//! default; the rest is a constant of the implementation.

use std::time::Duration;

/// One message. CTAP messages with large blobs or attestation pass 16 KiB,
/// and few pass 64 KiB; clients themselves stop at 1 MiB.
pub const MAX_MESSAGE: usize = 128 * 1024;

/// What is held per direction beyond the message being read: several ordinary
/// messages, so that a burst needs no round trip, and small enough that ten
/// thousand stuck readers pin no more than a gigabyte.
pub const HELD: usize = 64 * 1024;

/// Waiting for the second party: a person has to find the phone and wait for
/// Bluetooth. Longer gains nobody, the code on screen is long read by then.
pub const WAITING: Duration = Duration::from_secs(90);

/// Life after pairing: consent, a fingerprint, a typed PIN; three minutes are
/// ample for a person and useless for a covert proxy.
pub const LIFE: Duration = Duration::from_secs(180);

/// Messages per side. A sign-in takes 3 or 4; long allow lists are probed in
/// batches, which makes kanidm's 16 tight.
pub const MAX_MESSAGES: u32 = 64;

/// Bytes per side in all: one message of the largest size that clients read.
pub const MAX_BYTES: u64 = 1 << 20;

/// How long a side may take nothing while something is ready for it. Phones
/// change from one network to another in a few seconds.
pub const STALL: Duration = Duration::from_secs(10);

/// Bytes a second at which a message is borne beyond [`STALL`]: half of what
/// the slowest mobile networks carry.
pub(crate) const SLOWEST: u64 = 4 * 1024;

/// TCP, TLS and the request's head together: what a slow opening may cost.
pub const OPENING: Duration = Duration::from_secs(10);

/// The request's head. Chromium's is about 600 bytes. Also the least that
/// the HTTP library can be told.
pub const MAX_HEAD: usize = 8 * 1024;

/// Pause between pings: below the 30 s after which some mobile networks
/// forget an idle mapping, and below nginx's 60 s.
pub const PING: Duration = Duration::from_secs(20);

/// Pings in a row without any byte in return before a side counts as gone.
pub const MISSED_PINGS: u32 = 2;

/// Tunnels one source may have waiting. A whole office can share one address.
pub const PER_SOURCE_WAITING: u32 = 64;

/// Connections one source may have in all: the waiting ones, paired.
pub const PER_SOURCE_TOTAL: u32 = 128;

/// New connections a second from one source. A sign-in makes one or two.
pub const PER_SOURCE_RATE: u32 = 20;

/// New connections at once before the rate binds: three seconds of it.
pub const PER_SOURCE_BURST: u32 = 60;

/// Region in the routing id. One site has no need of regions.
pub const REGION: u8 = 0;

/// Share of the process's descriptors that connections may take, in tenths,
/// after [`SPARE_DESCRIPTORS`] for everything else.
pub const CONNECTIONS_TENTHS: u64 = 9;

/// Descriptors that are no connections: listener, runtime, standard streams.
pub const SPARE_DESCRIPTORS: u64 = 64;

/// The connection cap where the descriptor limit cannot be learnt.
pub const CONNECTIONS_UNKNOWN: u64 = 900;

/// Refused connections, per source, that are read to their end in order to
/// tell them why. Beyond this they are dropped unread.
pub const REFUSALS_PER_SOURCE: u32 = 32;

/// The same for the whole relay once it is full. Fits in the tenth of the
/// descriptors that [`CONNECTIONS_TENTHS`] leaves.
pub const REFUSALS_IN_ALL: u32 = 64;

/// Sources that are counted one by one, about 6 MiB of counters. A flood from
/// more of them shares one count, which is the safe direction.
pub const MAX_SOURCES: usize = 65_536;

/// Websocket read buffer, allocated at the first byte that needs it. 4 KiB
/// costs a twentieth of the library's default in memory and half the time.
pub(crate) const READ_BUFFER: usize = 4 * 1024;

/// What is read at once of a message that has begun and is longer than that:
/// a frame of 16 KiB by two calls of the system instead of five. What came
/// behind the message is kept, so a side that sends without a pause may have
/// so much more here.
pub(crate) const READ_AHEAD: usize = 16 * 1024;

/// Room in the write buffer for pings and a close beside one message.
pub(crate) const WRITE_MARGIN: usize = 4 * 1024;

/// Kernel buffers of a connection, each way: what a stuck reader can pin
/// outside of our own accounts. 64 KiB carries 128 KiB over 100 ms in 0.2 s.
pub(crate) const SOCKET_BUFFER: usize = 64 * 1024;

/// Connections that the kernel may hold while we are busy: what it allows
/// anyhow (`net.core.somaxconn` since Linux 5.4). Of what comes beyond it keeps
/// nothing; a client that waits for a word of ours then waits in vain.
pub(crate) const BACKLOG: i32 = 4096;

/// How long what was sent may stay unacknowledged before the system gives the
/// connection up, in milliseconds: with the ping, a side whose network is gone
/// is let go after 40 s. So is one whose window stays shut that long, whatever
/// `--stall` says.
#[cfg(target_os = "linux")]
pub(crate) const UNACKNOWLEDGED_MS: u32 = 20_000;

/// How long a closing side may take to answer the close frame.
pub(crate) const LINGER: Duration = Duration::from_secs(2);

/// The same for a side that took too long before: it has had its time, and is
/// to be gone within a second of it.
pub(crate) const LINGER_STUCK: Duration = Duration::from_millis(500);

/// What a side may still send after that before it is cut off: one message
/// of the largest kind may be on its way, and more is not listened to.
pub(crate) const LAST_WORDS: u64 = 1 << 20;

/// When a client is told to come again that wanted a tunnel of a relay that
/// drains: in a rolling restart its successor is there by then.
pub(crate) const DRAIN_RETRY: Duration = Duration::from_secs(2);

/// TLS handshakes that may be ready to run at once. One costs about 0.35 ms,
/// so a message waits for no more than 6 ms of them.
pub const HANDSHAKES: u32 = 16;

/// Handshakes that may wait for their turn: with two cores, 0.2 s of them.
/// Whoever comes then is closed at once, and may come again.
pub(crate) const HANDSHAKES_WAITING: usize = 1024;

/// Share of the memory, in tenths, from which on nobody opens a tunnel: what
/// lives needs some for the messages that it will hold.
pub(crate) const MEMORY_TENTHS: u64 = 9;

/// How often is looked how much memory is in use: reading it costs 20 µs.
pub(crate) const MEMORY_LOOK: Duration = Duration::from_secs(1);

/// When a client is told to come again for whom there was no memory: tunnels
/// end within minutes, and many within seconds.
pub(crate) const MEMORY_RETRY: Duration = Duration::from_secs(5);

/// Connections that are closed unread after each pause while there are no
/// descriptors: 320 a second, which costs nothing.
pub(crate) const SHED: u64 = 32;

/// How long another server may take to decide who may open a tunnel, turn in
/// the queue included: well inside the ten seconds of an opening.
pub(crate) const CALLOUT: Duration = Duration::from_secs(3);

/// How many are asked about at once: at 20 ms each 1,600 a second, and no
/// more descriptors than [`SPARE_DESCRIPTORS`] has.
pub(crate) const CALLOUTS: usize = 32;

/// What such a server may answer: `{"allow": true}` and some explanation.
pub(crate) const CALLOUT_ANSWER: usize = 4 * 1024;

/// When a client is told to come again for whom nobody could decide.
pub(crate) const UNDECIDED_RETRY: Duration = Duration::from_secs(2);

/// How long a new program may take until it is ready in an upgrade: reading
/// its files takes milliseconds, asking for a certificate a few seconds.
pub(crate) const UPGRADE: Duration = Duration::from_secs(15);

/// How long everybody may take when the relay stops; ends inside the two
/// seconds that service managers consider prompt.
pub(crate) const STOP: Duration = Duration::from_millis(1500);

/// Pause between looks at the files that can change. A certificate lives for
/// weeks; two looks a second would be no better and are not free.
pub(crate) const RELOAD_POLL: Duration = Duration::from_secs(2);

/// Pause after accept() failed: ten tries a second cost nothing, and
/// accepting resumes soon after descriptors are free.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// At most one notice a second that accept() fails.
pub(crate) const ACCEPT_NOTICE: Duration = Duration::from_secs(1);

/// Admin connections at once: a scraper, two probes and a person, twice.
pub(crate) const ADMIN_CONNECTIONS: usize = 8;

/// How long an admin connection may take: a scraper's own deadline is 10 s.
pub(crate) const ADMIN_PATIENCE: Duration = Duration::from_secs(10);

/// The longest body of an admin request: the name of a log level.
pub(crate) const ADMIN_BODY: usize = 64;

/// How long a task may wait for its turn before the relay counts as stuck.
/// Under full load it is milliseconds.
pub(crate) const ADMIN_HEALTH: Duration = Duration::from_secs(2);
