use std::collections::VecDeque;

use tokio::time::Instant;

use super::*;

fn failed(raw: i32) -> io::Result<u32> {
    Err(io::Error::from_raw_os_error(raw))
}

async fn accepted(answers: Vec<io::Result<u32>>) -> (Result<u32, Error>, Vec<String>) {
    let (mut answers, mut told) = (VecDeque::from(answers), Vec::new());
    let accept = async || answers.pop_front().unwrap();
    let accepted = patiently(accept, "nobody can be let in", |error| told.push(error.to_string())).await;
    assert!(answers.is_empty(), "asked for more than there is");
    (accepted, told)
}

#[tokio::test(start_paused = true)]
async fn what_goes_by_is_waited_for_and_told_once() {
    let began = Instant::now();
    // EMFILE, ENFILE, ENOMEM, EINTR.
    let answers = [24, 23, 12, 4].map(failed).into_iter();
    let aborted = Err(io::ErrorKind::ConnectionAborted.into());
    let (accepted, told) = accepted(answers.chain([aborted, Ok(7)]).collect()).await;
    assert_eq!(accepted.unwrap(), 7);
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("nobody can be let in for now: "), "{told:?}");
    assert_eq!(began.elapsed(), 5 * defaults::ACCEPT_PAUSE, "five times a pause");
}

#[tokio::test(start_paused = true)]
async fn what_does_not_go_by_is_the_end() {
    // EBADF, EINVAL.
    for raw in [9, 22] {
        let (accepted, told) = accepted(vec![failed(raw)]).await;
        assert!(matches!(accepted, Err(Error::Io { .. })), "{accepted:?}");
        assert_eq!(told, Vec::<String>::new());
    }
}

#[tokio::test]
async fn what_a_killed_start_left_behind_is_in_nobodys_way() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("socket");
    let left = |number: u32| home.path().join(format!(".socket.{}.{number}", std::process::id()));
    for number in [0, 1] {
        fs::create_dir(left(number)).unwrap();
    }
    fs::write(left(0).join("s"), "dear diary").unwrap();
    let socket = Socket::listen(&path).unwrap();
    assert!(Probe::connect(&path).is_ok());
    // Whose it is nobody knows, and so it stays.
    assert_eq!(fs::read(left(0).join("s")).unwrap(), b"dear diary");
    assert!(left(1).exists() && !left(2).exists());
    drop(socket);
    assert!(!path.exists());
}
