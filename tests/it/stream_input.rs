//! Bad input on a socket: each kind gets its message or close code, and no other socket notices.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{
    Bytes, Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};

use crate::support::{player::Player, sandbox::shared, stream::Stream};

fn fragment(payload: Vec<u8>, opcode: Data, last: bool) -> Message {
    Message::Frame(Frame::message(
        Bytes::from(payload),
        OpCode::Data(opcode),
        last,
    ))
}

/// What the server does about it.
enum Outcome {
    Told(&'static str),
    Closed(u16),
}

use Outcome::{Closed, Told};

fn bad_inputs() -> Vec<(&'static str, Vec<Message>, Outcome)> {
    let text = |text: &str| vec![Message::text(text)];
    let endless = |opcode| {
        let mut frames = vec![fragment(vec![b'x'; 1000], opcode, false)];
        frames.extend((0..4).map(|_| fragment(vec![b'x'; 1000], Data::Continue, false)));
        frames
    };
    vec![
        (
            "an unknown command",
            text(r#"{"type":"withdraw"}"#),
            Told("unknown_command"),
        ),
        ("bad JSON", text("{\"type\":"), Told("bad_command")),
        ("no object", text("[1,2]"), Told("bad_command")),
        ("deep JSON", text(&"[".repeat(4000)), Told("bad_command")),
        (
            "a command without its field",
            text(r#"{"type":"launch"}"#),
            Told("bad_command"),
        ),
        (
            "an amount of another type",
            text(r#"{"type":"resume","after":"1"}"#),
            Told("bad_command"),
        ),
        (
            "an unknown topic",
            text(r#"{"type":"subscribe","types":["slots.*"]}"#),
            Told("unknown_type"),
        ),
        (
            "binary",
            vec![Message::binary(vec![0, 255])],
            Told("binary_not_supported"),
        ),
        (
            "an oversized frame",
            vec![Message::text("x".repeat(5000))],
            Closed(4101),
        ),
        (
            "fragments without an end",
            endless(Data::Text),
            Closed(4101),
        ),
        (
            "binary fragments without an end",
            endless(Data::Binary),
            Closed(4101),
        ),
        (
            "a second message within a message",
            vec![
                fragment(b"{".to_vec(), Data::Text, false),
                fragment(b"{}".to_vec(), Data::Text, true),
            ],
            Closed(4100),
        ),
        (
            "the end of nothing",
            vec![fragment(b"{}".to_vec(), Data::Continue, true)],
            Closed(4100),
        ),
        (
            "wrong UTF-8",
            vec![fragment(vec![0xff, 0xfe], Data::Text, true)],
            Closed(4100),
        ),
        (
            "wrong UTF-8 in fragments",
            vec![
                fragment(vec![0xc3], Data::Text, false),
                fragment(vec![0x28], Data::Continue, true),
            ],
            Closed(4100),
        ),
        (
            "a flood of commands",
            vec![Message::text(r#"{"type":"ping"}"#); 100],
            Closed(4100),
        ),
        (
            "a flood of pings",
            vec![Message::Ping(Bytes::new()); 100],
            Closed(4100),
        ),
    ]
}

#[tokio::test]
async fn each_bad_input_is_answered_as_documented_and_disturbs_nobody() {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    let other = Player::with(&client, "100.00").await;
    let mut second = Stream::open(&client, &player.token, "").await.unwrap();
    let mut elsewhere = Stream::open(&client, &other.token, "").await.unwrap();
    for (what, frames, outcome) in bad_inputs() {
        let mut bad = Stream::open(&client, &player.token, "").await.unwrap();
        for frame in frames {
            bad.send_frame(frame).await;
        }
        match outcome {
            Told(code) => {
                let answer = bad.next().await;
                assert_eq!(
                    (&answer["type"], &answer["code"]),
                    (&json!("error"), &json!(code)),
                    "{what}"
                );
                assert!(answer.get("id").is_none(), "{what}");
                // And it goes on.
                let pong = bad.ask(&json!({ "type": "ping", "id": what })).await;
                assert_eq!(pong["type"], "pong", "{what}");
            }
            Closed(code) => assert_eq!(bad.closed().await, code, "{what}"),
        }
        for (player, stream) in [(&player, &mut second), (&other, &mut elsewhere)] {
            player.deposit(&client, "1.00").await;
            let event: Value = stream.next().await;
            assert_eq!(event["type"], "wallet.deposit_completed", "{what}");
        }
    }
}

#[tokio::test]
async fn every_code_of_an_error_and_of_a_close_is_documented() {
    let page = include_str!("../../docs/stream.md");
    for (what, _, outcome) in bad_inputs() {
        let code = match outcome {
            Told(code) => format!("`{code}`"),
            Closed(code) => format!("| {code} |"),
        };
        assert!(
            page.contains(&code),
            "{what}: {code} is not in docs/stream.md"
        );
    }
    for close in pitboss_actors::session::CloseCode::ALL {
        let row = format!("| {} | `{}` |", close.code(), close.reason());
        assert!(page.contains(&row), "{row} is not in docs/stream.md");
    }
}
