//! The child: how it is started, and what goes to and fro.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

use rand_core::{CryptoRng, OsRng, RngCore};
use tokio::io::{AsyncBufReadExt, BufReader as AsyncBufReader, Lines, Stdin};
use tokio::sync::Mutex;

/// Which part the child plays.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Phone,
    LeakingPhone,
    Computer,
}

/// In a child: its folder.
pub(crate) const FOLDER: &str = "CABLECAR_T20_FOLDER";
/// In a child: set if it leaks on purpose.
pub(crate) const LEAK: &str = "CABLECAR_T20_LEAK";
/// Stands before what the child says, among what the test harness says.
const MARK: &str = "t20 ";

/// A child, ended when dropped.
pub(crate) struct Running {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Running {
    pub(crate) fn start(part: Part, folder: &Path) -> Self {
        let test = if part == Part::Computer {
            "computer::part_of_the_computer"
        } else {
            "phone::part_of_the_phone"
        };
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--ignored", "--exact", test, "--nocapture", "--test-threads", "1"]);
        command.env(FOLDER, folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        if part == Part::LeakingPhone {
            command.env(LEAK, "1");
        }
        let mut child = command.spawn().unwrap();
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, to, from }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn say(&mut self, line: &str) {
        writeln!(self.to, "{line}").unwrap();
    }

    pub(crate) fn send(&mut self, message: &[u8]) {
        self.say(&hex(message));
    }

    /// The next thing of this kind that the child says.
    pub(crate) fn said(&mut self, kind: &str) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.from.read_line(&mut line).unwrap(), 0, "the child ended before it said {kind}");
            // The harness leaves the cursor behind the name of the test.
            let Some((_, said)) = line.trim_end().split_once(MARK) else { continue };
            let (found, rest) = said.split_once(' ').unwrap_or((said, ""));
            if found == kind {
                return rest.to_owned();
            }
        }
    }

    pub(crate) fn received(&mut self) -> Vec<u8> {
        unhex(&self.said("send"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// In the child: says something to its parent.
pub(crate) fn tell(kind: &str, rest: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "{MARK}{kind} {rest}").unwrap();
    out.flush().unwrap();
}

/// In the child: the end. What is left in memory stays.
pub(crate) fn stay() -> ! {
    tell("over", "");
    loop {
        std::thread::park();
    }
}

/// In the child: what the parent says, line by line.
#[derive(Clone)]
pub(crate) struct Ear(Arc<Mutex<Lines<AsyncBufReader<Stdin>>>>);

impl Ear {
    pub(crate) fn open() -> Self {
        Self(Arc::new(Mutex::new(AsyncBufReader::new(tokio::io::stdin()).lines())))
    }

    pub(crate) async fn line(&self) -> String {
        self.0.lock().await.next_line().await.unwrap().unwrap()
    }

    pub(crate) async fn message(&self) -> Option<Vec<u8>> {
        let line = self.line().await;
        (line != "close").then(|| unhex(&line))
    }
}

/// In the child: the system's randomness, each draw also written to a file,
/// from where it came to lie and without a copy.
pub(crate) struct Recorded(File);

impl Recorded {
    pub(crate) fn into(folder: &Path) -> Self {
        Self(File::create(folder.join("draws")).unwrap())
    }
}

impl CryptoRng for Recorded {}

impl RngCore for Recorded {
    fn next_u32(&mut self) -> u32 {
        OsRng.next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        OsRng.next_u64()
    }

    fn fill_bytes(&mut self, dest: &mut [u8]) {
        self.try_fill_bytes(dest).unwrap();
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rand_core::Error> {
        OsRng.fill_bytes(dest);
        self.0.write_all(&u32::try_from(dest.len()).unwrap().to_be_bytes()).unwrap();
        self.0.write_all(dest).unwrap();
        Ok(())
    }
}

/// In the parent: what the child drew, in order.
pub(crate) fn draws(folder: &Path) -> Vec<Vec<u8>> {
    let bytes = fs::read(folder.join("draws")).unwrap();
    let (mut rest, mut draws) = (&bytes[..], Vec::new());
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (draw, others) = after.split_at(usize::try_from(u32::from_be_bytes(*length)).unwrap());
        draws.push(draw.to_vec());
        rest = others;
    }
    draws
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}
