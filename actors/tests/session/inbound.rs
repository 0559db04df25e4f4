//! What comes in: commands, and everything that is wrong with them.

use std::time::Duration;

use pitboss_actors::session::StreamLimits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::{
    Bytes, Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};

use crate::world::{Client, Options, in_time, serve};

const BAD_COMMAND: &str = r#"{"type":"error","code":"bad_command"}"#;

fn fragment(text: &'static [u8], opcode: Data, last: bool) -> Message {
    Message::Frame(Frame::message(
        Bytes::from_static(text),
        OpCode::Data(opcode),
        last,
    ))
}

async fn answer(client: &mut Client) -> String {
    match client.frame().await {
        Message::Text(text) => text.to_string(),
        other => panic!("not a text: {other:?}"),
    }
}

#[actix_web::test]
async fn commands_are_answered_and_bad_ones_are_told_so() {
    let server = serve(Options::default());
    let mut client = server.client("").await;
    client.expect_snapshot(0).await;
    for (command, expected) in [
        (
            Message::from(r#"{"type":"ping","id":"a"}"#),
            r#"{"type":"pong","id":"a","seq":0}"#,
        ),
        (
            Message::from(r#"{"type":"withdraw","amount":"1"}"#),
            r#"{"type":"error","code":"unknown_command"}"#,
        ),
        (Message::from("{"), BAD_COMMAND),
        (
            Message::binary(&b"\x00\xff"[..]),
            r#"{"type":"error","code":"binary_not_supported"}"#,
        ),
    ] {
        client.send(command).await;
        assert_eq!(answer(&mut client).await, expected);
    }
    client.send(Message::Ping(Bytes::from_static(b"hi"))).await;
    assert_eq!(
        client.frame().await,
        Message::Pong(Bytes::from_static(b"hi"))
    );
    server.world.emit();
    client.expect_events(1..=1).await;
}

#[actix_web::test]
async fn a_command_in_fragments_is_put_together() {
    let server = serve(Options::default());
    let mut client = server.client("").await;
    client.expect_snapshot(0).await;
    client
        .send(fragment(br#"{"type":"#, Data::Text, false))
        .await;
    client
        .send(fragment(br#""pi"#, Data::Continue, false))
        .await;
    client
        .send(fragment(br#"ng"}"#, Data::Continue, true))
        .await;
    assert_eq!(answer(&mut client).await, r#"{"type":"pong","seq":0}"#);
}

#[actix_web::test]
async fn wrong_utf_8_breaks_the_protocol_whole_or_in_fragments() {
    let server = serve(Options::default());
    let mut client = server.client("").await;
    client.send(fragment(b"\xff\xfe", Data::Text, true)).await;
    assert_eq!(client.closed().await, (4100, "protocol".to_owned()));

    let mut client = server.client("").await;
    client.send(fragment(b"\xff", Data::Text, false)).await;
    client.send(fragment(b"\xfe", Data::Continue, true)).await;
    assert_eq!(client.closed().await.0, 4100);
    server.wait_until_empty().await;
}

#[actix_web::test]
async fn a_continuation_of_nothing_breaks_the_protocol() {
    let server = serve(Options::default());
    let mut client = server.client("").await;
    client.send(fragment(b"{}", Data::Continue, true)).await;
    assert_eq!(client.closed().await.0, 4100);
}

#[actix_web::test]
async fn a_large_frame_and_large_fragments_are_refused() {
    let server = serve(Options {
        limits: StreamLimits {
            max_frame_bytes: 1000,
            ..StreamLimits::default()
        },
        ..Options::default()
    });
    let mut client = server.client("").await;
    client.expect_snapshot(0).await;
    client.send("x".repeat(1000)).await;
    assert_eq!(answer(&mut client).await, BAD_COMMAND);
    client.send("x".repeat(1001)).await;
    assert_eq!(client.closed().await, (4101, "frame_too_large".to_owned()));

    let mut client = server.client("").await;
    static HALF: [u8; 501] = [b'x'; 501];
    client.send(fragment(&HALF, Data::Text, false)).await;
    client.send(fragment(&HALF, Data::Continue, false)).await;
    assert_eq!(client.closed().await.0, 4101);
}

#[actix_web::test]
async fn a_flood_of_frames_of_any_kind_closes_its_session_and_no_other() {
    let limits = StreamLimits {
        max_frames_per_s: 10,
        ..StreamLimits::default()
    };
    let server = serve(Options {
        limits,
        ..Options::default()
    });
    let mut quiet = server.client("?player=ben").await;
    quiet.expect_snapshot(0).await;
    let command = || Message::from(r#"{"type":"ping"}"#);
    let ping = || Message::Ping(Bytes::new());
    let empty = || fragment(b"", Data::Continue, false);
    for frame in [command(), ping(), empty()] {
        let mut client = server.client("").await;
        client.send(fragment(b"", Data::Text, false)).await;
        if frame == command() {
            client.send(fragment(b"", Data::Continue, true)).await;
        }
        // The window may turn once while these are sent, so two windows' worth and some.
        for _ in 0..40 {
            if futures_util::SinkExt::send(&mut client.0, frame.clone())
                .await
                .is_err()
            {
                break;
            }
        }
        assert_eq!(client.closed().await.0, 4100);
    }
    server.world.emit();
    quiet.expect_events(1..=1).await;
}

#[actix_web::test]
async fn a_frame_that_comes_byte_by_byte_is_understood() {
    let server = serve(Options::default());
    let mut client = server.client("").await;
    client.expect_snapshot(0).await;
    let command = br#"{"type":"ping","id":1}"#;
    let mut bytes = vec![0x81, 0x80 | command.len() as u8, 0, 0, 0, 0];
    bytes.extend(command);
    for byte in bytes {
        client.0.get_mut().write_all(&[byte]).await.unwrap();
        tokio::time::sleep(Duration::from_micros(300)).await;
    }
    assert_eq!(
        answer(&mut client).await,
        r#"{"type":"pong","id":1,"seq":0}"#
    );
}

#[actix_web::test]
async fn a_close_frame_is_answered_and_a_broken_connection_ends_the_session() {
    let server = serve(Options::default());
    let mut client = server.client("").await;
    client.expect_snapshot(0).await;
    in_time(client.0.close(None)).await.unwrap();
    server.wait_until_empty().await;

    let mut client = server.client("").await;
    client.expect_snapshot(0).await;
    drop(client);
    server.wait_until_empty().await;
    // The player learns it with the next event.
    server.world.emit();
    assert_eq!(server.world.sinks(), 0);
}

#[actix_web::test]
async fn a_request_that_is_no_handshake_pushes_no_session_out() {
    let mut options = Options::default();
    options.sessions.max_sessions_per_player = 1;
    let server = serve(options);
    let mut client = server.client("").await;
    client.expect_snapshot(0).await;

    let mut plain = tokio::net::TcpStream::connect(server.address)
        .await
        .unwrap();
    plain
        .write_all(b"GET /v1/stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut response = String::new();
    in_time(plain.read_to_string(&mut response)).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 400"), "{response}");

    server.world.emit();
    client.expect_events(1..=1).await;
}

#[actix_web::test]
async fn frames_that_break_the_protocol_close_their_session_and_no_other() {
    let server = serve(Options::default());
    let mut quiet = server.client("?player=ben").await;
    quiet.expect_snapshot(0).await;
    let ping_of_200 = [&[0x89, 0x80 | 126, 0, 200][..], &[0; 204]].concat();
    let broken: [(&str, &[u8]); 9] = [
        ("no mask", &[0x81, 2, b'{', b'}']),
        ("reserved bits", &[0xf1, 0x80, 0, 0, 0, 0]),
        ("an opcode that nobody knows", &[0x83, 0x80, 0, 0, 0, 0]),
        (
            "a control frame that nobody knows",
            &[0x8b, 0x80, 0, 0, 0, 0],
        ),
        ("a ping in fragments", &[0x09, 0x80, 0, 0, 0, 0]),
        ("a ping of 200 bytes", &ping_of_200),
        (
            "a text within a text",
            &[0x01, 0x80, 0, 0, 0, 0, 0x01, 0x80, 0, 0, 0, 0],
        ),
        (
            "a length of 2^63",
            &[0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ),
        (
            "a length of 2^64 - 1",
            &[
                0x82, 0xff, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0,
            ],
        ),
    ];
    for (what, bytes) in broken {
        let mut client = server.client("").await;
        client.expect_snapshot(0).await;
        client.0.get_mut().write_all(bytes).await.unwrap();
        let code = client.closed().await.0;
        assert!(matches!(code, 4100 | 4101), "{what}: {code}");
    }
    server.world.emit();
    quiet.expect_events(1..=1).await;
}
