//! A player's client on his WebSocket.

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest, http::Request},
};

use super::{PATIENCE, client::Client};

pub struct Stream {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// The first message: a snapshot, or that it was resumed.
    pub first: Value,
    /// What the server said when it closed.
    pub reason: String,
}

/// What a refused upgrade was answered: status and code.
pub type Refused = (u16, String);

impl Stream {
    /// Opens it with the token in `Authorization`; `query` such as `?after=3`, or nothing.
    pub async fn open(client: &Client, token: &str, query: &str) -> Result<Self, Refused> {
        let mut request = format!("{}{query}", client.at.stream)
            .into_client_request()
            .unwrap();
        if !token.is_empty() {
            request
                .headers_mut()
                .insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        Self::connect(request).await
    }

    /// As a browser does, which cannot set headers.
    pub async fn open_by_subprotocol(client: &Client, token: &str) -> Result<Self, Refused> {
        let mut request = client.at.stream.as_str().into_client_request().unwrap();
        let protocols = format!("pitboss.v1, {token}").parse().unwrap();
        request
            .headers_mut()
            .insert("sec-websocket-protocol", protocols);
        Self::connect(request).await
    }

    /// As a web page of this origin does.
    pub async fn open_from(client: &Client, token: &str, origin: &str) -> Result<Self, Refused> {
        let mut request = client.at.stream.as_str().into_client_request().unwrap();
        let protocols = format!("pitboss.v1, {token}").parse().unwrap();
        let headers = request.headers_mut();
        headers.insert("sec-websocket-protocol", protocols);
        headers.insert("origin", origin.parse().unwrap());
        Self::connect(request).await
    }

    /// `None`: nobody is there, or the server is stopping.
    pub async fn try_open(client: &Client, token: &str, query: &str) -> Option<Self> {
        let mut request = format!("{}{query}", client.at.stream)
            .into_client_request()
            .unwrap();
        let bearer = format!("Bearer {token}").parse().unwrap();
        request.headers_mut().insert("authorization", bearer);
        let (socket, _) = connect_async(request).await.ok()?;
        let mut stream = Self::over(socket);
        stream.first = stream.receive().await.ok()?;
        Some(stream)
    }

    fn over(socket: WebSocketStream<MaybeTlsStream<TcpStream>>) -> Self {
        Self {
            socket,
            first: Value::Null,
            reason: String::new(),
        }
    }

    async fn connect(request: Request<()>) -> Result<Self, Refused> {
        let socket = match connect_async(request).await {
            Ok((socket, _)) => socket,
            Err(Error::Http(answer)) => {
                let body: Value =
                    serde_json::from_slice(answer.body().as_deref().unwrap_or_default())
                        .unwrap_or_default();
                let code = body["code"].as_str().unwrap_or_default().to_owned();
                return Err((answer.status().as_u16(), code));
            }
            Err(error) => panic!("{error}"),
        };
        let mut stream = Self::over(socket);
        stream.first = stream.next().await;
        Ok(stream)
    }

    /// The next text.
    pub async fn next(&mut self) -> Value {
        match self.receive().await {
            Ok(value) => value,
            Err(code) => panic!("closed with {code}"),
        }
    }

    /// The next text, or the code with which the server closed. 0: the connection broke without one.
    async fn receive(&mut self) -> Result<Value, u16> {
        let receiving = async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Text(text))) => {
                        return Ok(serde_json::from_str(&text).unwrap());
                    }
                    Some(Ok(Message::Close(frame))) => {
                        self.reason = frame.as_ref().map_or("", |f| f.reason.as_str()).to_owned();
                        return Err(frame.map_or(0, |frame| u16::from(frame.code)));
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return Err(0),
                }
            }
        };
        tokio::time::timeout(PATIENCE, receiving)
            .await
            .expect("the stream says something")
    }

    /// The next so many events.
    pub async fn events(&mut self, count: usize) -> Vec<Value> {
        let mut events = Vec::with_capacity(count);
        while events.len() < count {
            events.push(self.next().await);
        }
        events
    }

    /// The same, or the code with which the server closed before.
    pub async fn try_events(&mut self, count: usize) -> Result<Vec<Value>, u16> {
        let mut events = Vec::with_capacity(count);
        while events.len() < count {
            events.push(self.receive().await?);
        }
        Ok(events)
    }

    /// Events up to and including this seq.
    pub async fn until(&mut self, seq: i64) -> Vec<Value> {
        let mut events: Vec<Value> = Vec::new();
        while events
            .last()
            .is_none_or(|event| event["seq"].as_i64() < Some(seq))
        {
            events.push(self.next().await);
        }
        events
    }

    pub async fn send(&mut self, text: &str) {
        self.send_frame(Message::text(text)).await;
    }

    /// Anything, also what a well-behaved client never sends. Not an error when the server has closed already.
    pub async fn send_frame(&mut self, frame: Message) {
        let _ = self.socket.send(frame).await;
    }

    /// Sends a command, and reads on to its answer: the message with its id.
    pub async fn ask(&mut self, command: &Value) -> Value {
        self.send(&command.to_string()).await;
        loop {
            let message = self.next().await;
            if message["id"] == command["id"] {
                return message;
            }
        }
    }

    /// Whatever still comes, up to the close code.
    pub async fn closed(&mut self) -> u16 {
        loop {
            if let Err(code) = self.receive().await {
                return code;
            }
        }
    }

    /// Closed with "come back": the pause that the server asks for, in milliseconds.
    pub fn retry_ms(&self) -> u64 {
        let hint = self.reason.rsplit_once(";retry_ms=");
        hint.unwrap_or_else(|| panic!("no hint in {:?}", self.reason))
            .1
            .parse()
            .unwrap()
    }
}

/// The `seq` of each event.
pub fn seqs(events: &[Value]) -> Vec<i64> {
    events
        .iter()
        .map(|event| event["seq"].as_i64().unwrap())
        .collect()
}

/// The `type` of each event.
pub fn types(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect()
}
