//! What a vault of 10,000 passkeys costs: to open, and to sign in with.
//!
//! ```text
//! cargo bench -p cablecar-phone --bench vault                prints
//! cargo bench -p cablecar-phone --bench vault -- --check     and fails above the targets
//! ```
//!
//! *Opening* is from the file to the passkeys, on top of the key derivation:
//! two vaults with the same, one full and one empty, take turns, and the
//! difference is judged. *An assertion* is a whole request for one account at
//! the engine, from its bytes to those of the answer, with the vault open and a
//! person who says yes at once; behind the tunnel the vault is closed besides.
//! What a counter costs besides, which has to be on the disk before the answer,
//! is printed: most of it is the disk's.
//!
//! Processor time is judged, and the least of the rounds: other work on the
//! machine only ever adds to it. The medians are printed beside it, and those of
//! the time on the wall.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stdout,
    reason = "a bench prints, and fails by panicking"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use cablecar_phone::ctap2::{Context, Device, Moment, Next, Session, Step};
use cablecar_phone::passphrase::Passphrase;
use cablecar_phone::vault::{Algorithm, Backup, CredentialId, Kdf, Passkey, Unlocked, Vault};
use cablecar_protocol::ctap::{Options, RelyingParty, Status, User, get_assertion};
use cablecar_protocol::qr::Hint;
use rand_core::OsRng;

/// Passkeys in the full vault.
const PASSKEYS: u32 = 10_000;
/// The most that opening may cost beyond the key derivation, processor time.
const OPENING: Duration = Duration::from_millis(50);
/// The most that an assertion may cost, processor time.
const ASSERTION: Duration = Duration::from_millis(5);

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let has = |name: &str| args.iter().any(|arg| arg == name);
    // `cargo test --benches` runs this too, to see that it runs.
    let (rounds, passkeys) = if has("--bench") && !has("--test") { (15, PASSKEYS) } else { (1, 100) };

    let folder = tempfile::tempdir().unwrap();
    let [full, empty] = ["full", "empty"].map(|name| vault(folder.path(), name));
    fill(&full, passkeys);
    let size = std::fs::metadata(folder.path().join("full")).unwrap().len();
    println!("passkeys            {passkeys}, in {} KiB", size / 1024);

    // Rounds enough that other work leaves one of them alone.
    let mut opening = [Times::default(), Times::default()];
    for _ in 0..4 * rounds {
        for (times, vault) in opening.iter_mut().zip([&full, &empty]) {
            times.take(|| vault.unlock(&passphrase()).unwrap());
        }
    }
    let [of_full, of_empty] = opening.map(Times::summary);
    row("opening, full", of_full);
    row("opening, empty", of_empty);
    let beyond = of_full.least.saturating_sub(of_empty.least);

    let [mut assertion, mut tunnelled, mut writing] = [(); 3].map(|()| Times::default());
    let request = request("site-7.example");
    let mut device = Device::new(full.unlock(&passphrase()).unwrap(), false, &mut OsRng).unwrap();
    for _ in 0..rounds {
        assertion.take(|| assert(&request, &mut device));
        // One open vault is used up by each, and closed within it.
        let unlocked = full.unlock(&passphrase()).unwrap();
        tunnelled.take(|| assert_and_close(&request, unlocked));
        let mut unlocked = full.unlock(&passphrase()).unwrap();
        writing.take(|| count_one(&mut unlocked));
    }
    let assertion = assertion.summary();
    row("assertion", assertion);
    row("and vault closed", tunnelled.summary());
    row("a counter written", writing.summary());

    let judged = rounds > 1;
    let mut met = true;
    for (what, took, target) in
        [("opening beyond the key derivation", beyond, OPENING), ("an assertion", assertion.least, ASSERTION)]
    {
        let fits = took <= target;
        met &= fits;
        let word = if !judged {
            "not judged"
        } else if fits {
            "met"
        } else {
            "MISSED"
        };
        println!("target              {what}: {} ms   {word}", target.as_millis());
    }
    if judged && has("--check") && !met {
        std::process::exit(1);
    }
}

/// Processor time and time on the wall of one thing, done again and again.
#[derive(Default)]
struct Times {
    processor: Vec<Duration>,
    wall: Vec<Duration>,
}

