//! Whatever is sent, there is an answer, and nobody loses anything by it.

use cablecar_protocol::cbor::Writer;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

use super::platform::{ACFG, CM, LBW, Platform, padded, pin_hash, sha256};
use crate::consent::Answer;

/// One valid request of every kind, made for this authenticator.
fn valid(platform: &mut Platform) -> Vec<Vec<u8>> {
    let agreed = platform.agree(2);
    let (new_pin, hash) = (agreed.encrypt(&padded(b"1234")), agreed.encrypt(&pin_hash("1234")));
    let param = agreed.authenticate(&[new_pin.as_slice(), &hash].concat());
    let token = platform.token(2, "1234", CM | LBW | ACFG, None).unwrap();
    let mut requests = vec![vec![0x07], vec![0x0b], vec![0x0a, 0xa1, 1, 3], vec![0x0a, 0xa1, 1, 5]];
    let mut add = |command, fill: &dyn Fn(&mut cablecar_protocol::cbor::Entries)| {
        let mut request = vec![command];
        request.extend(Writer::map_of(fill));
        requests.push(request);
    };
    for subcommand in 1..=9 {
        add(0x06, &|map| {
            agreed.write(subcommand, map);
            map.entry(4, |w| w.bytes(&param));
            map.entry(5, |w| w.bytes(&new_pin));
            map.entry(6, |w| w.bytes(&hash));
            if subcommand != 5 {
                map.entry(9, |w| w.unsigned(CM));
                map.entry(0x0a, |w| w.text("example.com"));
            }
        });
    }
    let rp = Writer::map_of(|map| _ = map.entry(1, |w| w.bytes(&sha256(b"example.com"))));
    for (subcommand, parameters) in [(1, None), (2, None), (4, Some(&rp)), (6, Some(&rp)), (7, Some(&rp))] {
        let message = [&[subcommand][..], parameters.map_or(&[], Vec::as_slice)].concat();
        add(0x0a, &|map| {
            map.entry(1, |w| w.unsigned(subcommand.into()));
            if let Some(parameters) = parameters {
                map.entry(2, |w| w.copy(cablecar_protocol::cbor::parse(parameters, 8).unwrap()));
            }
            map.entry(3, |w| w.unsigned(2));
            map.entry(4, |w| w.bytes(&token.authenticate(&message)));
        });
    }
    add(0x0c, &|map| {
        map.entry(1, |w| w.unsigned(100));
        map.entry(3, |w| w.unsigned(0));
    });
    add(0x0c, &|map| {
        map.entry(2, |w| w.bytes(&[0; 40]));
        map.entry(3, |w| w.unsigned(0));
        map.entry(4, |w| w.unsigned(80));
        map.entry(5, |w| w.bytes(&param));
        map.entry(6, |w| w.unsigned(2));
    });
    add(0x0d, &|map| {
        map.entry(1, |w| w.unsigned(3));
        map.entry(2, |w| {
            w.map(|map| {
                map.entry(1, |w| w.unsigned(4));
                map.entry(2, |w| w.array(|list| list.push(|w| w.text("example.com"))));
                map.entry(3, |w| w.bool(false));
            });
        });
        map.entry(3, |w| w.unsigned(2));
        map.entry(4, |w| w.bytes(&param));
    });
    requests
}

fn mutated(request: &[u8], rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut request = request.to_vec();
    let mut below = |limit: usize| usize::try_from(rng.next_u32()).unwrap() % limit.max(1);
    for _ in 0..=below(3) {
        let place = below(request.len());
        let value = u8::try_from(below(256)).unwrap();
        match below(6) {
            0 if !request.is_empty() => request[place] = value,
            1 if !request.is_empty() => request[place] ^= 1 << (value & 7),
            2 if !request.is_empty() => _ = request.remove(place),
            3 => request.insert(place, value),
            4 => request.truncate(place),
            // The heads of CBOR items are at the start.
            _ if request.len() > 4 => request[1 + usize::from(value) % 4] = value,
            _ => {}
        }
    }
    request
}

#[test]
fn mutated_requests_get_an_answer_and_open_nothing() {
    let mut platform = Platform::with_pin("1234");
    platform.add("example.com", b"1", |_| {});
    // Nobody says yes to what a mutant asks.
    platform.says = |_| Answer::Decline;
    let requests = valid(&mut platform);
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let mut answered = std::collections::BTreeMap::new();
    for round in 0..6000 {
        let request = mutated(&requests[round % requests.len()], &mut rng);
        let response = platform.raw(&request);
        *answered.entry(response[0]).or_insert(0) += 1;
        assert!(response[0] == 0 || response.len() == 1, "{response:x?}");
        if platform.device.vault.state().pin_retries < 4 {
            platform.power_cycle();
            assert!(platform.token(2, "1234", CM, None).is_ok());
        }
    }
    platform.power_cycle();
    assert!(platform.token(2, "1234", CM, None).is_ok());
    assert_eq!(platform.device.vault.passkeys().count(), 1);
    assert!(answered.len() > 8, "{answered:x?}");
}
