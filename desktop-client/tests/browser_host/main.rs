//! `cablecar browser-host` as a browser starts it, with a phone that comes
//! when somebody scans; and `cablecar install browser`, which tells browsers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails, also in its own functions"
)]

mod installed;
mod phone;
mod requests;

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longer than anything here takes; only a program that hangs takes as long.
const PATIENCE: Duration = Duration::from_secs(30);

/// What Chromium passes.
const CHROMIUM: [&str; 1] = ["chrome-extension://fofkehcnphggfjnjalpbdcmkapdnkfld/"];

/// What Firefox passes.
const FIREFOX: [&str; 2] =
    ["/home/a/.mozilla/native-messaging-hosts/org.cablecar.browser_host.json", "cablecar@cablecar.invalid"];

/// A browser, with the extension in it.
struct Browser {
    child: Child,
    to: Option<ChildStdin>,
    from: mpsc::Receiver<Value>,
}

impl Browser {
    /// Starts this program with a home of its own.
    fn starts(program: &Path, arguments: &[&str], home: &Path, env: &[(&str, String)]) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).env_clear().env("HOME", home).envs(env.iter().cloned());
        // Not the radio of this machine.
        command.env("DBUS_SYSTEM_BUS_ADDRESS", format!("unix:path={}", home.join("no-bus").display()));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (to, mut out) = (child.stdin.take(), child.stdout.take().unwrap());
        let (sender, from) = mpsc::channel();
        thread::spawn(move || {
            let mut length = [0; 4];
            while out.read_exact(&mut length).is_ok() {
                let mut body = vec![0; usize::try_from(u32::from_ne_bytes(length)).unwrap()];
                out.read_exact(&mut body).unwrap();
                let _ = sender.send(serde_json::from_slice(&body).unwrap());
            }
        });
        Self { child, to, from }
    }

    fn say_bytes(&mut self, bytes: &[u8]) {
        self.to.as_mut().unwrap().write_all(bytes).unwrap();
    }

    fn say(&mut self, message: &Value) {
        let body = message.to_string();
        self.say_bytes(&u32::try_from(body.len()).unwrap().to_ne_bytes());
        self.say_bytes(body.as_bytes());
    }

    fn hear(&self) -> Value {
        self.from.recv_timeout(PATIENCE).expect("nothing more was said")
    }

    /// What is said next of this kind: an event by its name, or another member.
    fn hear_of(&self, kind: &str) -> Value {
        loop {
            let heard = self.hear();
            if heard["event"] == kind || heard.get(kind).is_some_and(|_| kind != "event") {
                return heard;
            }
            assert!(heard.get("event").is_some(), "{kind} did not come, but {heard}");
        }
    }

    /// The text of the code that is shown next.
    fn code(&self) -> String {
        self.hear_of("code")["text"].as_str().unwrap().to_owned()
    }

    /// Closes the port; the exit code, and all that was said to people.
    fn close(mut self) -> (i32, String) {
        drop(self.to.take());
        self.ended()
    }

    fn ended(&mut self) -> (i32, String) {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(began.elapsed() < PATIENCE, "it does not end");
            thread::sleep(Duration::from_millis(2));
        };
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (status.code().unwrap(), said)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> &'static Path {
    Path::new(assert_cmd::cargo::cargo_bin!("cablecar"))
}
