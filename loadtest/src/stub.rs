//! A tiny HTTP responder for tests: just enough of a server to be driven without the real one.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What the responder does with a request.
pub enum Reply {
    /// Status and body.
    Answer(u16, String),
    /// These very bytes.
    Bytes(Vec<u8>),
    /// Close the connection without an answer.
    HangUp,
}

pub struct Request {
    pub path: String,
    pub headers: HashMap<String, String>,
    pub body: String,
}

pub struct Stub {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Stub {
    pub async fn start(handler: impl Fn(Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        let handler = Arc::new(handler);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, handler.clone()));
            }
        });
        Self {
            address,
            connections,
            task,
        }
    }

    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Answers with the given bytes in turn. An incomplete or closing answer closes the connection.
pub async fn serve_bytes(answers: Vec<&'static [u8]>) -> Stub {
    let left = Mutex::new(answers.into_iter());
    Stub::start(move |_| match left.lock().unwrap().next() {
        Some(bytes) => Reply::Bytes(bytes.to_vec()),
        None => Reply::HangUp,
    })
    .await
}

async fn serve(
    mut stream: TcpStream,
    handler: Arc<impl Fn(Request) -> Reply + Send + Sync + 'static>,
) {
    let mut buffer = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut buffer).await {
        let bytes = match handler(request) {
            Reply::HangUp => return,
            Reply::Bytes(bytes) => bytes,
            Reply::Answer(status, body) => format!(
                "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
            .into_bytes(),
        };
        if stream.write_all(&bytes).await.is_err() {
            return;
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if text.contains("close") || text.ends_with("half") {
            return;
        }
    }
}

async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Request> {
    loop {
        if let Some((request, length)) = parse(buffer) {
            buffer.drain(..length);
            return Some(request);
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

fn parse(bytes: &[u8]) -> Option<(Request, usize)> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(head) = request.parse(bytes).unwrap() else {
        return None;
    };
    let headers: HashMap<String, String> = request
        .headers
        .iter()
        .map(|header| {
            let value = String::from_utf8_lossy(header.value).into_owned();
            (header.name.to_ascii_lowercase(), value)
        })
        .collect();
    let length: usize = headers
        .get("content-length")
        .map_or(0, |value| value.parse().unwrap());
    let body = bytes.get(head..head + length)?;
    let request = Request {
        path: request.path.unwrap().to_owned(),
        headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    Some((request, head + length))
}
