//! The three programs as child processes, each in a terminal of its own, and
//! what may be asked of them: a line, an end. Every wait has its bound, and
//! what is still running when a test ends is killed by its id.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than anything here takes on a busy machine: only a program that
/// hangs takes as long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where the programs are. `cargo test` builds those of other packages only
/// now and then, so they are built here, as they are shipped: without the
/// features that tests turn on.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        // target/debug/deps/sessions-…
        let [folder, target] = [2, 3].map(|up| test.ancestors().nth(up).unwrap().to_owned());
        let profile = match folder.file_name().unwrap().to_str().unwrap() {
            "debug" => "dev",
            other => other,
        };
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        // What cargo told this test about its own package would make build
        // scripts run again, and again without it.
        for (name, _) in std::env::vars_os() {
            let told = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"];
            if name.to_str().is_some_and(|name| told.iter().any(|start| name.starts_with(start))) {
                cargo.env_remove(name);
            }
        }
        let built = cargo
            .args(["build", "--quiet", "--locked", "--bins", "--profile", profile])
            .args(["-p", "cablecar-relay", "-p", "cablecar", "-p", "cablecar-phone"])
            .arg("--target-dir")
            .arg(target)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(built.unwrap().success(), "the programs cannot be built");
        folder
    })
}

/// A program under way.
pub struct Program {
    name: String,
    child: Child,
    lines: Receiver<String>,
    heard: Vec<String>,
    output: Receiver<String>,
}

/// How a program ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: Vec<String>,
}

impl Program {
    /// Starts a program in this folder, with this on its standard input.
    pub fn start(name: &str, home: &Path, arguments: &[&str], input: &str) -> Self {
        let mut command = Command::new(folder().join(name));
        command.args(arguments).env_clear().env("HOME", home).current_dir(home);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // It may have ended over its arguments, without reading a byte.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let (line, lines) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|text| line.send(text)));
        let (all, output) = channel();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            let mut first = String::new();
            let _ = stdout.read_line(&mut first);
            let _ = all.send(first);
            let mut rest = String::new();
            let _ = stdout.read_to_string(&mut rest);
            let _ = all.send(rest);
        });
        Self { name: name.into(), child, lines, heard: Vec::new(), output }
    }

    /// The first line on standard output.
    pub fn first_line(&self) -> String {
        self.output.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("{} printed nothing", self.name))
    }

    /// The first line on standard error of which this is true.
    pub fn line(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        let began = Instant::now();
        loop {
            if let Some(found) = self.heard.iter().find(|line| wanted(line)) {
                return found.clone();
            }
            match self.lines.recv_timeout(PATIENCE.saturating_sub(began.elapsed())) {
                Ok(line) => self.heard.push(line),
                Err(why) => panic!("{} did not say it ({why}): {:#?}", self.name, self.heard),
            }
        }
    }

    /// Waits until it ends by itself.
    pub fn end(mut self) -> Ended {
        let began = Instant::now();
        loop {
            match self.lines.recv_timeout(PATIENCE.saturating_sub(began.elapsed())) {
                Ok(line) => self.heard.push(line),
                // Standard error was closed, so it has ended or is about to.
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("{} hangs: {:#?}", self.name, self.heard),
            }
        }
        let code = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status.code(),
                None => assert!(began.elapsed() < PATIENCE, "{} does not end", self.name),
            }
            thread::sleep(Duration::from_millis(1));
        };
        let stdout = self.output.iter().collect();
        Ended { code, stdout, stderr: std::mem::take(&mut self.heard) }
    }

    /// Pulls the plug: nothing is said to anybody.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop at once.
    pub fn interrupt(&self) {
        let pid = self.child.id().to_string();
        // The shell's own: not every machine has the program.
        let killed = Command::new("sh").args(["-c", "kill -INT \"$1\"", "sh", &pid]).status();
        assert!(killed.unwrap().success());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// What a program that did what it should printed.
    pub fn result(self) -> String {
        assert_eq!(self.code, Some(0), "{:#?}", self.stderr);
        assert!(!self.stderr.iter().any(|line| line.starts_with("error: ")), "{:#?}", self.stderr);
        self.stdout
    }

    /// The id of the error of a program that ended with this exit code. The
    /// last two lines say what went wrong and what to do; a program that
    /// failed printed no result.
    pub fn failed(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{:#?}", self.stderr);
        assert_eq!(self.stdout, "");
        let [.., error, remedy] = &self.stderr[..] else { panic!("{:#?}", self.stderr) };
        assert!(error.starts_with("error: ") && error.ends_with(')'), "{:#?}", self.stderr);
        assert!(remedy.starts_with("remedy: "), "{:#?}", self.stderr);
        let (_, id) = error.trim_end_matches(')').rsplit_once('(').unwrap();
        id.to_owned()
    }
}
