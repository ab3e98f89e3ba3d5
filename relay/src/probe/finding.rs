use std::fmt;

use serde::Serialize;
use serde::ser::SerializeStruct;

use super::legs::Leg;
use crate::caller::Fault;

/// Something that is wrong with a relay, or with the way to it.
#[derive(Debug)]
pub(crate) struct Finding {
    leg: Leg,
    fault: Fault,
}

impl Finding {
    pub(crate) fn new(leg: Leg, fault: Fault) -> Self {
        Self { leg, fault }
    }

    /// Where it was found.
    pub(crate) fn leg(&self) -> Leg {
        self.leg
    }

    /// The stable name of this cause, for programs.
    pub(crate) fn id(&self) -> &'static str {
        match (&self.fault, self.leg) {
            (Fault::Name(_), _) => "probe.name",
            (Fault::Unreachable(_), _) => "probe.unreachable",
            (Fault::Own(_), _) => "probe.machine",
            (Fault::Tls(_), _) => "probe.tls",
            (Fault::Status(404), Leg::Join) => "probe.not-joined",
            (Fault::Status(401 | 403 | 429 | 503), _) => "probe.refused",
            (Fault::Answer(NO_ROUTING_ID), _) => "probe.routing-id",
            (Fault::Status(_) | Fault::Answer(_), _) => "probe.answer",
            (_, Leg::Close) => "probe.close",
            (Fault::Frame(_), _) => "probe.altered",
            (Fault::Closed(_) | Fault::Broken(_), _) => "probe.broken",
            (Fault::Silent, _) => "probe.silent",
        }
    }

    /// What to do about it.
    pub(crate) fn remedy(&self) -> &'static str {
        match self.id() {
            "probe.name" => "register the name, or check the resolver; --connect-to dials an address instead",
            "probe.unreachable" => {
                "see whether the relay runs there, and whether the network lets the port through"
            }
            "probe.machine" => "look at the limits of this user and machine",
            "probe.tls" => {
                "give the relay a certificate of this name, with its chain; or name the authority with --ca-file"
            }
            "probe.not-joined" => "send all requests of a routing id to the process that gave it",
            "probe.refused" => "the relay does not want us: its limits, its networks, or --token-file",
            "probe.routing-id" => {
                "let the header X-caBLE-Routing-ID through unchanged, once, with 6 hexadecimal digits"
            }
            "probe.altered" => "look for something between that changes or inspects websocket messages",
            "probe.close" => {
                "let close frames through in both directions; clients otherwise wait for each other"
            }
            "probe.broken" => "look at the relay's log, and at time limits of what is in front of it",
            "probe.silent" => {
                "look for something in front that buffers: websockets need each message at once"
            }
            _ => "see whether a tunnel service is there, and a proxy in front of it passes websockets on",
        }
    }
}

/// What [`Fault::Answer`] says about a header that is missing or wrong.
pub(crate) const NO_ROUTING_ID: &str = "no routing id, or more than one";

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.fmt(f)
    }
}

impl Serialize for Finding {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Finding", 4)?;
        object.serialize_field("id", self.id())?;
        object.serialize_field("leg", &self.leg)?;
        object.serialize_field("message", &self.to_string())?;
        object.serialize_field("remedy", self.remedy())?;
        object.end()
    }
}
