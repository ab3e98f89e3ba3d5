//! Looks through the memory of another process.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufRead;
use std::os::unix::fs::FileExt;

/// How much of a secret is worth finding, in bytes.
const WINDOW: usize = 16;

/// Secrets by name, as they would lie in memory.
#[derive(Default)]
pub(crate) struct Secrets {
    windows: HashMap<[u8; WINDOW], String>,
    names: Vec<String>,
}

impl Secrets {
    pub(crate) fn add(&mut self, name: &str, secret: &[u8]) {
        assert!(secret.len() >= WINDOW, "{name} is too short to be found");
        let backwards: Vec<u8> = secret.iter().rev().copied().collect();
        for way in [secret, &backwards] {
            for window in way.windows(WINDOW) {
                // A window of one value repeated would be found everywhere.
                assert!(window.iter().any(|byte| *byte != window[0]), "{name}");
                self.windows.insert(window.try_into().unwrap(), name.to_owned());
            }
        }
        self.names.push(name.to_owned());
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }
}

/// A place at which some of a secret lies.
#[derive(Debug)]
#[allow(dead_code, reason = "printed when a test fails")]
pub(crate) struct Found {
    pub(crate) secret: String,
    map: String,
    address: u64,
    windows: usize,
}

/// Reads every map that can be read, but for the kernel's own. Once more from
/// the beginning if one went away meanwhile, with a thread that ended late.
pub(crate) fn search(process: u32, secrets: &Secrets) -> Vec<Found> {
    let found = (0..10).find_map(|_| search_once(process, secrets));
    found.expect("a process that holds still")
}

fn search_once(process: u32, secrets: &Secrets) -> Option<Vec<Found>> {
    let maps = File::open(format!("/proc/{process}/maps")).unwrap();
    let memory = File::open(format!("/proc/{process}/mem")).unwrap();
    let mut starts = vec![false; 1 << 16];
    secrets.windows.keys().for_each(|window| starts[first_two(window)] = true);
    let (mut found, mut read): (Vec<Found>, usize) = (Vec::new(), 0);
    for line in std::io::BufReader::new(maps).lines() {
        let line = line.unwrap();
        let mut words = line.split_whitespace();
        let (range, rights, name) =
            (words.next().unwrap(), words.next().unwrap(), words.nth(3).unwrap_or("(heap)"));
        if !rights.starts_with('r') || ["[vvar]", "[vsyscall]", "[vvar_vclock]"].contains(&name) {
            continue;
        }
        let (start, end) = range.split_once('-').unwrap();
        let [start, end] = [start, end].map(|hex| u64::from_str_radix(hex, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(end - start).unwrap()];
        if memory.read_exact_at(&mut bytes, start).is_err() {
            if rights.starts_with("rw") {
                return None;
            }
            continue;
        }
        read += bytes.len();
        for (offset, window) in bytes.windows(WINDOW).enumerate() {
            if !starts[first_two(window)] {
                continue;
            }
            let Some(secret) = secrets.windows.get(window) else { continue };
            let address = start + offset as u64;
            // Windows beside each other are one place.
            match found.last_mut() {
                Some(last) if last.secret == *secret && last.address + last.windows as u64 == address => {
                    last.windows += 1;
                }
                _ => found.push(Found { secret: secret.clone(), map: name.to_owned(), address, windows: 1 }),
            }
        }
    }
    assert!(read > 1 << 20, "only {read} bytes were read");
    Some(found)
}

fn first_two(window: &[u8]) -> usize {
    usize::from(window[0]) << 8 | usize::from(window[1])
}
