//! `ctap` as programs meet it: what is on its standard output, how it ends,
//! and whom its socket lets in.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails, also in its own functions"
)]

use std::fs;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cablecar_protocol::pipe::{Command as Frame, Fault};
use tempfile::TempDir;

const GET_INFO: &[u8] = &[0x04];
const SELECTION: &[u8] = &[0x0b];
/// For what takes milliseconds on an idle machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder of its own, and the program in it.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn ctap(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cablecar-phone"));
        command.env_clear().env("HOME", self.0.path()).current_dir(self.0.path());
        command.args(["ctap", "--state", "key"]).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn stdio(&self, consent: &str) -> Running {
        Running(self.ctap(&["--stdio", "--danger-consent", consent]).spawn().unwrap())
    }

    /// Listens, and is there when this returns.
    fn listen(&self, consent: &str) -> Running {
        let running = self.ctap(&["--listen", "unix:socket", "--danger-consent", consent]).spawn().unwrap();
        let running = Running(running);
        let began = Instant::now();
        while UnixStream::connect(self.path("socket")).is_err() {
            assert!(began.elapsed() < PATIENCE, "it does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        running
    }

    fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(self.path("socket")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }
}

/// Ended when dropped, come what may.
struct Running(Child);

impl Running {
    fn write(&mut self, bytes: &[u8]) {
        self.0.stdin.as_mut().unwrap().write_all(bytes).unwrap();
    }

    fn frame(&mut self) -> (u8, Vec<u8>) {
        frame(self.0.stdout.as_mut().unwrap())
    }

    fn end_input(&mut self) {
        drop(self.0.stdin.take());
    }

    fn signal(&self, name: &str) {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Its exit code, what is left on its output, and what it said.
    fn ended(mut self) -> (Option<i32>, Vec<u8>, String) {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                break status;
            }
            assert!(began.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        };
        let (mut left, mut said) = (Vec::new(), String::new());
        if let Some(mut stdout) = self.0.stdout.take() {
            stdout.read_to_end(&mut left).unwrap();
        }
        self.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (status.code(), left, said)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn frame(from: &mut impl Read) -> (u8, Vec<u8>) {
    let mut header = [0; 5];
    from.read_exact(&mut header).unwrap();
    let length = u32::from_be_bytes([header[1], header[2], header[3], header[4]]);
    let mut payload = vec![0; usize::try_from(length).unwrap()];
    from.read_exact(&mut payload).unwrap();
    (header[0], payload)
}

#[test]
fn requests_are_answered_until_the_input_ends() {
    let home = Home::new();
    let mut phone = home.stdio("allow");
    phone.write(&Frame::Cbor.frame(GET_INFO));
    let (command, info) = phone.frame();
    assert_eq!((command, info[0]), (0x10, 0));
    phone.write(&Frame::Cbor.frame(SELECTION));
    assert_eq!(phone.frame(), (0x10, vec![0]));
    phone.end_input();
    let (code, left, said) = phone.ended();
    assert_eq!((code, left), (Some(0), vec![]), "{said}");
    assert!(said.contains("--danger-consent") && said.contains("key lies beside it"), "{said}");
}

#[test]
fn a_question_ends_with_the_input_and_with_a_signal() {
    let home = Home::new();
    for how in ["end", "TERM", "INT"] {
        let mut phone = home.stdio("after=600000");
        phone.write(&Frame::Cbor.frame(SELECTION));
        assert_eq!(phone.frame(), (0x3b, vec![2]));
        if how == "end" {
            phone.end_input();
        } else {
            phone.signal(how);
        }
        let (code, _, said) = phone.ended();
        assert_eq!(code, Some(0), "{how}: {said}");
    }
}

#[test]
fn a_cancelled_question_answers_before_the_next_keepalive() {
    let home = Home::new();
    let mut phone = home.stdio("after=600000");
    phone.write(&Frame::Cbor.frame(SELECTION));
    assert_eq!(phone.frame(), (0x3b, vec![2]));
    phone.write(&Frame::Cancel.frame(&[]));
    let mut keepalives = 0;
    let answer = loop {
        match phone.frame() {
            (0x3b, _) => keepalives += 1,
            other => break other,
        }
    };
    assert_eq!(answer, (0x10, vec![0x2d]));
    // Those that were under way already, on a machine with much to do.
    assert!(keepalives < 20, "{keepalives}");
}

#[test]
fn an_input_that_ends_within_a_frame_is_the_other_sides_fault() {
    let home = Home::new();
    let mut phone = home.stdio("allow");
    phone.write(&[0x10, 0, 0]);
    phone.end_input();
    let (code, _, said) = phone.ended();
    assert_eq!(code, Some(8));
    assert!(said.contains("(pipe.truncated)"), "{said}");
}

#[test]
fn an_output_that_nobody_reads_ends_it() {
    let home = Home::new();
    let mut phone = home.stdio("allow");
    drop(phone.0.stdout.take());
    phone.write(&Frame::Cbor.frame(GET_INFO));
    let (code, _, said) = phone.ended();
    assert_eq!(code, Some(1));
    assert!(said.contains("(pipe.broken)"), "{said}");
}

/// Each datagram is one write, whatever bytes are in it.
#[test]
fn a_frame_is_one_write() {
    let home = Home::new();
    let (ours, theirs) = UnixDatagram::pair().unwrap();
    ours.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut command = home.ctap(&["--stdio", "--danger-consent", "allow"]);
    let mut phone = Running(command.stdout(OwnedFd::from(theirs)).spawn().unwrap());
    drop(command);
    for payload in [&b"a\nb\nc"[..], &[b'\n'; 5000], &[]] {
        phone.write(&Frame::Ping.frame(payload));
        let mut datagram = vec![0; 10_000];
        let length = ours.recv(&mut datagram).unwrap();
        assert_eq!(datagram[..length], Frame::Ping.frame(payload));
    }
    phone.end_input();
    assert_eq!(phone.ended().0, Some(0));
}

#[test]
fn a_socket_is_its_owners_and_goes_with_the_program() {
    let home = Home::new();
    let phone = home.listen("allow");
    let metadata = fs::symlink_metadata(home.path("socket")).unwrap();
    assert!(metadata.file_type().is_socket());
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    let entries = |home: &Home| -> Vec<_> {
        let mut names: Vec<_> =
            fs::read_dir(home.0.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(entries(&home), ["key", "socket"]);
    phone.signal("TERM");
    assert_eq!(phone.ended().0, Some(0));
    assert_eq!(entries(&home), ["key"]);
}

#[test]
fn one_client_is_served_at_a_time_and_the_next_finds_the_same_authenticator() {
    let home = Home::new();
    let _phone = home.listen("after=300");
    let mut first = home.connect();
    first.write_all(&Frame::Cbor.frame(SELECTION)).unwrap();
    assert_eq!(frame(&mut first), (0x3b, vec![2]));
    let mut second = home.connect();
    assert_eq!(frame(&mut second), (0x3f, vec![Fault::Busy.byte()]));
    assert_eq!(second.read(&mut [0; 1]).unwrap(), 0);
    while frame(&mut first) != (0x10, vec![0]) {}
    // Even one who leaves in the middle of a frame ends only his own turn.
    first.write_all(&[0x10, 0]).unwrap();
    drop(first);
    let began = Instant::now();
    loop {
        let mut next = home.connect();
        let sent = next.write_all(&Frame::Ping.frame(b"me"));
        // The first one's turn may not be over yet.
        match sent.is_ok().then(|| frame(&mut next)) {
            Some((0x01, payload)) => break assert_eq!(payload, b"me"),
            _ => assert!(began.elapsed() < PATIENCE, "nobody is let in any more"),
        }
    }
}

#[test]
fn only_a_socket_that_nobody_listens_on_is_replaced() {
    let home = Home::new();
    let path = home.path("socket");
    let refused = |home: &Home| {
        let phone =
            Running(home.ctap(&["--listen", "unix:socket", "--danger-consent", "allow"]).spawn().unwrap());
        let (code, _, said) = phone.ended();
        assert_eq!(code, Some(1));
        assert!(said.contains("(pipe.taken)"), "{said}");
    };
    fs::write(&path, "dear diary").unwrap();
    refused(&home);
    assert_eq!(fs::read(&path).unwrap(), b"dear diary");
    fs::remove_file(&path).unwrap();
    let listener = UnixListener::bind(&path).unwrap();
    refused(&home);
    assert!(UnixStream::connect(&path).is_ok());
    drop(listener);
    assert!(UnixStream::connect(&path).is_err() && path.exists());
    let phone = home.listen("allow");
    assert!(is_served(&path));
    phone.signal("INT");
    assert_eq!(phone.ended().0, Some(0));
}

fn is_served(path: &Path) -> bool {
    let mut stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&Frame::Ping.frame(b"?")).unwrap();
    // The one that looked whether it listens may still be served.
    matches!(frame(&mut stream), (0x01, _) | (0x3f, _))
}

#[test]
fn a_transport_is_chosen_and_only_one() {
    let home = Home::new();
    for arguments in [&[][..], &["--stdio", "--listen", "unix:x"], &["--listen", "x"], &["--listen", "unix:"]]
    {
        let phone = Running(home.ctap(arguments).spawn().unwrap());
        assert_eq!(phone.ended().0, Some(2), "{arguments:?}");
    }
}

/// A system without descriptors is not the end of the program.
#[cfg(target_os = "linux")]
#[test]
fn a_client_who_cannot_be_let_in_yet_waits() {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};
    let home = Home::new();
    let mut phone = home.listen("allow");
    let pid = Pid::from_raw(phone.0.id().try_into().unwrap());
    let limit = |current| Rlimit { current: Some(current), maximum: Some(1024) };
    prlimit(pid, Resource::Nofile, limit(3)).unwrap();
    let mut client = home.connect();
    client.write_all(&Frame::Ping.frame(b"me")).unwrap();
    client.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    assert!(client.read(&mut [0; 1]).is_err(), "nobody is let in");
    assert_eq!(phone.0.try_wait().unwrap(), None, "it goes on");
    prlimit(pid, Resource::Nofile, limit(1024)).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    // The one that looked whether it listens may still be served.
    let answer = frame(&mut client);
    assert!([(0x01, b"me".to_vec()), (0x3f, vec![Fault::Busy.byte()])].contains(&answer), "{answer:?}");
    phone.signal("TERM");
    let (code, _, said) = phone.ended();
    assert_eq!((code, said.matches("for now").count()), (Some(0), 1), "{said}");
}

/// Whether one waits for a descriptor belongs to all who share it.
#[test]
fn standard_input_and_output_are_left_as_they_were() {
    use rustix::fs::{OFlags, fcntl_getfl};
    let home = Home::new();
    for waits in [true, false] {
        for sockets in [true, false] {
            let (theirs, ours): ([OwnedFd; 2], [OwnedFd; 2]) = if sockets {
                let (socket, peer) = UnixStream::pair().unwrap();
                socket.set_nonblocking(!waits).unwrap();
                let (again, peer_again) = (socket.try_clone().unwrap(), peer.try_clone().unwrap());
                ([socket.into(), again.into()], [peer.into(), peer_again.into()])
            } else {
                let ((input, write), (read, output)) = (std::io::pipe().unwrap(), std::io::pipe().unwrap());
                let theirs: [OwnedFd; 2] = [input.into(), output.into()];
                for end in theirs.iter().filter(|_| !waits) {
                    rustix::fs::fcntl_setfl(end, fcntl_getfl(end).unwrap() | OFlags::NONBLOCK).unwrap();
                }
                (theirs, [write.into(), read.into()])
            };
            let kept = theirs.each_ref().map(|end| end.try_clone().unwrap());
            let [input, output] = theirs;
            let mut command = home.ctap(&["--stdio", "--danger-consent", "allow"]);
            let phone = Running(command.stdin(input).stdout(output).spawn().unwrap());
            drop(command);
            let [to, from] = ours.map(fs::File::from);
            (&to).write_all(&Frame::Ping.frame(b"me")).unwrap();
            assert_eq!(frame(&mut &from), (0x01, b"me".to_vec()));
            phone.signal("TERM");
            assert_eq!(phone.ended().0, Some(0));
            for end in &kept {
                let left = !fcntl_getfl(end).unwrap().contains(OFlags::NONBLOCK);
                assert_eq!(left, waits, "sockets: {sockets}");
            }
        }
    }
}
