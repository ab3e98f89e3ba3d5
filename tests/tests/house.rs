//! The house itself: who may depend on whom, what lies at the top, and what
//! every crate signs up to. `docs/architecture.md` draws the picture; here it
//! is asked of cargo and of the files.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails, also in its own functions"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

const PROTOCOL: &str = "cablecar-protocol";
const SHELLS: [&str; 3] = ["cablecar-relay", "cablecar", "cablecar-phone"];
/// A door of the computer's that OpenSSH loads. It is a crate of its own because
/// it is a C library, and because C's interface is the one thing that cannot be
/// had without `unsafe`.
const SSH: &str = "cablecar-ssh-provider";
/// Where that is, and nowhere else.
const UNSAFE: &str = "desktop-client/ssh-provider/src/ffi";
const TESTS: &str = "cablecar-tests";

/// The most lines in one source file; past this, it is split by subject.
const LONGEST: usize = 450;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn house() -> &'static Metadata {
    static HOUSE: OnceLock<Metadata> = OnceLock::new();
    HOUSE.get_or_init(|| {
        // For this platform and offline: whoever built this test has fetched
        // that much, and no more.
        let options = ["--locked", "--offline", "--filter-platform", &platform()].map(String::from);
        let mut command = MetadataCommand::new();
        command.manifest_path(root().join("Cargo.toml")).other_options(options).exec().unwrap()
    })
}

fn platform() -> String {
    let said = Command::new("rustc").arg("-vV").output().unwrap().stdout;
    let said = String::from_utf8(said).unwrap();
    said.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

fn members() -> BTreeMap<String, &'static Package> {
    house().workspace_packages().into_iter().map(|package| (package.name.to_string(), package)).collect()
}

/// The members that a member names, for its code or for its tests.
fn named(package: &Package, for_tests_too: bool) -> BTreeSet<String> {
    let members = members();
    let counted = |kind| kind != DependencyKind::Development || for_tests_too;
    let dependencies = package.dependencies.iter().filter(|one| counted(one.kind));
    // A crate that names itself turns on its own features for its tests.
    let others = dependencies.filter(|one| one.name != *package.name);
    others.map(|one| one.name.clone()).filter(|name| members.contains_key(name)).collect()
}

/// All that is linked into a member, however far down, on this platform;
/// `.deny.toml` says the same of all.
fn everything_under(name: &str) -> BTreeSet<String> {
    let resolve = house().resolve.as_ref().unwrap();
    let nodes: BTreeMap<_, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let mut found = BTreeSet::new();
    let mut left = vec![&members()[name].id];
    while let Some(id) = left.pop() {
        if !found.insert(id) {
            continue;
        }
        let linked = nodes[id]
            .deps
            .iter()
            .filter(|dep| dep.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development));
        left.extend(linked.map(|dep| &dep.pkg));
    }
    found.into_iter().map(|id| house()[id].name.to_string()).collect()
}

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(String::from).into()
}

#[test]
fn the_arrows_point_down() {
    let members = members();
    let [relay, computer, phone] = SHELLS;
    assert_eq!(
        members.keys().cloned().collect::<BTreeSet<_>>(),
        set([PROTOCOL, relay, computer, SSH, phone, TESTS])
    );
    assert_eq!(named(members[PROTOCOL], true), set([]));
    for shell in SHELLS {
        assert_eq!(named(members[shell], true), set([PROTOCOL]), "{shell}");
    }
    // What is behind its C interface is the computer's.
    assert_eq!(named(members[SSH], true), set([PROTOCOL, computer]));
    assert_eq!(named(members[TESTS], false), set([PROTOCOL, relay, computer, phone]));
}

#[test]
fn the_protocol_knows_no_sockets_no_clock_and_no_waiting() {
    let under = everything_under(PROTOCOL);
    assert!(under.contains("snow"), "{under:?}");
    for shell_matter in [
        "tokio",
        "futures",
        "futures-core",
        "futures-util",
        "async-trait",
        "mio",
        "socket2",
        "hyper",
        "tungstenite",
        "tokio-tungstenite",
        "rustls",
        "url",
        "time",
        "chrono",
        "clap",
        "btleplug",
        "rand",
    ] {
        assert!(!under.contains(shell_matter), "{PROTOCOL} reaches {shell_matter}");
    }
}

#[test]
fn what_is_shipped_builds_with_cargo_and_cc_alone() {
    for name in [&SHELLS[..], &[PROTOCOL, SSH]].concat() {
        let under = everything_under(name);
        for wanting in ["openssl-sys", "native-tls", "cmake", "bindgen", "aws-lc-sys", "vcpkg"] {
            assert!(!under.contains(wanting), "{name} reaches {wanting}");
        }
        assert!(!under.contains(TESTS) && !under.contains("webauthn-rs-core"), "{name} reaches the tests");
        // ring brings its C along, and so does libdbus, see below; nothing
        // else may look for a library.
        for package in house().packages.iter().filter(|package| under.contains(package.name.as_str())) {
            let links = package.links.as_deref().unwrap_or_default();
            assert!(
                links.is_empty() || links == "dbus" || links.starts_with("ring_core"),
                "{name}: {} links {links}",
                package.name
            );
        }
    }
}

