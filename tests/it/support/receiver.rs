//! A receiver of webhooks: an HTTP server of a few lines that remembers what came and answers as it is told.

use std::sync::{Arc, Mutex};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::eventually;

/// One request that came.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub path: String,
    pub id: String,
    pub timestamp: String,
    pub signature: String,
    pub text: String,
    pub event: Value,
    /// What it was answered.
    pub status: u16,
}

impl Delivery {
    pub fn is_of(&self, player: &str) -> bool {
        self.event["player"] == player
    }

    /// Whether a signature under this secret is among those of the header; the specification, written here a
    /// second time on purpose.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD
            .decode(secret.strip_prefix("whsec_").unwrap())
            .unwrap();
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&key).unwrap();
        mac.update(format!("{}.{}.{}", self.id, self.timestamp, self.text).as_bytes());
        let wanted = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        self.signature.split(' ').any(|part| part == wanted)
    }
}

type Answer = dyn Fn(&Delivery) -> (u16, &'static str) + Send + Sync;

/// Listens for as long as it lives.
pub struct Receiver {
    pub url: String,
    deliveries: Arc<Mutex<Vec<Delivery>>>,
    answer: Arc<Mutex<Arc<Answer>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Receiver {
    /// Takes everything, until told otherwise.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let deliveries = Arc::new(Mutex::new(Vec::new()));
        let answer: Arc<Mutex<Arc<Answer>>> = Arc::new(Mutex::new(Arc::new(|_| (204, ""))));
        let (seen, answering) = (deliveries.clone(), answer.clone());
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, seen.clone(), answering.clone()));
            }
        });
        Self {
            url,
            deliveries,
            answer,
            task,
        }
    }

    /// From now on answers with this status, and this header when it is not empty.
    pub fn answer(
        &self,
        answer: impl Fn(&Delivery) -> (u16, &'static str) + Send + Sync + 'static,
    ) {
        *self.answer.lock().unwrap() = Arc::new(answer);
    }

    pub fn deliveries(&self) -> Vec<Delivery> {
        self.deliveries.lock().unwrap().clone()
    }

    /// The `seq` of each event of a player that was taken, as they came.
    pub fn taken(&self, player: &str) -> Vec<i64> {
        let deliveries = self.deliveries();
        let taken = deliveries
            .iter()
            .filter(|delivery| delivery.is_of(player) && delivery.status < 300);
        taken
            .map(|delivery| delivery.event["seq"].as_i64().unwrap())
            .collect()
    }

    /// Waits until this event of a player was taken.
    pub async fn until_seq(&self, player: &str, seq: i64) {
        let what = format!("event {seq} of {player} is delivered");
        eventually(&what, async || {
            self.taken(player).contains(&seq).then_some(())
        })
        .await;
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut socket: TcpStream,
    seen: Arc<Mutex<Vec<Delivery>>>,
    answer: Arc<Mutex<Arc<Answer>>>,
) {
    let mut bytes = Vec::new();
    loop {
        let Some((head, body)) = request(&mut socket, &mut bytes).await else {
            return;
        };
        let header = |name: &str| {
            let lines = head.lines().filter_map(|line| line.split_once(": "));
            let found = lines
                .into_iter()
                .find(|(of, _)| of.eq_ignore_ascii_case(name));
            found.map_or(String::new(), |(_, value)| value.to_owned())
        };
        let mut delivery = Delivery {
            path: head.split(' ').nth(1).unwrap_or_default().to_owned(),
            id: header("webhook-id"),
            timestamp: header("webhook-timestamp"),
            signature: header("webhook-signature"),
            event: serde_json::from_str(&body).unwrap_or_default(),
            text: body,
            status: 0,
        };
        let answering = answer.lock().unwrap().clone();
        let (status, more) = answering(&delivery);
        delivery.status = status;
        seen.lock().unwrap().push(delivery);
        let more = if more.is_empty() {
            String::new()
        } else {
            format!("{more}\r\n")
        };
        let text = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n{more}\r\n");
        if socket.write_all(text.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The next request's head and body; what came behind it stays in `bytes`.
async fn request(socket: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<(String, String)> {
    loop {
        let end = bytes.windows(4).position(|part| part == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = head
                .lines()
                .filter_map(|line| line.split_once(": "))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .and_then(|(_, value)| value.parse::<usize>().ok())
                .unwrap_or(0);
            let whole = end + 4 + length;
            if bytes.len() >= whole {
                let body = String::from_utf8_lossy(&bytes[end + 4..whole]).into_owned();
                bytes.drain(..whole);
                return Some((head, body));
            }
        }
        let mut chunk = [0; 8192];
        let count = socket.read(&mut chunk).await.ok()?;
        if count == 0 {
            return None;
        }
        bytes.extend(&chunk[..count]);
    }
}
