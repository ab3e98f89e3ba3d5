//! Settings in layers, as the program sees them: flags, environment, file.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests stop where they fail"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A folder with one file of settings, and what is said beside it.
struct Desk {
    folder: TempDir,
}

struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Desk {
    fn with(text: &str) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("relay.toml"), text).unwrap();
        Self { folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("relay.toml")
    }

    fn config(&self, command: &str, flags: &[&str], variables: &[(&str, &str)]) -> Said {
        let mut run = Command::new(assert_cmd::cargo::cargo_bin!("cablecar-relay"));
        run.args(["config", command, "--config", "relay.toml"]).args(flags);
        run.env_clear().envs(variables.iter().copied()).current_dir(self.folder.path());
        said(&mut run)
    }

    fn fails(&self, flags: &[&str], variables: &[(&str, &str)], id: &str) -> String {
        let said = self.config("check", flags, variables);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{}", said.err);
        let error = said.err.lines().next().unwrap();
        assert!(error.starts_with("error: ") && error.ends_with(&format!("({id})")), "{}", said.err);
        assert!(said.err.lines().last().unwrap().starts_with("remedy: "), "{}", said.err);
        error.to_owned()
    }

    /// The effective value of a key, and the line above it.
    fn effective(&self, key: &str, flags: &[&str], variables: &[(&str, &str)]) -> (String, String) {
        let said = self.config("print", flags, variables);
        assert_eq!(said.code, Some(0), "{}", said.err);
        let lines: Vec<&str> = said.out.lines().collect();
        let at = lines.iter().position(|line| line.starts_with(&format!("{key} = "))).unwrap();
        (lines[at].split_once(" = ").unwrap().1.to_owned(), lines[at - 1].to_owned())
    }
}