/// BlueZ is reached over D-Bus, through libdbus. Its crate brings the C source
/// along and compiles it, if the feature `vendored` is on; then it does not run
/// pkg-config, which it names as a dependency all the same.
#[test]
fn libdbus_is_brought_along_and_nobody_else_asks_for_pkg_config() {
    let resolve = house().resolve.as_ref().unwrap();
    let name = |id| house()[id].name.as_str();
    let shipped: BTreeSet<_> =
        [&SHELLS[..], &[SSH]].concat().into_iter().flat_map(everything_under).collect();
    for node in resolve.nodes.iter().filter(|node| shipped.contains(name(&node.id))) {
        let asks = node.deps.iter().any(|dep| name(&dep.pkg) == "pkg-config");
        assert!(!asks || name(&node.id) == "libdbus-sys", "{} asks for pkg-config", name(&node.id));
        if name(&node.id) == "libdbus-sys" {
            let vendored = node.features.iter().any(|feature| feature.as_str() == "vendored");
            assert!(vendored, "libdbus would be looked for with pkg-config");
        }
    }
}

#[test]
fn every_crate_keeps_the_house_rules() {
    for (name, package) in members() {
        let manifest = fs::read_to_string(&package.manifest_path).unwrap();
        if name == SSH {
            // Cargo takes the workspace's lints whole or not at all.
            let all = fs::read_to_string(root().join("Cargo.toml")).unwrap();
            assert_eq!(
                lints(&manifest),
                lints(&all).replace("unsafe_code = \"forbid\"", "unsafe_code = \"deny\"")
            );
        } else {
            assert!(manifest.contains("\n[lints]\nworkspace = true\n"), "{name} does without the lints");
        }
        assert_eq!(package.license.as_deref(), Some("MIT OR Apache-2.0"), "{name}");
        assert_eq!(package.publish.as_deref(), Some(&[][..]), "{name} could be published by mistake");
    }
}

/// The tables of lints of a manifest, one line each lint, without the word for
/// where they are.
fn lints(manifest: &str) -> String {
    let (_, from) = manifest.split_once("lints.rust]").unwrap();
    let tables = from.split("\n[").take(2).collect::<Vec<_>>().join("\n[");
    assert!(tables.contains("unwrap_used"), "{tables}");
    tables.replace("[workspace.", "[").trim().to_owned()
}

#[test]
fn the_top_level_holds_what_it_must_and_nothing_else() {
    let expected = set([
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "desktop-client",
        "docs",
        "phone-agent",
        "protocol",
        "relay",
        "tests",
    ]);
    let found: BTreeSet<String> = entries(&root())
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        // The build folder, and what tools look for, are nobody's furniture.
        .filter(|name| name != "target" && !name.starts_with('.'))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn no_source_file_is_too_long_or_unsafe() {
    let (mut read, mut unsafe_files) = (0, BTreeSet::new());
    for folder in
        ["protocol", "relay", "desktop-client", "desktop-client/ssh-provider", "phone-agent", "tests"]
    {
        for file in sources(&root().join(folder).join("src")) {
            let text = fs::read_to_string(&file).unwrap();
            let file = file.strip_prefix(root()).unwrap().to_owned();
            let (lines, is_test) = (text.lines().count(), file.ends_with("tests.rs"));
            assert!(is_test || lines <= LONGEST, "{}: {lines} lines", file.display());
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            for line in code.filter(|line| line.contains("unsafe ") || line.contains("unsafe(")) {
                assert!(file.to_str().unwrap().starts_with(UNSAFE), "{}: {line}", file.display());
                unsafe_files.insert(file.clone());
            }
            read += 1;
        }
    }
    assert!(read > 50, "only {read} source files were found");
    // The file and its tests: small enough to be read as a whole.
    assert_eq!(unsafe_files.len(), 2, "{unsafe_files:?}");
}

#[test]
fn no_file_is_a_drawer_for_everything() {
    for folder in
        ["protocol", "relay", "desktop-client", "desktop-client/ssh-provider", "phone-agent", "tests"]
    {
        for file in sources(&root().join(folder).join("src")) {
            let name = file.file_stem().unwrap().to_str().unwrap();
            assert!(!["common", "util", "utils", "helpers", "types"].contains(&name), "{}", file.display());
        }
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let (folders, files): (Vec<_>, Vec<_>) = entries(folder).into_iter().partition(|path| path.is_dir());
    let mut found: Vec<_> =
        files.into_iter().filter(|path| path.extension().is_some_and(|e| e == "rs")).collect();
    found.extend(folders.iter().flat_map(|folder| sources(folder)));
    found
}
