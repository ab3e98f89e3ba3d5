//! What a passkey made or used through the local pipe costs over what it
//! cannot avoid.
//!
//! ```text
//! cargo bench -p cablecar-phone --bench pipe                 prints
//! cargo bench -p cablecar-phone --bench pipe -- --check      and fails above the target
//! ```
//!
//! *Through the pipe*: from the frame's first byte written to the answer's last
//! byte read, with the program as a process and `--danger-consent allow` in the
//! place of a person. *Floor* of makeCredential: one key pair by the same
//! library, and the write that stores the passkey in a vault of the same size;
//! of getAssertion: one signature. Attestation is `none`, which takes no second
//! signature. What of the write is the file system's is printed beside: the
//! same number of bytes written beside, forced to the disk, renamed, and the
//! folder forced to the disk.
//!
//! Both take turns within one run, so that a busy machine slows both; only
//! their ratio is judged. All of it shares one core: they never work at once,
//! and how long an idle core takes to wake, as long as a signature on a virtual
//! machine, is nobody's work.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stdout,
    reason = "a bench prints, and fails by panicking"
)]

use std::fs::{self, File, OpenOptions};
use std::hint::black_box;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cablecar_phone::passphrase::Passphrase;
use cablecar_phone::vault::{Algorithm, Kdf, Passkey, Unlocked, Vault};
use cablecar_protocol::cbor::Writer;
use cablecar_protocol::ctap::{RelyingParty, User, make_credential};
use cablecar_protocol::pipe;
use p256::ecdsa::signature::Signer;
use rand_core::OsRng;

/// The most that a request may cost, in floors.
const TARGET: f64 = 1.3;
/// Warm-up rounds, which are not counted.
const WARM_UP: usize = 20;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let has = |name: &str| args.iter().any(|arg| arg == name);
    // `cargo test --benches` runs this too, to see that it runs.
    let rounds = if has("--bench") && !has("--test") { 400 } else { 1 };

    #[cfg(target_os = "linux")]
    stay_on_one_core();
    // Where the program was built, and not in memory: a disk is part of it.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let state = folder.path().join("state");
    let mut phone = Phone::start(&state);
    drop(phone.make());
    let key = p256::ecdsa::SigningKey::random(&mut OsRng);

    let (mut vault, mut bare) = (own_vault(folder.path()), Vec::new());
    let made = compare(
        rounds,
        &mut phone,
        |phone| drop(phone.make()),
        || {
            let started = Instant::now();
            let passkey = passkey();
            black_box(passkey.key.public());
            vault.add(passkey, &mut OsRng).unwrap();
            let floor = started.elapsed();
            let bytes = fs::read(state.join("vault")).unwrap();
            let started = Instant::now();
            write_and_rename(folder.path(), &bytes);
            bare.push(started.elapsed());
            floor
        },
    );
    let used = compare(
        rounds,
        &mut phone,
        |phone| phone.use_one(),
        || {
            let started = Instant::now();
            let signature: p256::ecdsa::Signature = key.sign(&[7; 37 + 32]);
            black_box(signature);
            started.elapsed()
        },
    );
    phone.end();

    println!("rounds              {rounds}");
    let met = [made.report("makeCredential", "key pair, write"), used.report("getAssertion", "signature")];
    println!("the disk's part     {:.1} µs   (median)", micros(median(&bare)));
    println!("target              {TARGET:.2}");
    if has("--check") && rounds >= WARM_UP && met.contains(&false) {
        std::process::exit(1);
    }
}

/// This process, and with it the program that it starts.
#[cfg(target_os = "linux")]
fn stay_on_one_core() {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    let allowed = sched_getaffinity(None).unwrap();
    let mut one = CpuSet::new();
    one.set((0..CpuSet::MAX_CPU).rfind(|core| allowed.is_set(*core)).unwrap());
    sched_setaffinity(None, &one).unwrap();
}

/// Times both, turn by turn.
fn compare(
    rounds: usize,
    phone: &mut Phone,
    mut whole: impl FnMut(&mut Phone),
    mut floor: impl FnMut() -> Duration,
) -> Samples {
    let mut samples = Samples::default();
    let warm_up = WARM_UP.min(rounds);
    for round in 0..rounds + warm_up {
        let mut through = || {
            let started = Instant::now();
            whole(phone);
            started.elapsed()
        };
        // Who goes first changes, so that nobody always finds the cache warm.
        let (whole, floor) = if round % 2 == 0 {
            let floor = floor();
            (through(), floor)
        } else {
            let whole = through();
            (whole, floor())
        };
        if round >= warm_up {
            samples.whole.push(whole);
            samples.floor.push(floor);
        }
    }
    samples
}

/// A vault like the program's, open.
fn own_vault(folder: &Path) -> Unlocked {
    let vault = Vault::in_file(folder.join("vault"), Some(folder.to_owned()));
    let passphrase = Passphrase::new(b"correct horse battery staple".to_vec()).unwrap();
    vault.create(&passphrase, Kdf::DANGER_WEAK, &mut OsRng).unwrap();
    vault.unlock(&passphrase).unwrap()
}

