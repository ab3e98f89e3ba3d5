//! The program as a process, with both of its outputs kept.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub(crate) struct Output {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

fn relay(args: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("cablecar-relay"));
    command.args(args).env_clear();
    command
}

/// Runs it to its end.
pub(crate) fn run(args: &[&str]) -> Output {
    let output = relay(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Output { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// A relay that runs until it is told, or dropped.
pub(crate) struct Serving {
    child: Child,
    out: Kept,
    err: Kept,
}

/// Everything that came out of a pipe so far.
struct Kept {
    text: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Kept {
    fn of(pipe: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let kept = Arc::clone(&text);
        let read = move || {
            let mut lines = BufReader::new(pipe);
            let mut line = String::new();
            while lines.read_line(&mut line).unwrap() > 0 {
                kept.lock().unwrap().push_str(&std::mem::take(&mut line));
            }
        };
        Self { text, reader: Some(thread::spawn(read)) }
    }

    fn so_far(&self) -> String {
        self.text.lock().unwrap().clone()
    }

    fn all(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.so_far()
    }

    fn line(&self, wanted: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + super::PATIENCE;
        loop {
            let text = self.so_far();
            if let Some(line) = text.lines().find(|line| wanted(line)) {
                return line.to_owned();
            }
            assert!(Instant::now() < until, "no such line in: {text}");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Serving {
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::of(&mut relay(&[&["serve", "--listen", "127.0.0.1:0"], args].concat()))
    }

    /// Whatever this starts.
    pub(crate) fn of(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (out, err) = (Kept::of(child.stdout.take().unwrap()), Kept::of(child.stderr.take().unwrap()));
        Self { child, out, err }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        let line = self.out.line(|line| line.contains("listening"));
        let json = serde_json::from_str::<serde_json::Value>(&line);
        let addr = json.map_or_else(
            |_| line.strip_prefix("listening on ").unwrap().to_owned(),
            |event| event["addr"].as_str().unwrap().to_owned(),
        );
        addr.parse().unwrap()
    }

    /// Where the admin listener is, as the log says.
    pub(crate) fn admin(&self) -> SocketAddr {
        let line = self.line(|line| line.contains("admin listener is open"));
        match serde_json::from_str::<serde_json::Value>(&line) {
            Ok(event) => event["addr"].as_str().unwrap().parse().unwrap(),
            Err(_) => line.rsplit("addr=").next().unwrap().parse().unwrap(),
        }
    }

    /// Waits for a line like this on standard output.
    pub(crate) fn told(&self, wanted: impl Fn(&str) -> bool) -> String {
        self.out.line(wanted)
    }

    /// Waits for a line like this on standard error.
    pub(crate) fn line(&self, wanted: impl Fn(&str) -> bool) -> String {
        self.err.line(wanted)
    }

    /// Both outputs up to now.
    pub(crate) fn said(&self) -> (String, String) {
        (self.out.so_far(), self.err.so_far())
    }

    /// Sends a signal; gives exit code and both outputs.
    pub(crate) fn signal(mut self, signal: &str) -> (Option<i32>, String, String) {
        self.kill(signal);
        let code = self.child.wait().unwrap().code();
        (code, self.out.all(), self.err.all())
    }

    /// Sends a signal.
    pub(crate) fn kill(&self, signal: &str) {
        kill(signal, self.child.id());
    }

    /// Waits until it ends by itself; gives the exit code.
    pub(crate) fn ends(mut self) -> Option<i32> {
        let until = Instant::now() + super::PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < until, "it does not end: {:?}", self.said());
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// The shell's own kill: not every machine has the program.
pub(crate) fn kill(signal: &str, process: impl ToString) {
    let process = process.to_string();
    let killed = Command::new("sh").args(["-c", "kill \"$1\" \"$2\"", "sh", signal, &process]).status();
    assert!(killed.unwrap().success());
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
