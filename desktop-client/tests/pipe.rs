//! `cablecar ctap` as programs meet it while no phone comes: what is on its
//! standard output, how it ends, and whom its socket lets in. With phones it
//! is judged by tests/judges/doors.

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
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cablecar_protocol::pipe::{Command as Frame, Fault};
use tempfile::TempDir;

const GET_INFO: &[u8] = &[0x04];
/// Sign in to example.com with any passkey: waits for a phone.
const GET: &[u8] = b"\x02\xa2\x01\x6bexample.com\x02\x58\x2001234567890123456789012345678901";
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
        let mut command = Command::new(env!("CARGO_BIN_EXE_cablecar"));
        command.env_clear().env("HOME", self.0.path()).current_dir(self.0.path());
        command.args(["ctap", "--danger-air", "127.0.0.1:0"]).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn stdio(&self, arguments: &[&str]) -> Running {
        Running(self.ctap(&[&["--stdio"], arguments].concat()).spawn().unwrap())
    }

    /// Listens, and is there when this returns.
    fn listen(&self) -> Running {
        let running = Running(self.ctap(&["--listen", "unix:socket", "--qr", "text"]).spawn().unwrap());
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

    /// A connection that is served: whoever came before may not have been let go yet.
    fn turn(&self) -> UnixStream {
        let began = Instant::now();
        loop {
            let mut stream = self.connect();
            let sent = stream.write_all(&Frame::Ping.frame(b"me"));
            if sent.is_ok() && frame(&mut stream) == (0x01, b"me".to_vec()) {
                return stream;
            }
            assert!(began.elapsed() < PATIENCE, "nobody is let in any more");
            std::thread::sleep(Duration::from_millis(10));
        }
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
    // Whoever is turned away may hang up in the middle.
    if from.read_exact(&mut header).is_err() {
        return (0, vec![]);
    }
    let length = u32::from_be_bytes([header[1], header[2], header[3], header[4]]);
    let mut payload = vec![0; usize::try_from(length).unwrap()];
    from.read_exact(&mut payload).unwrap();
    (header[0], payload)
}

/// The first frame that is no keepalive.
fn answer(from: &mut impl Read) -> (u8, Vec<u8>) {
    loop {
        match frame(from) {
            (0x3b, _) => {}
            other => return other,
        }
    }
}

#[test]
fn get_info_is_answered_without_phone_radio_or_code() {
    let home = Home::new();
    let mut pipe = home.stdio(&["--events", "json"]);
    pipe.write(&Frame::Cbor.frame(GET_INFO));
    let (command, info) = pipe.frame();
    assert_eq!((command, info[0]), (0x10, 0));
    drop(pipe.0.stdin.take());
    let (code, left, said) = pipe.ended();
    assert_eq!((code, left, said.as_str()), (Some(0), vec![], ""));
}

#[test]
fn a_request_shows_a_code_and_takes_it_back() {
    let home = Home::new();
    let mut pipe = home.stdio(&["--qr", "svg:code.svg"]);
    pipe.write(&Frame::Cbor.frame(GET));
    while pipe.frame() != (0x3b, vec![2]) {}
    let picture = fs::read_to_string(home.path("code.svg")).unwrap();
    assert!(picture.contains("<svg"), "no picture");
    pipe.write(&Frame::Cancel.frame(&[]));
    assert_eq!(answer(pipe.0.stdout.as_mut().unwrap()), (0x10, vec![0x2d]));
    assert!(!home.path("code.svg").exists(), "the code outlived its request");
    // Another one is shown for the next request, which leaves with the client.
    pipe.write(&Frame::Cbor.frame(GET));
    while pipe.frame() != (0x3b, vec![2]) {}
    assert!(fs::read_to_string(home.path("code.svg")).unwrap() != picture, "the same code");
    drop(pipe.0.stdin.take());
    let (code, _, said) = pipe.ended();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("no proximity"), "{said}");
    assert_eq!(fs::read_dir(home.0.path()).unwrap().count(), 0, "nothing is left");
}

#[test]
fn a_request_ends_with_a_signal() {
    for how in ["TERM", "INT", "HUP"] {
        let home = Home::new();
        let mut pipe = home.stdio(&["--qr", "png:code.png"]);
        pipe.write(&Frame::Cbor.frame(GET));
        while pipe.frame() != (0x3b, vec![2]) {}
        assert!(home.path("code.png").exists());
        pipe.signal(how);
        let (code, _, said) = pipe.ended();
        assert_eq!(code, Some(0), "{how}: {said}");
        assert!(!home.path("code.png").exists(), "{how}");
    }
}

#[test]
fn an_input_that_ends_within_a_frame_is_the_other_sides_fault() {
    let mut pipe = Home::new().stdio(&[]);
    pipe.write(&[0x10, 0, 0]);
    drop(pipe.0.stdin.take());
    let (code, _, said) = pipe.ended();
    assert_eq!(code, Some(8));
    assert!(said.contains("(pipe.truncated)"), "{said}");
}

