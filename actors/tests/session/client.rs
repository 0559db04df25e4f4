//! A client of these tests, and how long it waits.

use std::{future::Future, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};

/// Nothing in these tests takes longer than this.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work)
        .await
        .expect("this should not take so long")
}

pub async fn eventually(mut is_so: impl FnMut() -> bool) {
    in_time(async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

pub struct Client(pub WebSocketStream<TcpStream>);

impl Client {
    /// The next frame of any kind.
    pub async fn frame(&mut self) -> Message {
        in_time(self.0.next())
            .await
            .expect("the connection ended")
            .unwrap()
    }

    /// The next text message.
    pub async fn text(&mut self) -> Value {
        loop {
            match self.frame().await {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("not a text: {other:?}"),
            }
        }
    }

    /// Reads on until the server closes; the code and reason.
    pub async fn closed(&mut self) -> (u16, String) {
        loop {
            if let Message::Close(frame) = self.frame().await {
                let frame = frame.expect("a code");
                return (frame.code.into(), frame.reason.to_string());
            }
        }
    }

    /// Reads on until the server closes with a hint when to come back; that pause in milliseconds.
    pub async fn expect_close(&mut self, code: u16, reason: &str) -> u64 {
        let (closed, text) = self.closed().await;
        assert_eq!(closed, code, "{text}");
        let pause = text.strip_prefix(&format!("{reason};retry_ms="));
        pause.expect(&text).parse().unwrap()
    }

    pub async fn send(&mut self, message: impl Into<Message>) {
        in_time(self.0.send(message.into())).await.unwrap();
    }

    /// Reads events, which must be exactly these.
    pub async fn expect_events(&mut self, seqs: std::ops::RangeInclusive<i64>) {
        for seq in seqs {
            let message = self.text().await;
            assert_eq!(message["type"], "wallet.bet_debited", "{message}");
            assert_eq!(message["seq"], seq);
        }
    }

    /// Sends a command and reads the next text.
    pub async fn ask(&mut self, command: &Value) -> Value {
        self.send(command.to_string()).await;
        self.text().await
    }

    pub async fn expect_snapshot(&mut self, seq: i64) -> Value {
        let message = self.text().await;
        assert_eq!(message["type"], "snapshot", "{message}");
        assert_eq!(message["seq"], seq);
        message
    }
}
