//! Writes the manual and the completions: `cargo papers`.

#![allow(clippy::print_stdout, reason = "it says what it did")]

use std::path::Path;

fn main() -> std::io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let written = cablecar_tests::manual::write(&root)?;
    println!("{written} files in {}", cablecar_tests::manual::FOLDERS.join(" and "));
    Ok(())
}
