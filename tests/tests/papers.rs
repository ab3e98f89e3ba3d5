//! The papers say what the code says.

#![allow(clippy::unwrap_used, reason = "a panic is a verdict")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cablecar_tests::manual;

/// A file of the project.
fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    fs::read_to_string(root.join(path)).unwrap_or_else(|cause| panic!("{path}: {cause}"))
}

/// Whether this looks like a stable id: two words, or more with hyphens,
/// around one dot.
fn is_id(text: &str) -> bool {
    let word = |w: &str| !w.is_empty() && w.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    text.split_once('.').is_some_and(|(kind, name)| word(kind) && word(name))
}

/// What stands between these marks.
fn between(text: &str, mark: char) -> impl Iterator<Item = &str> {
    text.lines().flat_map(move |line| line.split(mark).skip(1).step_by(2)).filter(|t| is_id(t))
}

#[test]
fn every_id_of_an_error_is_in_the_list_and_no_other() {
    let sources = [
        "desktop-client/src/doctor/relay.rs",
        "desktop-client/src/doctor/ssh.rs",
        "desktop-client/src/doors/browser_host/fault.rs",
        "desktop-client/src/doors/virtual_key/uhid.rs",
        "desktop-client/src/error.rs",
        "desktop-client/src/install/fault.rs",
        "desktop-client/src/proximity/fault.rs",
        "desktop-client/src/screen.rs",
        "phone-agent/src/doctor/relay.rs",
        "phone-agent/src/doctor/vault.rs",
        "phone-agent/src/error.rs",
        "phone-agent/src/error/advice.rs",
        "phone-agent/src/exchange/error.rs",
        "phone-agent/src/proximity/error.rs",
        "phone-agent/src/screen.rs",
        "relay/src/error.rs",
        "relay/src/probe/finding.rs",
        "relay/src/warning.rs",
    ];
    let code: Vec<String> = sources.iter().map(|path| read(path)).collect();
    let in_code: BTreeSet<&str> = code.iter().flat_map(|text| between(text, '"')).collect();
    let paper = read("docs/errors.md");
    let files = |id: &&str| id.ends_with(".rs") || id.ends_with(".md");
    let in_paper: BTreeSet<&str> = between(&paper, '`').filter(|id| !files(id)).collect();
    assert!(in_code.len() > 50, "the code has more errors than that: {in_code:?}");
    assert_eq!(in_code.difference(&in_paper).collect::<Vec<_>>(), Vec::<&&str>::new(), "not in the list");
    assert_eq!(in_paper.difference(&in_code).collect::<Vec<_>>(), Vec::<&&str>::new(), "not in the code");
}

#[test]
fn the_readme_has_its_two_commands() {
    let readme = read("README.md");
    for command in ["cargo run --release --bin demo", "tests/run"] {
        assert!(readme.lines().any(|line| line == format!("$ {command}")), "{command}");
    }
}

#[test]
fn every_page_that_a_page_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut pages = vec![root.join("README.md")];
    for folder in ["docs", "docs/decisions"] {
        pages.extend(fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path()));
    }
    let mut links = 0;
    for page in pages.iter().filter(|page| page.extension().is_some_and(|e| e == "md")) {
        let text = fs::read_to_string(page).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = target.split('#').next().unwrap();
            if path.is_empty() || path.contains("://") {
                continue;
            }
            assert!(page.parent().unwrap().join(path).exists(), "{}: {target}", page.display());
            links += 1;
        }
    }
    assert!(links > 30, "only {links} links were found");
}

#[test]
fn the_manual_and_the_completions_are_what_the_programs_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let pages = manual::pages().unwrap();
    let mut stale: Vec<String> = Vec::new();
    for (path, page) in &pages {
        if fs::read(root.join(path)).ok().as_ref() != Some(page) {
            stale.push(path.clone());
        }
    }
    for folder in manual::FOLDERS {
        for entry in fs::read_dir(root.join(folder)).into_iter().flatten() {
            let path = format!("{folder}/{}", entry.unwrap().file_name().to_string_lossy());
            if !pages.contains_key(&path) {
                stale.push(path);
            }
        }
    }
    assert_eq!(stale, [""; 0], "stale: cargo papers writes them");
    for program in ["cablecar", "cablecar-phone", "cablecar-relay"] {
        assert!(pages.contains_key(&format!("docs/man/{program}.1")), "{program} has no page");
    }
    let get = String::from_utf8(pages["docs/man/cablecar-get.1"].clone()).unwrap();
    for said in ["\\-\\-danger\\-air", "CABLECAR_ADAPTER", "\\-\\-show"] {
        assert!(get.contains(said), "{said} in {get}");
    }
}
