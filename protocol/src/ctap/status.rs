use std::fmt;

/// The first byte of a response. Every byte is one, so reading it never fails.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Status(u8);

macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident = $byte:literal, $text:literal;)*) => {
        impl Status {
            $($(#[$doc])* pub const $name: Self = Self($byte);)*

            /// The specification's name, or nothing for a byte it leaves free.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($byte => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

statuses! {
    /// It went well.
    OK = 0x00, "success";
    /// The command is not known or not served here.
    INVALID_COMMAND = 0x01, "invalid command";
    /// A parameter has a value that makes no sense.
    INVALID_PARAMETER = 0x02, "invalid parameter";
    /// A string or the message has a length that makes no sense.
    INVALID_LENGTH = 0x03, "invalid length";
    /// A part of a message that does not follow what came before it.
    INVALID_SEQ = 0x04, "invalid sequence";
    /// An item is of another type than its place demands.
    CBOR_UNEXPECTED_TYPE = 0x11, "unexpected CBOR type";
    /// The CBOR cannot be read.
    INVALID_CBOR = 0x12, "invalid CBOR";
    /// A parameter that must be there is not.
    MISSING_PARAMETER = 0x14, "missing parameter";
    /// More of something than there may be.
    LIMIT_EXCEEDED = 0x15, "limit exceeded";
    /// No room for the large blobs.
    LARGE_BLOB_STORAGE_FULL = 0x18, "large blob storage full";
    /// A credential of the exclude list is here.
    CREDENTIAL_EXCLUDED = 0x19, "credential excluded";
    /// None of the algorithms asked for is served.
    UNSUPPORTED_ALGORITHM = 0x26, "unsupported algorithm";
    /// The person said no.
    OPERATION_DENIED = 0x27, "operation denied";
    /// The storage for credentials is full.
    KEY_STORE_FULL = 0x28, "key store full";
    /// An option is not supported.
    UNSUPPORTED_OPTION = 0x2b, "unsupported option";
    /// An option has a value that cannot be.
    INVALID_OPTION = 0x2c, "invalid option";
    /// The client gave up waiting.
    KEEPALIVE_CANCEL = 0x2d, "cancelled";
    /// No credential fits the request.
    NO_CREDENTIALS = 0x2e, "no credentials";
    /// The person did not answer in time.
    USER_ACTION_TIMEOUT = 0x2f, "user action timeout";
    /// Not allowed, or not allowed any more.
    NOT_ALLOWED = 0x30, "not allowed";
    /// The PIN is wrong.
    PIN_INVALID = 0x31, "PIN invalid";
    /// The PIN was wrong too often; only a reset helps.
    PIN_BLOCKED = 0x32, "PIN blocked";
    /// A PIN/UV authentication parameter that does not verify.
    PIN_AUTH_INVALID = 0x33, "PIN/UV auth parameter invalid";
    /// The PIN was wrong too often in a row; a power cycle helps.
    PIN_AUTH_BLOCKED = 0x34, "PIN auth blocked";
    /// No PIN has been set.
    PIN_NOT_SET = 0x35, "PIN not set";
    /// A PIN/UV authentication parameter is needed.
    PUAT_REQUIRED = 0x36, "PIN/UV auth token required";
    /// The PIN is not what PINs have to be, or must be changed.
    PIN_POLICY_VIOLATION = 0x37, "PIN policy violation";
    /// More than can be kept.
    REQUEST_TOO_LARGE = 0x39, "request too large";
    /// User presence is needed.
    UP_REQUIRED = 0x3b, "user presence required";
    /// The built-in user verification failed too often.
    UV_BLOCKED = 0x3c, "user verification blocked";
    /// What was sent is not what it was meant to be.
    INTEGRITY_FAILURE = 0x3d, "integrity failure";
    /// The subcommand is not known or not served here.
    INVALID_SUBCOMMAND = 0x3e, "invalid subcommand";
    /// The built-in user verification failed.
    UV_INVALID = 0x3f, "user verification invalid";
    /// A permission that this authenticator does not give.
    UNAUTHORIZED_PERMISSION = 0x40, "unauthorized permission";
    /// Something else.
    OTHER = 0x7f, "unspecified error";
}

impl Status {
    /// The status with this byte.
    pub const fn new(byte: u8) -> Self {
        Self(byte)
    }

    /// The byte.
    pub const fn byte(self) -> u8 {
        self.0
    }

    /// Whether a body may follow.
    pub const fn is_ok(self) -> bool {
        self.0 == 0
    }

    /// A whole response with this status and this body.
    pub fn with(self, body: &[u8]) -> Vec<u8> {
        let mut response = Vec::with_capacity(1 + body.len());
        response.push(self.0);
        response.extend_from_slice(body);
        response
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Status({self})")
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({:02x})", self.0),
            None => write!(f, "status {:02x}", self.0),
        }
    }
}
