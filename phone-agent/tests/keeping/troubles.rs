//! What can happen to a vault, as the program names it. The library's own
//! tests look closer: `src/vault/tests.rs`.

use std::fs;

use cablecar_phone::vault::Passkey;
use sha2::{Digest, Sha256};

use crate::home::{Home, code, err, passkey};

/// What the program says of the vault, and that it did not crash.
fn said_of(home: &Home, bytes: &[u8]) -> String {
    fs::write(home.vault(), bytes).unwrap();
    let output = home.run(&["list"]);
    let said = err(&output);
    assert!(matches!(code(&output), 0 | 1) && !said.contains("panicked"), "{said}");
    let error = said.lines().find(|line| line.starts_with("error: "));
    error
        .map_or_else(|| "opened".into(), |line| line.rsplit('(').next().unwrap().trim_end_matches(')').into())
}

#[test]
fn no_byte_of_a_vault_can_be_flipped_in_silence() {
    let home = Home::with_vault();
    let good = home.bytes();
    for offset in 0..good.len() {
        let mut bad = good.clone();
        bad[offset] ^= 0x41;
        let expected = match offset {
            0..8 => "vault.not-a-vault",
            8..10 => "vault.unknown-version",
            _ => "vault.damaged",
        };
        assert_eq!(said_of(&home, &bad), expected, "offset {offset}");
    }
    assert_eq!(said_of(&home, &good), "opened");
}

#[test]
fn a_vault_cut_off_at_any_length_is_truncated() {
    let home = Home::with_vault();
    let good = home.bytes();
    for length in 0..good.len() {
        assert_eq!(said_of(&home, &good[..length]), "vault.truncated", "length {length}");
    }
}

#[test]
fn swapped_and_missing_records_are_noticed() {
    let home = Home::with_three();
    let good = home.bytes();
    let mut records = Vec::new();
    let mut rest = &good[98..good.len() - 32];
    while !rest.is_empty() {
        let length = 44 + usize::try_from(u32::from_be_bytes(rest[16..20].try_into().unwrap())).unwrap();
        let (record, others) = rest.split_at(length);
        records.push(record);
        rest = others;
    }
    let with = |order: &[usize]| {
        let mut bytes = good[..94].to_vec();
        bytes.extend(u32::try_from(order.len()).unwrap().to_be_bytes());
        order.iter().for_each(|index| bytes.extend_from_slice(records[*index]));
        bytes.extend_from_slice(&good[good.len() - 32..]);
        let length = u64::try_from(bytes.len()).unwrap();
        bytes[10..18].copy_from_slice(&length.to_be_bytes());
        let sum = Sha256::digest(&bytes[..86]);
        bytes[86..94].copy_from_slice(&sum[..8]);
        bytes
    };
    assert_eq!(said_of(&home, &with(&[0, 1, 2])), "opened");
    for order in [&[1, 0, 2][..], &[0, 1], &[0, 1, 2, 2], &[]] {
        assert_eq!(said_of(&home, &with(order)), "vault.damaged", "{order:?}");
    }
}

#[test]
fn of_what_stands_in_a_vault_nothing_can_be_read() {
    let home = Home::with_three();
    home.add(Passkey {
        blob: Some(b"a-telling-blob".to_vec()),
        ..passkey("secretive.example", "zaphod", 0x77)
    });
    home.done(&["backup", "backup"]);
    for file in [home.vault(), home.at("backup")] {
        let bytes = fs::read(&file).unwrap();
        for word in ["example", "secretive", "alice", "zaphod", "telling", "wwwwwwww", "right"] {
            assert!(!bytes.windows(word.len()).any(|window| window == word.as_bytes()), "{word}");
        }
        // Behind the header the file is noise: no byte is much more frequent
        // than chance has it, and no text of six letters stands anywhere.
        let body = &bytes[98..];
        let mut counts = [0_u32; 256];
        body.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
        let total = f64::from(u32::try_from(body.len()).unwrap());
        let entropy: f64 = counts
            .iter()
            .filter(|count| **count > 0)
            .map(|count| f64::from(*count) / total)
            .map(|share| -share * share.log2())
            .sum();
        assert!(entropy > 7.0, "{entropy} bits a byte of {total} bytes");
        let longest = body.split(|byte| !byte.is_ascii_lowercase()).map(<[u8]>::len).max().unwrap();
        assert!(longest < 6, "a text of {longest} letters");
    }
}

/// Two times twenty processes, two at a time, each with a passkey to bring.
#[test]
fn two_programs_at_once_lose_nothing() {
    let home = Home::with_vault();
    for id in 0..40 {
        let other = Home::with_vault();
        other.add(passkey("example.com", &format!("user{id}"), id));
        fs::copy(other.vault(), home.at(&format!("brought{id}"))).unwrap();
    }
    std::thread::scope(|scope| {
        for half in [0..20, 20..40] {
            let home = &home;
            scope.spawn(move || half.for_each(|id| drop(home.done(&["restore", &format!("brought{id}")]))));
        }
    });
    let mut names: Vec<String> = home.open().passkeys().filter_map(|one| one.user.name.clone()).collect();
    names.sort_by_key(|name| name.trim_start_matches("user").parse::<u32>().unwrap());
    assert_eq!(names, (0..40).map(|id| format!("user{id}")).collect::<Vec<_>>());
}

#[test]
fn a_vault_that_is_held_is_in_use_and_as_it_was() {
    let home = Home::with_three();
    let before = home.bytes();
    let lock = fs::File::open(home.vault().with_file_name("vault.lock")).unwrap();
    lock.lock().unwrap();
    home.fails(&["remove", "one.example", "--yes"], 1, "vault.in-use");
    assert_eq!(home.bytes(), before);
    // Reading waits for nobody.
    assert_eq!(home.done(&["list"]).lines().count(), 3);
}

#[test]
fn without_room_a_change_leaves_the_vault_as_it_was() {
    let home = Home::with_three();
    let before = home.bytes();
    let program = assert_cmd::cargo::cargo_bin("cablecar-phone");
    let script = "trap '' XFSZ; ulimit -f 0; exec \"$0\" remove one.example --yes --passphrase-file right";
    let mut command = assert_cmd::Command::new("sh");
    command.args(["-c", script]).arg(program).env("HOME", home.path()).current_dir(home.path());
    crate::home::assert_fails(&command.output().unwrap(), 1, "vault.disk-full");
    assert_eq!(home.bytes(), before);
    let mut left: Vec<_> = fs::read_dir(home.vault().parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["vault", "vault.lock"]);
}

#[test]
fn an_older_copy_is_named_and_the_way_on_is_told() {
    let home = Home::with_three();
    let old = home.bytes();
    home.done(&["remove", "one.example", "--yes"]);
    fs::write(home.vault(), &old).unwrap();
    let said = home.fails(&["show", "one.example"], 1, "vault.rolled-back");
    assert!(said.contains("--accept-rollback"), "{said}");
    // A change is refused as well, and the copy stays as it is.
    home.fails(&["remove", "two.example", "--yes"], 1, "vault.rolled-back");
    assert_eq!(home.bytes(), old);
    home.done(&["list", "--accept-rollback"]);
    assert_eq!(home.done(&["list"]).lines().count(), 3);
}
