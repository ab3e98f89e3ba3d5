//! The program with its successors, and what all of them print.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::support::PATIENCE;
use super::support::serving::kill;

/// A relay as a program. Whatever runs of it is killed when this is dropped.
pub(crate) struct Program {
    child: Child,
    told: Arc<Told>,
    /// The first process and all that took its place.
    processes: Vec<u32>,
}

#[derive(Default)]
struct Told {
    events: Mutex<Vec<Value>>,
    news: Condvar,
}

impl Program {
    /// Starts `serve` on a free port of loopback.
    pub(crate) fn start(program: &Path, args: &[&str]) -> Self {
        let mut child = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--events", "json", "--exempt", "127.0.0.0/8"])
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (told, stdout) = (Arc::new(Told::default()), child.stdout.take().unwrap());
        let news = Arc::clone(&told);
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines() {
                news.events.lock().unwrap().push(serde_json::from_str(&line.unwrap()).unwrap());
                news.news.notify_all();
            }
        });
        let processes = vec![child.id()];
        Self { child, told, processes }
    }

    /// The `nth` event of this name, waited for; counted from 0.
    pub(crate) fn event(&self, name: &str, nth: usize) -> Value {
        let wanted = |events: &[Value]| {
            let mut of_that_name = events.iter().filter(|event| event["event"] == name);
            of_that_name.nth(nth).cloned()
        };
        let (deadline, mut events) = (Instant::now() + PATIENCE, self.told.events.lock().unwrap());
        loop {
            if let Some(event) = wanted(&events) {
                return event;
            }
            assert!(Instant::now() < deadline, "no {name} number {nth} in {events:?}");
            events = self.told.news.wait_timeout(events, Duration::from_millis(100)).unwrap().0;
        }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.event("listening", 0)["addr"].as_str().unwrap().parse().unwrap()
    }

    /// The process that accepts.
    pub(crate) fn process(&self) -> u32 {
        *self.processes.last().unwrap()
    }

    /// Puts the program that is on the disk in place of the one that runs,
    /// and waits until it serves.
    pub(crate) fn upgrade(&mut self) {
        let done = self.processes.len() - 1;
        kill("-USR2", self.process());
        let process = self.event("handed-over", done)["process"].as_u64().unwrap();
        self.processes.push(process.try_into().unwrap());
        self.event("listening", done + 1);
    }

    /// Waits for the end of the first process.
    pub(crate) fn first_ends(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the first process does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until none but the last runs.
    pub(crate) fn others_end(&mut self) {
        let others = self.processes[..self.processes.len() - 1].to_vec();
        let deadline = Instant::now() + PATIENCE;
        for process in others {
            while runs(process) {
                let _ = self.child.try_wait();
                assert!(Instant::now() < deadline, "process {process} does not end");
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        for process in self.processes.iter().skip(1).filter(|process| runs(**process)) {
            kill("-KILL", *process);
        }
    }
}

/// Whether this process runs; one that ended and that nobody has asked about
/// does not.
pub(crate) fn runs(process: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.trim().is_empty() && !rest.trim_start().starts_with('Z'))
}