impl Times {
    fn take<T>(&mut self, work: impl FnOnce() -> T) {
        let (processor, wall) = (processor_time(), Instant::now());
        let result = std::hint::black_box(work());
        self.wall.push(wall.elapsed());
        self.processor.push(processor_time().saturating_sub(processor));
        drop(result);
    }

    fn summary(self) -> Summary {
        let median = |times: &[Duration]| {
            let mut sorted = times.to_vec();
            sorted.sort();
            sorted[sorted.len() / 2]
        };
        let least = *self.processor.iter().min().unwrap();
        Summary { least, median: median(&self.processor), wall: median(&self.wall) }
    }
}

#[derive(Clone, Copy)]
struct Summary {
    least: Duration,
    median: Duration,
    wall: Duration,
}

/// What this thread has taken of a processor.
#[cfg(unix)]
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

#[cfg(not(unix))]
fn processor_time() -> Duration {
    use std::sync::OnceLock;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

fn row(name: &str, summary: Summary) {
    let [least, median, wall] =
        [summary.least, summary.median, summary.wall].map(|duration| duration.as_secs_f64() * 1e3);
    println!("{name:<19} {least:7.2} ms   (median {median:.2}; {wall:.2} on the wall)");
}

fn passphrase() -> Passphrase {
    Passphrase::new(b"of a bench".to_vec()).unwrap()
}

fn vault(folder: &Path, name: &str) -> Vault {
    let vault = Vault::in_file(folder.join(name), Some(folder.join("state")));
    vault.create(&passphrase(), Kdf::DANGER_WEAK, &mut OsRng).unwrap();
    vault
}

fn fill(vault: &Vault, passkeys: u32) {
    let filled = vault.unlock(&passphrase()).unwrap().change(&mut OsRng, |contents| {
        (0..passkeys)
            .for_each(|number| contents.add(passkey(&format!("site-{number}.example"), Backup::SYNCED)));
        let id = CredentialId::new(b"counted".to_vec());
        contents.add(Passkey { id, ..passkey("counted.example", Backup::DEVICE_BOUND) });
        Ok(())
    });
    filled.unwrap();
}

/// One signature counted, and on the disk.
fn count_one(unlocked: &mut Unlocked) {
    let id = CredentialId::new(b"counted".to_vec());
    let found =
        unlocked.change(&mut OsRng, |contents| Ok(contents.update(&id, |passkey| passkey.counter += 1)));
    assert!(found.unwrap());
}

fn passkey(rp: &str, backup: Backup) -> Passkey {
    let rp = RelyingParty { id: rp.into(), name: Some("An example of a site".into()) };
    let user = User {
        id: vec![7; 32],
        name: Some("somebody@example.com".into()),
        display_name: Some("Some Body".into()),
    };
    let made = Passkey::random(Algorithm::Es256, rp, user, 1_795_000_000, &mut OsRng).unwrap();
    Passkey { backup, ..made }
}

fn request(rp: &str) -> Vec<u8> {
    get_assertion::Request {
        rp_id: rp.into(),
        client_data_hash: [7; 32],
        allow: vec![],
        has_allow_list: false,
        prf: None,
        options: Options::default(),
        pin_uv_auth: false,
    }
    .to_bytes()
}

/// From the bytes of a request to those of its answer, at the local pipe.
fn assert(request: &[u8], device: &mut Device) -> Vec<u8> {
    let now = Moment { since_power_up: Duration::from_secs(60), epoch: 1_795_000_000 };
    let rng = &mut OsRng;
    let mut context = Context { rng, now };
    let Step::Ask(question, ready) = device.take(request, &mut context) else { panic!("a good request") };
    let reply = device.act(ready, question.approve(0), &mut context);
    assert_eq!(reply.bytes[0], Status::OK.byte());
    reply.bytes
}

/// The same behind the tunnel, where the vault is closed after each.
fn assert_and_close(request: &[u8], unlocked: Unlocked) -> Vec<u8> {
    let next = Session::new(Hint::GetAssertion).take(request);
    let Next::Verify(checked) = next else { panic!("a good request") };
    let (question, ready) = checked.look_up(unlocked);
    let reply = ready.act(question.approve(0), &mut OsRng, 1_795_000_000);
    assert_eq!(reply.bytes[0], Status::OK.byte());
    reply.bytes
}
