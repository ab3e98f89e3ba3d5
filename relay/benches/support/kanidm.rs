//! Where kanidm's relay is: `cable-tunnel-server-backend`, built for release.

use std::path::{Path, PathBuf};

use super::figures;

/// The one that $`CABLECAR_KANIDM_RELAY` names, or what was installed by
/// `cargo install … --root target/judges/floor`; said if there is none.
pub(crate) fn program() -> Option<PathBuf> {
    let named = std::env::var_os("CABLECAR_KANIDM_RELAY").map(PathBuf::from);
    let built = figures::target().join("judges/floor/bin/cable-tunnel-server-backend");
    let found = named.or(Some(built)).filter(|path: &PathBuf| Path::exists(path));
    if found.is_none() {
        println!("  skipped: kanidm's relay is not there");
    }
    found
}
