//! What may be sent through a tunnel, and what ends it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests stop where they fail"
)]

mod support;

use cablecar_relay::Limits;
use futures_util::{SinkExt, StreamExt};
use support::{Socket, close_code, hear, id, say, soon, start};
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{CloseFrame, Frame};

/// Sends this and gives the close codes of the offender and of the other,
/// for the offender on either side.
async fn offence(change: fn(&mut Limits), messages: &[Message]) -> Vec<(u16, u16)> {
    let relay = start(change);
    let mut codes = Vec::new();
    for n in 0..2 {
        let (mut phone, mut computer) = relay.pair(&id(n)).await;
        let (offender, other) =
            if n == 0 { (&mut phone, &mut computer) } else { (&mut computer, &mut phone) };
        for message in messages {
            // The relay may close before the last was sent.
            let _ = soon(offender.send(message.clone())).await;
        }
        codes.push((close_code(offender).await, close_code(other).await));
    }
    codes
}

fn binary(length: usize) -> Message {
    Message::binary(vec![7; length])
}

fn frame(opcode: Data, bytes: &[u8], last: bool) -> Message {
    Message::Frame(Frame::message(bytes.to_vec(), OpCode::Data(opcode), last))
}

#[tokio::test]
async fn text_is_1003() {
    assert_eq!(offence(|_| {}, &[Message::text("hello")]).await, [(1003, 1001); 2]);
    let not_utf8 = frame(Data::Text, &[0xff], true);
    assert_eq!(offence(|_| {}, &[not_utf8]).await, [(1003, 1001); 2]);
}

#[tokio::test]
async fn an_empty_message_is_1002() {
    assert_eq!(offence(|_| {}, &[binary(0)]).await, [(1002, 1001); 2]);
    let in_pieces = [frame(Data::Binary, b"", false), frame(Data::Continue, b"", true)];
    assert_eq!(offence(|_| {}, &in_pieces).await, [(1002, 1001); 2]);
}

#[tokio::test]
async fn a_message_over_the_limit_is_1009() {
    let limit: fn(&mut Limits) = |limits| limits.message = 1000;
    assert_eq!(offence(limit, &[binary(1001)]).await, [(1009, 1001); 2]);
    let in_pieces = [frame(Data::Binary, &[7; 600], false), frame(Data::Continue, &[7; 600], true)];
    assert_eq!(offence(limit, &in_pieces).await, [(1009, 1001); 2]);
}

#[tokio::test]
async fn a_large_rest_does_not_swallow_the_close_frame() {
    assert_eq!(offence(|limits| limits.message = 1000, &[binary(200_000)]).await, [(1009, 1001); 2]);
}

#[tokio::test]
async fn a_message_at_the_limit_passes() {
    let relay = start(|_| {});
    let (mut phone, mut computer) = relay.pair(&id(1)).await;
    let whole: Vec<u8> = (0..128 * 1024u32).map(|n| n.to_le_bytes()[0]).collect();
    say(&mut phone, &whole).await;
    assert_eq!(hear(&mut computer).await, whole);
    say(&mut computer, &whole).await;
    assert_eq!(hear(&mut phone).await, whole);
}

#[tokio::test]
async fn one_message_too_many_is_1008_after_all_the_others() {
    let relay = start(|limits| limits.messages = 64);
    let (mut phone, mut computer) = relay.pair(&id(1)).await;
    for n in 0..65 {
        say(&mut phone, &[n; 3]).await;
    }
    for n in 0..64 {
        assert_eq!(hear(&mut computer).await, [n; 3]);
    }
    assert_eq!((close_code(&mut phone).await, close_code(&mut computer).await), (1008, 1001));
}

#[tokio::test]
async fn one_byte_too_many_is_1008() {
    let limit: fn(&mut Limits) = |limits| (limits.message, limits.bytes) = (1000, 2500);
    assert_eq!(offence(limit, &[binary(1000), binary(1000), binary(501)]).await, [(1008, 1001); 2]);
    let relay = start(limit);
    let (mut phone, mut computer) = relay.pair(&id(1)).await;
    for length in [1000, 1000, 500] {
        say(&mut phone, &vec![1; length]).await;
        assert_eq!(hear(&mut computer).await.len(), length);
    }
    // the other side has an allowance of its own
    say(&mut computer, &[2; 1000]).await;
    assert_eq!(hear(&mut phone).await, [2; 1000]);
}

#[tokio::test]
async fn frames_that_are_no_websocket_are_1002() {
    let masked = |head: &[u8]| [head, &[0, 0, 0, 0, 7]].concat();
    let wrong: [(&str, Vec<u8>); 5] = [
        ("reserved bit, as compression sets it", masked(&[0xc2, 0x81])),
        ("not masked", vec![0x82, 0x01, 7]),
        ("reserved opcode", masked(&[0x83, 0x81])),
        ("continues nothing", masked(&[0x80, 0x81])),
        ("a ping in pieces", masked(&[0x09, 0x81])),
    ];
    let relay = start(|_| {});
    for (n, (what, bytes)) in (0..).zip(wrong) {
        let (mut phone, mut computer) = relay.pair(&id(n)).await;
        phone.get_mut().write_all(&bytes).await.unwrap();
        assert_eq!((close_code(&mut phone).await, close_code(&mut computer).await), (1002, 1001), "{what}");
    }
}