/// What the program makes: a passkey in the place of the last.
fn passkey() -> Passkey {
    let rp = RelyingParty { id: "example.com".into(), name: None };
    let user = User { id: b"1".to_vec(), name: Some("alice".into()), display_name: None };
    Passkey::random(Algorithm::Es256, rp, user, 0, &mut OsRng).unwrap()
}

/// What the vault does with its bytes, and no more.
fn write_and_rename(folder: &Path, bytes: &[u8]) {
    let (new, path) = (folder.join(".floor.new"), folder.join("floor"));
    let mut file = OpenOptions::new().create_new(true).write(true).open(&new).unwrap();
    file.write_all(bytes).unwrap();
    file.sync_all().unwrap();
    fs::rename(&new, &path).unwrap();
    File::open(folder).unwrap().sync_all().unwrap();
}

/// The program, at the other end of a pipe.
struct Phone(Child);

impl Phone {
    fn start(state: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cablecar-phone"));
        command.args(["ctap", "--stdio", "--danger-consent", "allow", "--state"]).arg(state);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }

    /// The body of the answer.
    fn ask(&mut self, request: &[u8]) -> Vec<u8> {
        self.0.stdin.as_mut().unwrap().write_all(&pipe::Command::Cbor.frame(request)).unwrap();
        let stdout = self.0.stdout.as_mut().unwrap();
        loop {
            let mut header = [0; pipe::HEADER];
            stdout.read_exact(&mut header).unwrap();
            let length = u32::from_be_bytes(header[1..].try_into().unwrap());
            let mut payload = vec![0; length as usize];
            stdout.read_exact(&mut payload).unwrap();
            if pipe::Command::of(header[0]) == pipe::Command::Cbor {
                assert_eq!(payload[0], 0, "status {:02x}", payload[0]);
                return payload.split_off(1);
            }
        }
    }

    /// Makes a passkey in the place of the last, and gives its id.
    fn make(&mut self) -> Vec<u8> {
        let text = |text: &'static str| move |w: &mut Writer| w.text(text);
        let parameters = Writer::map_of(|map| {
            map.entry(1, |w| w.bytes(&[7; 32]));
            map.entry(2, |w| {
                w.map(|rp| {
                    rp.text_entry("id", text("example.com"));
                })
            });
            map.entry(3, |w| {
                w.map(|user| {
                    user.text_entry("id", |w| w.bytes(b"1")).text_entry("name", text("alice"));
                });
            });
            map.entry(4, |w| {
                w.array(|all| {
                    all.push(|w| {
                        w.map(|one| {
                            one.text_entry("alg", |w| w.int(-7)).text_entry("type", text("public-key"));
                        });
                    });
                });
            });
            map.entry(7, |w| {
                w.map(|options| {
                    options.text_entry("rk", |w| w.bool(true));
                })
            });
            map.entry(11, |w| w.array(|formats| formats.push(text("none"))));
        });
        let body = self.ask(&[&[0x01], &parameters[..]].concat());
        let made = make_credential::Response::parse(&body).unwrap();
        assert_eq!(made.format, "none");
        made.authenticator_data.attested.unwrap().id
    }

    /// Uses the passkey of the account.
    fn use_one(&mut self) {
        let parameters = Writer::map_of(|map| {
            map.entry(1, |w| w.text("example.com"));
            map.entry(2, |w| w.bytes(&[7; 32]));
        });
        self.ask(&[&[0x02], &parameters[..]].concat());
    }

    fn end(mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().unwrap().success());
    }
}

#[derive(Default)]
struct Samples {
    whole: Vec<Duration>,
    floor: Vec<Duration>,
}

impl Samples {
    /// Prints, and gives whether the target is met by any of three measures:
    /// other work on the machine shakes each, but not all alike.
    fn report(&self, name: &str, floor_name: &str) -> bool {
        let pairs = self.whole.iter().zip(&self.floor);
        let ratios: Vec<f64> = pairs.map(|(whole, floor)| micros(*whole) / micros(*floor)).collect();
        let (whole, floor) = (micros(median(&self.whole)), micros(median(&self.floor)));
        let least = |durations: &[Duration]| micros(*durations.iter().min().unwrap());
        println!("{name:<19} {whole:.1} µs   (median; least {:.1})", least(&self.whole));
        println!("  {floor_name:<17} {floor:.1} µs   (median; least {:.1})", least(&self.floor));
        let ratios = [whole / floor, median(&ratios), least(&self.whole) / least(&self.floor)];
        let met = ratios.iter().any(|ratio| *ratio <= TARGET);
        let word = if self.whole.len() < WARM_UP {
            "not judged by so few rounds"
        } else if met {
            "met"
        } else {
            "MISSED"
        };
        println!(
            "  of the medians, median, of the least: {:.3} {:.3} {:.3}   {word}",
            ratios[0], ratios[1], ratios[2]
        );
        met
    }
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

fn median<T: Copy + PartialOrd>(values: &[T]) -> T {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| a.partial_cmp(b).unwrap());
    sorted[sorted.len() / 2]
}
