use cablecar_protocol::eid::{Eid, SERVICE_UUID, ServiceData};
use cablecar_protocol::ids::RoutingId;
use cablecar_protocol::secrets::EidKey;
use cablecar_protocol::tunnel::TunnelServiceDomain;

use crate::case::{Case, File, prepared, unknown};

#[test]
fn eid() {
    let file = File::open("eid", &["cases", "suffix_and_errors"]);
    file.each("cases", advert);
    file.each("suffix_and_errors", heard);
    file.finish();
}

fn advert(case: &Case) {
    let key = EidKey::new(&case.array("eid_key"));
    let routing = RoutingId::new(case.array("routing_id"));
    let domain = TunnelServiceDomain::new(case.number("tunnel_domain_id") as u16).unwrap();
    assert_eq!(domain.host(), case.text("tunnel_domain"));

    let rng = &mut prepared(case.hex("nonce"));
    let eid = Eid::routed(routing, domain, rng).unwrap();
    assert!(rng.is_spent());
    assert_eq!(eid.as_bytes(), &case.array("plaintext"));
    assert_eq!(Eid::from_parts(case.array("nonce"), routing, domain).as_bytes(), eid.as_bytes());
    let sealed = eid.seal(&key);
    assert_eq!(sealed.as_bytes(), &case.array("advert"));

    // Length ‖ type 16 ‖ UUID, little-endian ‖ advert.
    let mut structure = vec![1 + 2 + 20, 0x16];
    structure.extend(SERVICE_UUID.to_le_bytes());
    structure.extend(sealed.as_bytes());
    assert_eq!(structure, case.hex("ad_structure_16bit_service_data"));

    for opened in [ServiceData::from(sealed).open(&key), ServiceData::from(sealed).open_linked(&key)] {
        let opened = opened.expect("our own advert");
        assert_eq!(opened.as_bytes(), eid.as_bytes());
        assert_eq!(opened.routing_id(), routing);
        assert_eq!(opened.domain(), Ok(domain));
    }
}

fn heard(case: &Case) {
    let key = EidKey::new(&case.array("eid_key"));
    let data = case.hex("service_data");
    let heard = ServiceData::new(&data);
    let opened = heard.as_ref().and_then(|heard| heard.open(&key));
    match case.verdict() {
        "ignore" => assert!(opened.is_none()),
        "accept" => {
            assert_eq!(opened.expect("ours").as_bytes(), &case.array("plaintext"));
            let suffix = heard.as_ref().unwrap().suffix();
            assert_eq!(suffix.bytes, data[20..]);
            assert_eq!(suffix.psm.map(u64::from), case.get("psm").as_u64());
        }
        "either" => {}
        other => unknown(other),
    }
}
