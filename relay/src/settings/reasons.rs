//! Why a default is what it is: read from `defaults.rs` itself, so that
//! there is one place that says it.

const DEFAULTS: &str = include_str!("../defaults.rs");

/// What stands above this constant in `defaults.rs`.
pub(super) fn reason(constant: &str) -> Option<String> {
    let declaration = format!("pub const {constant}:");
    let before = DEFAULTS.lines().take_while(|line| !line.starts_with(&declaration));
    let before: Vec<&str> = before.collect();
    let comment = before.iter().rev().map_while(|line| line.strip_prefix("///")).map(str::trim);
    let mut lines: Vec<&str> = comment.collect();
    lines.reverse();
    let found = before.len() < DEFAULTS.lines().count() && !lines.is_empty();
    found.then(|| lines.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::rows;

    #[test]
    fn every_default_has_its_reason() {
        let constants: Vec<_> = rows().iter().filter_map(|row| row.constant).collect();
        assert!(constants.len() > 12, "{constants:?}");
        for constant in constants {
            let reason = reason(constant).unwrap_or_else(|| panic!("{constant} has no reason"));
            assert!(reason.len() > 20, "{constant}: {reason}");
        }
        assert_eq!(reason("NOTHING_OF_THE_KIND"), None);
        assert!(reason("STALL").unwrap().starts_with("How long a side may take nothing"));
    }
}
