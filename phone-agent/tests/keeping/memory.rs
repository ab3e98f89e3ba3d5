//! What the system is told about the memory of the program (T20).

#![cfg(target_os = "linux")]

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use crate::home::Home;

/// Nobody: for root everything is root's, and no difference is seen.
const NOBODY: u32 = 65534;

#[test]
fn t20_the_program_leaves_no_core_and_lets_nobody_look() {
    let home = Home::with_vault();
    let me = fs::metadata(home.path()).unwrap().uid();
    let user = if me == 0 { NOBODY } else { me };
    let program = home.at("program");
    fs::copy(assert_cmd::cargo::cargo_bin("cablecar-phone"), &program).unwrap();
    // A named pipe as passphrase file: the program waits at it.
    let pipe = home.at("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    if me == 0 {
        give_away(home.path());
    }
    let start = |command: &mut Command| {
        if me == 0 {
            command.uid(NOBODY).gid(NOBODY);
        }
        command.env("HOME", home.path()).current_dir(home.path()).stdout(Stdio::piped()).spawn().unwrap()
    };
    let child = start(Command::new(&program).args(["list", "--passphrase-file", "pipe"]));
    // Opens once the program has opened it too.
    let mut passphrase = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().filter(|word| *word == "0").count(), 2, "{core}");
    // The memory of a process belongs to its user, and to root if it must not
    // be dumped.
    let owner = |process: u32| fs::metadata(format!("/proc/{process}/mem")).unwrap().uid();
    assert_eq!(owner(child.id()), 0);
    let mut ordinary = start(Command::new("cat").stdin(Stdio::piped()));
    // It is another's until it has begun.
    let seen = (0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        owner(ordinary.id()) == user
    });
    assert!(seen, "an ordinary process shows the difference");
    drop(ordinary.stdin.take());
    ordinary.wait().unwrap();
    passphrase.write_all(b"right\n").unwrap();
    drop(passphrase);
    assert!(child.wait_with_output().unwrap().status.success());
}

fn give_away(path: &std::path::Path) {
    chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    if fs::symlink_metadata(path).unwrap().is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| give_away(&entry.unwrap().path()));
    }
}
