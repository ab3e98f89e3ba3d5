//! What hosts ask silently before they ask in earnest.
//!
//! A host with a list of passkeys first asks the key, with `up: false`, which
//! of them are on it, and puts the one it is told into the request proper
//! (CTAP 2.1, 6.1.2 and "pre-flight" in 6.2). Firefox, pam_u2f and python-fido2
//! do that whenever there is a list, and give up where the answer is an error.
//!
//! Nobody knows what is on a phone before a person came. So the silent question
//! is answered with the first of the list, and the whole list goes back into
//! the request that follows: the phone decides, as if it had been asked at
//! once. What is answered proves nothing: no flag is set and no key has signed.

use cablecar_protocol::cbor::{self, Item, Map, Writer};
use cablecar_protocol::ctap::{Command, Status};
use sha2::{Digest, Sha256};

/// The DER of a signature of two zeros: it has a signature's form, and verifies
/// under no key.
const NO_SIGNATURE: [u8; 8] = [0x30, 6, 2, 1, 0, 2, 1, 0];

/// Nobody was there, and nobody was verified.
const NO_FLAGS: u8 = 0;

/// The last silent question that no request has followed.
#[derive(Debug, Default)]
pub(super) struct Probes {
    last: Option<Probe>,
}

#[derive(Debug)]
struct Probe {
    rp_id: String,
    /// The list in CBOR, as it came.
    list: Vec<u8>,
    /// The id that the host was told.
    told: Vec<u8>,
}

/// What becomes of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Probed {
    /// It was a silent question, and this is the answer.
    Answer(Vec<u8>),
    /// It goes on, perhaps with the list that was asked about before.
    Request(Vec<u8>),
}

impl Probes {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Looks at the next request, whatever it is.
    pub(super) fn take(&mut self, request: Vec<u8>) -> Probed {
        let Some((command, parameters)) = Command::split(&request) else { return Probed::Request(request) };
        let list_at = match command {
            Command::MakeCredential => 5,
            Command::GetAssertion => 3,
            // Such as getInfo in between.
            _ => return Probed::Request(request),
        };
        let map = cbor::parse(parameters, cbor::CTAP_DEPTH).ok().and_then(|item| item.as_map());
        let Some(map) = map else { return Probed::Request(request) };
        let last = self.last.take();
        let (Some(rp_id), Some(list)) = (rp_id(&map, command), map.get(list_at)) else {
            return Probed::Request(request);
        };
        let Some((first, is_alone)) = first_of(list) else { return Probed::Request(request) };
        if command == Command::GetAssertion && is_silent(&map) {
            let probe = Probe { rp_id: rp_id.into(), list: list.encoded().into(), told: first.1.into() };
            self.last = Some(probe);
            return Probed::Answer(answer(rp_id, first.0));
        }
        match last.filter(|probe| is_alone && probe.rp_id == rp_id && probe.told == first.1) {
            None => Probed::Request(request),
            Some(probe) => Probed::Request(with_list(command, &map, list_at, &probe.list).unwrap_or(request)),
        }
    }
}

fn rp_id<'a>(map: &Map<'a>, command: Command) -> Option<&'a str> {
    match command {
        Command::GetAssertion => map.get(1)?.as_text(),
        _ => map.get(2)?.as_map()?.get_text("id")?.as_text(),
    }
}

/// `up: false`, without a PIN's parameter: that is none of ours to answer.
fn is_silent(map: &Map<'_>) -> bool {
    let up = map.get(5).and_then(|item| item.as_map()).and_then(|options| options.get_text("up"));
    map.get(6).is_none() && up.and_then(|up| up.as_bool()) == Some(false)
}

/// The first credential of a list, with its id, and whether it is the only one.
fn first_of<'a>(list: Item<'a>) -> Option<((Item<'a>, &'a [u8]), bool)> {
    let list = list.as_array()?;
    let first = list.iter().next()?;
    let id = first.as_map()?.get_text("id")?.as_bytes()?;
    Some(((first, id), list.len() == 1))
}

/// An assertion that says "perhaps this one", and nothing else.
fn answer(rp_id: &str, credential: Item<'_>) -> Vec<u8> {
    // rpIdHash ‖ flags ‖ counter
    let data = [Sha256::digest(rp_id).as_slice(), &[NO_FLAGS], &[0; 4]].concat();
    Status::OK.with(&Writer::map_of(|map| {
        map.entry(1, |to| to.copy(credential))
            .entry(2, |to| to.bytes(&data))
            .entry(3, |to| to.bytes(&NO_SIGNATURE));
    }))
}

