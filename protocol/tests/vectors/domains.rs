use std::fmt::Write as _;

use cablecar_protocol::tunnel::TunnelServiceDomain;
use sha2::{Digest, Sha256};

use crate::case::{Case, File, hex};

#[test]
fn domains() {
    let file = File::open("domains", &["assigned", "unknown", "all_hashed_sha256", "hashed"]);
    let names = |case: &Case| {
        let id = case.path.rsplit('[').next().unwrap().trim_end_matches(']').parse().unwrap();
        let domain = TunnelServiceDomain::new(id).unwrap();
        assert_eq!(domain.host(), case.value.as_str().unwrap());
        assert_eq!(domain.id(), id);
    };
    file.each("assigned", names);
    file.each("hashed", names);
    file.each("unknown", |case| {
        let id = u16::try_from(case.value.as_u64().unwrap()).unwrap();
        assert!(TunnelServiceDomain::new(id).is_err());
    });
    let all = file.entry("all_hashed_sha256");
    file.run(&all, || {
        let lines = TunnelServiceDomain::all_hashed().fold(String::new(), |mut lines, domain| {
            writeln!(lines, "{} {}", domain.id(), domain.host()).unwrap();
            lines
        });
        assert_eq!(hex(&Sha256::digest(lines)), all.value.as_str().unwrap());
    });
    file.finish();
}