#[tokio::test]
async fn any_close_code_of_one_side_is_1000_to_the_other() {
    let relay = start(|_| {});
    for (n, code) in [(1, CloseCode::Normal), (2, CloseCode::Library(4001)), (3, CloseCode::Away)] {
        let (mut phone, mut computer) = relay.pair(&id(n)).await;
        soon(phone.close(Some(CloseFrame { code, reason: "x".into() }))).await.unwrap();
        assert_eq!(close_code(&mut computer).await, 1000);
        // answered with its own code
        assert_eq!(close_code(&mut phone).await, u16::from(code));
    }
}

#[tokio::test]
async fn what_is_said_early_is_kept_and_delivered_whole_and_in_order() {
    let relay = start(|_| {});
    let mut phone = relay.open(&id(1)).await;
    for n in 0..20 {
        say(&mut phone, &[n; 200]).await;
    }
    // a ping in between tells that the relay has read them all
    soon(phone.send(Message::Ping(b"read?".to_vec().into()))).await.unwrap();
    assert_eq!(soon(phone.next()).await.unwrap().unwrap(), Message::Pong(b"read?".to_vec().into()));
    let mut computer = relay.join(&id(1)).await;
    for n in 0..20 {
        assert_eq!(hear(&mut computer).await, [n; 200]);
    }
}

#[tokio::test]
async fn more_than_can_be_held_waits_in_the_sender_and_is_delivered_too() {
    let relay = start(|limits| (limits.message, limits.held) = (1024 * 1024, 1000));
    let mut phone = relay.open(&id(1)).await;
    let sending = tokio::spawn(async move {
        for n in 0..50 {
            say(&mut phone, &vec![n; 20_000]).await;
        }
        phone
    });
    let mut computer = relay.join(&id(1)).await;
    for n in 0..50 {
        assert_eq!(hear(&mut computer).await, vec![n; 20_000]);
    }
    drop(sending.await.unwrap());
}

#[tokio::test]
async fn long_and_short_without_a_pause_come_whole_and_in_order() {
    let relay = start(|_| {});
    let (mut phone, mut computer) = relay.pair(&id(1)).await;
    // About what is read at once, of the library's and of ours, and far above.
    let lengths = [1, 4095, 4096, 4097, 20_473, 20_480, 20_490, 3, 100_000, 7, 16_384, 40_000, 2];
    let message =
        move |n: usize| vec![u8::try_from(n % 251).unwrap(); lengths[n % lengths.len()] + n / lengths.len()];
    let sending = tokio::spawn(async move {
        for n in 0..39 {
            soon(phone.feed(Message::binary(message(n)))).await.unwrap();
        }
        soon(phone.feed(Message::Close(Some(CloseFrame { code: CloseCode::Normal, reason: "".into() }))))
            .await
            .unwrap();
        soon(phone.flush()).await.unwrap();
        close_code(&mut phone).await
    });
    for n in 0..39 {
        assert!(hear(&mut computer).await == message(n), "message {n} came otherwise");
    }
    assert_eq!((close_code(&mut computer).await, sending.await.unwrap()), (1000, 1000));
}

#[tokio::test]
async fn what_comes_in_one_packet_with_the_request_is_not_lost() {
    let relay = start(|_| {});
    let _phone = relay.open(&id(1)).await;
    let mut hasty = relay.tcp().await;
    let request = support::head(&format!("/cable/connect/{}/{}", support::ROUTING, id(1)), "");
    let first_message = [0x82, 0x83, 0, 0, 0, 0, b'a', b'b', b'c'];
    hasty.write_all(&[request.as_bytes(), &first_message].concat()).await.unwrap();
    let mut phone: Socket = _phone;
    assert_eq!(hear(&mut phone).await, b"abc");
}

#[tokio::test]
async fn fragments_are_joined() {
    let relay = start(|_| {});
    let (mut phone, mut computer) = relay.pair(&id(1)).await;
    for (opcode, bytes, last) in
        [(Data::Binary, &b"one "[..], false), (Data::Continue, b"", false), (Data::Continue, b"two ", false)]
    {
        soon(phone.send(frame(opcode, bytes, last))).await.unwrap();
        soon(phone.send(Message::Ping(vec![1].into()))).await.unwrap();
    }
    soon(phone.send(frame(Data::Continue, b"three", true))).await.unwrap();
    assert_eq!(hear(&mut computer).await, b"one two three");
}

#[tokio::test]
async fn pings_are_answered_and_neither_counted_nor_passed_on() {
    let relay = start(|limits| limits.messages = 1);
    let (mut phone, mut computer) = relay.pair(&id(1)).await;
    for n in 0..200 {
        soon(phone.send(Message::Ping(vec![n].into()))).await.unwrap();
        assert_eq!(soon(phone.next()).await.unwrap().unwrap(), Message::Pong(vec![n].into()));
    }
    say(&mut phone, b"the only one").await;
    assert_eq!(hear(&mut computer).await, b"the only one");
}

#[tokio::test]
async fn a_waiting_phone_may_ping_before_anything_else() {
    let relay = start(|_| {});
    let mut phone = relay.open(&id(1)).await;
    soon(phone.send(Message::Ping(vec![].into()))).await.unwrap();
    assert_eq!(soon(phone.next()).await.unwrap().unwrap(), Message::Pong(vec![].into()));
    let mut computer = relay.join(&id(1)).await;
    say(&mut computer, b"now").await;
    assert_eq!(hear(&mut phone).await, b"now");
}
