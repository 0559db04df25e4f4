//! The WebSocket side: what the player's own client sees.

use std::time::Duration;

use futures_util::StreamExt;
use serde_json::Value;
use tokio::{
    net::TcpStream,
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};

use super::event::{Event, Heard, Inbox};

const PATIENCE: Duration = Duration::from_secs(5);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub(super) struct Stream {
    pub inbox: Inbox,
    /// Where the player stood when the socket was opened.
    pub snapshot: String,
    pub snapshot_seq: i64,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Stream {
    /// Says good-bye, so that the server need not find out by itself.
    pub async fn close(self) {
        if self.stop.send(()).is_ok() {
            let _ = timeout(PATIENCE, self.task).await;
        }
    }
}

/// Connects with the player's token and waits for the snapshot.
pub(super) async fn open(url: &str, token: &str) -> Result<Stream, String> {
    let mut request = url
        .into_client_request()
        .map_err(|error| error.to_string())?;
    let bearer = HeaderValue::try_from(format!("Bearer {token}"))
        .map_err(|_| "the token cannot stand in a header".to_owned())?;
    request.headers_mut().insert("Authorization", bearer);
    let opening = async {
        let (mut socket, _) = connect_async(request)
            .await
            .map_err(|error| error.to_string())?;
        let snapshot = next_text(&mut socket)
            .await
            .ok_or("the server closed the socket before the snapshot")??;
        Ok::<_, String>((socket, snapshot))
    };
    let (socket, snapshot) = timeout(PATIENCE, opening)
        .await
        .map_err(|_| "no snapshot in time".to_owned())??;
    let value: Value = serde_json::from_str(&snapshot).unwrap_or_default();
    let snapshot_seq = match (value["type"].as_str(), value["seq"].as_i64()) {
        (Some("snapshot"), Some(seq)) => seq,
        _ => return Err(format!("the first message is no snapshot: {snapshot}")),
    };
    let (sender, receiver) = mpsc::channel(256);
    let (stop, stopped) = oneshot::channel();
    Ok(Stream {
        inbox: Inbox::new(receiver),
        snapshot,
        snapshot_seq,
        stop,
        task: tokio::spawn(listen(socket, sender, stopped)),
    })
}

/// The next text message; `None` when the socket has ended. Pings are answered by the library.
async fn next_text(socket: &mut Socket) -> Option<Result<String, String>> {
    loop {
        match socket.next().await? {
            Ok(Message::Text(text)) => return Some(Ok(text.as_str().to_owned())),
            Ok(Message::Close(frame)) => {
                let reason =
                    frame.map_or_else(|| "no reason".to_owned(), |frame| frame.to_string());
                return Some(Err(format!("the server closed the socket: {reason}")));
            }
            Ok(_) => {}
            Err(error) => return Some(Err(error.to_string())),
        }
    }
}

async fn listen(mut socket: Socket, sender: mpsc::Sender<Heard>, mut stop: oneshot::Receiver<()>) {
    loop {
        let text = tokio::select! {
            _ = &mut stop => break,
            text = next_text(&mut socket) => text,
        };
        let (heard, is_over) = match text {
            None => return,
            Some(Err(error)) => (Heard::Trouble(format!("WebSocket: {error}")), true),
            Some(Ok(text)) => match Event::read(&text) {
                Ok(event) => (Heard::Event(event), false),
                Err(error) => (Heard::Trouble(format!("WebSocket: {error}")), false),
            },
        };
        if sender.send(heard).await.is_err() || is_over {
            return;
        }
    }
    // The tour is over: whatever goes wrong now is nobody's loss.
    let _ = socket.close(None).await;
    while let Some(Ok(_)) = socket.next().await {}
}
