//! Native messaging on the wire: a length, 4 bytes in this machine's order,
//! and as many bytes of JSON.

use serde::Serialize;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use super::fault::Fault;
use crate::defaults;

/// What stands before each message.
const LENGTH: usize = size_of::<u32>();

/// Reads messages as long as there are any. Closed after the last one, or
/// after the fault behind which nothing can be read.
pub(super) fn inbox(
    mut input: impl AsyncRead + Unpin + Send + 'static,
) -> mpsc::Receiver<Result<Vec<u8>, Fault>> {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        while let Some(frame) = read(&mut input, defaults::MAX_OPTIONS).await.transpose() {
            let is_last = frame.is_err();
            if sender.send(frame).await.is_err() || is_last {
                break;
            }
        }
    });
    receiver
}

/// The next message, of at most `most` bytes; none at the end of the input.
/// Not more is held than has come.
async fn read(input: &mut (impl AsyncRead + Unpin), most: u64) -> Result<Option<Vec<u8>>, Fault> {
    let mut head = [0; LENGTH];
    let mut filled = 0;
    while let Some(rest) = head.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match input.read(rest).await {
            Ok(0) if filled == 0 => return Ok(None),
            Ok(0) => return Err(Fault::CutOff),
            Ok(more) => filled += more,
            Err(cause) => return Err(Fault::Input(cause.to_string())),
        }
    }
    let length = u32::from_ne_bytes(head);
    if u64::from(length) > most {
        return Err(Fault::TooLong(length));
    }
    let mut message = Vec::new();
    let read = input.take(length.into()).read_to_end(&mut message).await;
    match read {
        Ok(read) if u32::try_from(read) == Ok(length) => Ok(Some(message)),
        Ok(_) => Err(Fault::CutOff),
        Err(cause) => Err(Fault::Input(cause.to_string())),
    }
}

/// A message with its length before it, or nothing if a browser would not
/// take it. A secret: a code may stand in it.
pub(super) fn frame(message: &impl Serialize) -> Option<Zeroizing<Vec<u8>>> {
    // Large enough for a code, so that no copy of one is left by growing.
    let mut frame = Zeroizing::new(Vec::with_capacity(1 << 15));
    frame.extend([0; LENGTH]);
    serde_json::to_writer(&mut *frame, message).ok()?;
    let length = frame.len().checked_sub(LENGTH).filter(|length| *length <= defaults::MAX_TO_BROWSER)?;
    frame.get_mut(..LENGTH)?.copy_from_slice(&u32::try_from(length).ok()?.to_ne_bytes());
    Some(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(length: u32, body: &[u8]) -> Vec<u8> {
        [&length.to_ne_bytes()[..], body].concat()
    }

    async fn first(bytes: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        read(&mut &bytes[..], 16).await
    }

    #[tokio::test]
    async fn a_message_is_read_whole_or_not_at_all() {
        assert_eq!(first(b"").await, Ok(None));
        assert_eq!(first(&framed(0, b"")).await, Ok(Some(vec![])));
        assert_eq!(first(&framed(2, b"{}")).await, Ok(Some(b"{}".to_vec())));
        assert_eq!(first(&framed(2, b"{}more")).await, Ok(Some(b"{}".to_vec())));
        assert_eq!(first(&framed(16, &[b' '; 16])).await, Ok(Some(vec![b' '; 16])));
        for cut in 1..6 {
            assert_eq!(first(&framed(3, b"{ }")[..cut]).await, Err(Fault::CutOff), "{cut}");
        }
    }

    #[tokio::test]
    async fn a_length_beyond_the_bound_is_refused_before_anything_is_held() {
        assert_eq!(first(&framed(17, &[b' '; 17])).await, Err(Fault::TooLong(17)));
        assert_eq!(first(&framed(u32::MAX, b"")).await, Err(Fault::TooLong(u32::MAX)));
        // A length within it that never comes costs nothing.
        assert_eq!(read(&mut &framed(1 << 20, b"x")[..], 1 << 20).await, Err(Fault::CutOff));
    }

    #[tokio::test]
    async fn messages_come_in_their_order_and_a_fault_is_the_last() {
        let bytes = [framed(1, b"1"), framed(1, b"2"), framed(u32::MAX, b"3")].concat();
        let mut inbox = inbox(std::io::Cursor::new(bytes));
        assert_eq!(inbox.recv().await, Some(Ok(b"1".to_vec())));
        assert_eq!(inbox.recv().await, Some(Ok(b"2".to_vec())));
        assert_eq!(inbox.recv().await, Some(Err(Fault::TooLong(u32::MAX))));
        assert_eq!(inbox.recv().await, None);
    }

    #[test]
    fn what_a_browser_would_not_take_is_not_sent() {
        let text = |length: usize| "x".repeat(length - 2);
        let frame_of = |length| frame(&text(length)).map(|frame| frame.len());
        assert_eq!(frame_of(defaults::MAX_TO_BROWSER), Some(defaults::MAX_TO_BROWSER + LENGTH));
        assert_eq!(frame_of(defaults::MAX_TO_BROWSER + 1), None);
        assert_eq!(frame(&"é").unwrap().as_slice(), framed(4, "\"é\"".as_bytes()));
    }
}