#[test]
fn an_output_that_nobody_reads_ends_it() {
    let mut pipe = Home::new().stdio(&[]);
    drop(pipe.0.stdout.take());
    pipe.write(&Frame::Cbor.frame(GET_INFO));
    let (code, _, said) = pipe.ended();
    assert_eq!(code, Some(1));
    assert!(said.contains("(pipe.broken)"), "{said}");
}

#[test]
fn a_socket_is_its_owners_and_serves_one_after_the_other() {
    let home = Home::new();
    let pipe = home.listen();
    let metadata = fs::symlink_metadata(home.path("socket")).unwrap();
    assert!(metadata.file_type().is_socket());
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(home.0.path()).unwrap().count(), 1, "and nothing is beside it");

    let mut first = home.turn();
    first.write_all(&Frame::Cbor.frame(GET)).unwrap();
    while frame(&mut first) != (0x3b, vec![2]) {}
    let mut second = home.connect();
    assert_eq!(frame(&mut second), (0x3f, vec![Fault::Busy.byte()]));
    assert_eq!(second.read(&mut [0; 1]).unwrap(), 0);
    // Even one who leaves in the middle of a frame ends only his own turn.
    first.write_all(&[0x10, 0]).unwrap();
    drop(first);
    let mut next = home.turn();
    next.write_all(&Frame::Cbor.frame(GET_INFO)).unwrap();
    assert_eq!(answer(&mut next).1[0], 0);
    pipe.signal("TERM");
    assert_eq!(pipe.ended().0, Some(0));
    assert!(!home.path("socket").exists());
}

#[test]
fn only_a_socket_that_nobody_listens_on_is_replaced() {
    let home = Home::new();
    let path = home.path("socket");
    let refused = |home: &Home| {
        let (code, _, said) = Running(home.ctap(&["--listen", "unix:socket"]).spawn().unwrap()).ended();
        assert_eq!(code, Some(1));
        assert!(said.contains("(pipe.taken)"), "{said}");
    };
    fs::write(&path, "dear diary").unwrap();
    refused(&home);
    assert_eq!(fs::read(&path).unwrap(), b"dear diary");
    fs::remove_file(&path).unwrap();
    let listener = UnixListener::bind(&path).unwrap();
    refused(&home);
    drop(listener);
    assert!(UnixStream::connect(&path).is_err() && path.exists());
    let pipe = home.listen();
    drop(home.turn());
    pipe.signal("INT");
    assert_eq!(pipe.ended().0, Some(0));
}

#[test]
fn a_transport_is_chosen_and_only_one() {
    let home = Home::new();
    let wrong = [&[][..], &["--stdio", "--listen", "unix:x"], &["--listen", "x"], &["--listen", "unix:"]];
    for arguments in wrong {
        let pipe = Running(home.ctap(arguments).spawn().unwrap());
        assert_eq!(pipe.ended().0, Some(2), "{arguments:?}");
    }
    fs::write(home.path("code.png"), "dear diary").unwrap();
    let (code, _, said) = home.stdio(&["--qr", "png:code.png"]).ended();
    assert_eq!(code, Some(2), "{said}");
}

/// Whether one waits for a descriptor belongs to all who share it.
#[test]
fn standard_input_and_output_are_left_as_they_were() {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    let home = Home::new();
    for (waits, sockets) in [(true, true), (true, false), (false, true), (false, false)] {
        let (theirs, ours): ([OwnedFd; 2], [OwnedFd; 2]) = if sockets {
            let (socket, peer) = UnixStream::pair().unwrap();
            let (again, peer_again) = (socket.try_clone().unwrap(), peer.try_clone().unwrap());
            ([socket.into(), again.into()], [peer.into(), peer_again.into()])
        } else {
            let ((input, write), (read, output)) = (std::io::pipe().unwrap(), std::io::pipe().unwrap());
            ([input.into(), output.into()], [write.into(), read.into()])
        };
        for end in theirs.iter().filter(|_| !waits) {
            fcntl_setfl(end, fcntl_getfl(end).unwrap() | OFlags::NONBLOCK).unwrap();
        }
        let kept = theirs.each_ref().map(|end| end.try_clone().unwrap());
        let [input, output] = theirs;
        let mut command = home.ctap(&["--stdio"]);
        let pipe = Running(command.stdin(input).stdout(output).spawn().unwrap());
        drop(command);
        let [to, from] = ours.map(fs::File::from);
        (&to).write_all(&Frame::Ping.frame(b"me")).unwrap();
        assert_eq!(frame(&mut &from), (0x01, b"me".to_vec()));
        pipe.signal("TERM");
        assert_eq!(pipe.ended().0, Some(0));
        for end in &kept {
            let left = !fcntl_getfl(end).unwrap().contains(OFlags::NONBLOCK);
            assert_eq!(left, waits, "sockets: {sockets}");
        }
    }
}