/// The request with this list in the place of its own; `None` for a key that is
/// no number, of which CTAP has none.
fn with_list(command: Command, map: &Map<'_>, list_at: i64, list: &[u8]) -> Option<Vec<u8>> {
    let list = cbor::parse(list, cbor::CTAP_DEPTH).ok()?;
    let keys = map.iter().map(|(key, value)| Some((key.as_int()?, value))).collect::<Option<Vec<_>>>()?;
    let parameters = Writer::map_of(|to| {
        for (key, value) in keys {
            to.entry(key, |to| to.copy(if key == list_at { list } else { value }));
        }
    });
    Some([&[command.byte()], parameters.as_slice()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(ids: &[u8]) -> Vec<u8> {
        Writer::item(|to| {
            to.array(|list| {
                for id in ids {
                    list.push(|to| {
                        to.map(|one| {
                            one.text_entry("id", |to| to.bytes(&[*id; 16]));
                            one.text_entry("type", |to| to.text("public-key"));
                        });
                    });
                }
            });
        })
    }

    fn get(rp_id: &str, ids: &[u8], up: Option<bool>) -> Vec<u8> {
        let list = list(ids);
        let parameters = Writer::map_of(|map| {
            map.entry(1, |to| to.text(rp_id)).entry(2, |to| to.bytes(&[7; 32]));
            map.entry(3, |to| to.copy(cbor::parse(&list, 8).unwrap()));
            if let Some(up) = up {
                map.entry(5, |to| {
                    to.map(|options| {
                        options.text_entry("up", |to| to.bool(up));
                    });
                });
            }
        });
        [&[0x02], parameters.as_slice()].concat()
    }

    fn create(rp_id: &str, ids: &[u8]) -> Vec<u8> {
        let list = list(ids);
        let parameters = Writer::map_of(|map| {
            map.entry(1, |to| to.bytes(&[7; 32])).entry(2, |to| {
                to.map(|rp| {
                    rp.text_entry("id", |to| to.text(rp_id));
                });
            });
            map.entry(5, |to| to.copy(cbor::parse(&list, 8).unwrap()));
        });
        [&[0x01], parameters.as_slice()].concat()
    }

    fn asked(probes: &mut Probes, rp_id: &str, ids: &[u8]) {
        let Probed::Answer(answer) = probes.take(get(rp_id, ids, Some(false))) else {
            panic!("not answered")
        };
        let response = cablecar_protocol::ctap::get_assertion::Response::parse(&answer[1..]).unwrap();
        assert_eq!(answer[0], 0);
        assert_eq!(response.credential.unwrap().id, [ids[0]; 16]);
        assert_eq!(response.authenticator_data.rp_id_hash.as_slice(), Sha256::digest(rp_id).as_slice());
        assert_eq!(response.authenticator_data.flags.0, 0);
    }

    #[test]
    fn the_whole_list_goes_to_the_phone() {
        let mut probes = Probes::new();
        asked(&mut probes, "example.com", &[1, 2, 3]);
        let whole = Probed::Request(get("example.com", &[1, 2, 3], Some(true)));
        assert_eq!(probes.take(get("example.com", &[1], Some(true))), whole);
        // Once: the next request means what it says.
        let alone = get("example.com", &[1], Some(true));
        assert_eq!(probes.take(alone.clone()), Probed::Request(alone));
    }

    #[test]
    fn excluded_passkeys_are_found_by_the_phone_as_well() {
        let mut probes = Probes::new();
        asked(&mut probes, "example.com", &[1, 2]);
        let whole = Probed::Request(create("example.com", &[1, 2]));
        assert_eq!(probes.take(create("example.com", &[1])), whole);
    }

    #[test]
    fn a_list_goes_to_no_other_site_and_into_no_other_request() {
        for other in [
            get("example.org", &[1], None),
            get("example.com", &[2], None),
            get("example.com", &[1, 2], None),
        ] {
            let mut probes = Probes::new();
            asked(&mut probes, "example.com", &[1, 2, 3]);
            assert_eq!(probes.take(other.clone()), Probed::Request(other));
        }
        let mut probes = Probes::new();
        asked(&mut probes, "example.com", &[1, 2]);
        assert_eq!(probes.take(vec![0x04]), Probed::Request(vec![0x04]), "getInfo in between");
        assert_eq!(
            probes.take(get("example.com", &[1], None)),
            Probed::Request(get("example.com", &[1, 2], None))
        );
    }

    #[test]
    fn everything_else_passes_as_it_came() {
        for odd in [
            vec![],
            vec![2],
            vec![2, 0xff],
            vec![2, 0xa0],
            vec![1, 0xa1, 5, 0x80],
            get("a", &[], Some(false)),
        ] {
            assert_eq!(Probes::new().take(odd.clone()), Probed::Request(odd));
        }
    }
}