fn said(command: &mut Command) -> Said {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

const GOOD: &str = "listen = [\"127.0.0.1:0\"]\nplain = true\n";

#[test]
fn a_flag_outranks_a_variable_outranks_the_file_outranks_the_default() {
    let file = "listen = [\"127.0.0.1:1\"]\nplain = true\n[limits]\nheld = \"3KiB\"\n";
    let (with, without) = (Desk::with(file), Desk::with(GOOD));
    let variable = [("CABLECAR_RELAY_HELD", "2KiB")];
    let flag = ["--held", "1KiB"];
    let pair = |value: &str, origin: &str| (value.to_owned(), origin.to_owned());
    assert_eq!(with.effective("held", &flag, &variable), pair("\"1KiB\"", "# From --held."));
    assert_eq!(with.effective("held", &[], &variable), pair("\"2KiB\"", "# From CABLECAR_RELAY_HELD."));
    assert_eq!(with.effective("held", &[], &[]), pair("\"3KiB\"", "# From relay.toml:4: limits.held."));
    let (value, reason) = without.effective("held", &[], &[]);
    assert_eq!(value, "\"64KiB\"");
    assert!(!reason.contains("From"), "{reason}");
    // a list replaces the weaker one
    let listen = with.effective("listen", &["--listen", "127.0.0.1:2", "--listen", "unix:a"], &[]);
    assert_eq!(listen.0, "[\"127.0.0.1:2\", \"unix:a\"]");
    // a switch can be taken back
    assert_eq!(with.effective("plain", &["--plain=false"], &[]).0, "false");
    assert_eq!(with.effective("plain", &[], &[("CABLECAR_RELAY_PLAIN", "false")]).0, "false");
}

#[test]
fn what_is_printed_reads_back_to_the_same() {
    let everything = "listen = [\"127.0.0.1:0\", \"unix:a b\"]\nplain = true\nrouting-id = \"0a0b0c\"\n\
        allow-origin = [\"a.example\"]\nexempt = [\"10.0.0.0/8\", \"2001:db8::/32\"]\nstate-dir = 'q\"\\'\n\
        limits = { ping = \"1500ms\", max-memory = \"1GiB\", max-connections = 9 }\n[log]\nlevel = \"trace\"\n";
    let first = Desk::with(everything).config("print", &["--node", "7", "--life", "77"], &[]);
    assert_eq!(first.code, Some(0), "{}", first.err);
    let second = Desk::with(&first.out).config("print", &[], &[]);
    assert_eq!(second.code, Some(0), "{}", second.err);
    let values = |text: &str| -> Vec<String> {
        text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
    };
    assert_eq!(values(&first.out), values(&second.out));
    for line in [
        "node = 7",
        "life = \"77s\"",
        "state-dir = \"q\\\"\\\\\"",
        "ping = \"1500ms\"",
        "max-connections = 9",
    ] {
        assert!(values(&first.out).contains(&line.to_owned()), "{line}: {}", first.out);
    }
    // whatever came of defaults comes of the file now
    assert!(first.out.contains("# Default") && second.out.contains("# From relay.toml:"));
}

#[test]
fn names_that_are_unknown_are_errors_in_the_file_and_warnings_in_the_environment() {
    let error =
        Desk::with("plain = true\n\n[limits]\nmax-mesage = 1\n").fails(&[], &[], "config.unknown-key");
    assert!(error.contains("relay.toml:4: there is no max-mesage in [limits]"), "{error}");
    assert!(error.contains("the nearest is max-message in [limits]"), "{error}");
    let error = Desk::with("[limit]\n").fails(&[], &[], "config.unknown-key");
    assert!(error.contains("relay.toml:1: there is no [limit]; the nearest is [limits]"), "{error}");
    let said = Desk::with(GOOD).config("check", &[], &[("CABLECAR_RELAY_HELT", "1")]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.err.contains("CABLECAR_RELAY_HELT is no setting"), "{}", said.err);
    assert!(
        said.err.contains("the nearest is CABLECAR_RELAY_HELD (config.unknown-variable)"),
        "{}",
        said.err
    );
}

#[test]
fn what_cannot_be_is_named_with_its_place() {
    let file = |line: &str| Desk::with(&format!("listen = [\"127.0.0.1:0\"]\nplain = true\n{line}\n"));
    for (line, complaint) in [
        ("region = 64", "relay.toml:3: region must be 0 to 63"),
        ("region = 256", "relay.toml:3: region cannot be \"256\": not a whole number from 0 to 255"),
        ("[limits]\nmax-message = \"2MiB\"", "relay.toml:4: limits.max-message must be 1 byte to 1 MiB"),
        (
            "[limits]\nlife = \"soon\"",
            "relay.toml:4: limits.life cannot be \"soon\": not a number of seconds or ms",
        ),
        ("[admin]\nlisten = \"0.0.0.0:1\"", "relay.toml:4: admin.listen must be a loopback address"),
        ("[log]\nformat = \"xml\"", "relay.toml:4: log.format cannot be \"xml\": none of: text json"),
        (
            "[proxy]\ntrusted = [\"10.0.0.1/8\"]",
            "relay.toml:4: proxy.trusted cannot be \"10.0.0.1/8\": the address has bits",
        ),
    ] {
        let error = file(line).fails(&[], &[], "config.setting");
        assert!(error.contains(complaint), "{error}");
    }
    let error = file("").fails(&[], &[("CABLECAR_RELAY_MAX_MESSAGE", "2MiB")], "config.setting");
    assert!(error.contains("error: CABLECAR_RELAY_MAX_MESSAGE must be 1 byte to 1 MiB"), "{error}");
    let error = file("").fails(&["--max-message", "2MiB"], &[], "config.setting");
    assert!(error.contains("error: --max-message must be 1 byte to 1 MiB"), "{error}");
    file("domain-id = 77").fails(&[], &[], "domain.unassigned");
    file("plain = true").fails(&[], &[], "config.toml");
    Desk::with("plain true").fails(&[], &[], "config.toml");
}

#[test]
fn the_file_can_be_named_by_a_variable() {
    let desk = Desk::with(GOOD);
    let check = |path: &Path| {
        let mut run = Command::new(assert_cmd::cargo::cargo_bin!("cablecar-relay"));
        said(run.args(["config", "check"]).env_clear().env("CABLECAR_RELAY_CONFIG", path))
    };
    let good = check(&desk.file());
    assert_eq!(good.code, Some(0), "{}", good.err);
    assert!(good.out.contains("listens on: 127.0.0.1:0"), "{}", good.out);
    let missing = check(&desk.folder.path().join("missing.toml"));
    assert_eq!(missing.code, Some(2));
    assert!(missing.err.contains("missing.toml") && missing.err.contains("(config.file)"), "{}", missing.err);
}
