//! One keep-alive HTTP/1.1 connection that sends prepared bytes and reads the answer into one buffer.
//!
//! Not a general client. It shares two cores with the server that it measures, so it builds no header map,
//! spawns no task and allocates nothing per request: a request is one write, its answer mostly one read.
//! It knows `Content-Length` and nothing else; an answer in chunks is refused with a clear message.

use std::io;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const MAX_HEADERS: usize = 64;
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;

pub struct Http {
    /// `host:port`
    authority: String,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
    pub bytes_sent: u64,
    pub bytes_received: u64,
}

/// An answer; the body lies in the connection's buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer<'a> {
    pub status: u16,
    pub retry_after_s: Option<u32>,
    pub body: &'a [u8],
}

/// What the head of an answer says.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    retry_after_s: Option<u32>,
    keep_alive: bool,
    head_bytes: usize,
    body_bytes: usize,
}

impl Http {
    pub fn new(authority: impl Into<String>) -> Self {
        Self {
            authority: authority.into(),
            stream: None,
            buffer: Vec::with_capacity(4096),
            bytes_sent: 0,
            bytes_received: 0,
        }
    }

    /// Sends one whole request and reads its answer.
    ///
    /// The stream is put back only after a whole answer: when this fails, or is dropped by a time-out, the
    /// next request gets a new connection and cannot read the late answer of this one.
    pub async fn send(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(&self.authority).await?;
                stream.set_nodelay(true)?;
                stream
            }
        };
        stream.write_all(request).await?;
        self.bytes_sent += request.len() as u64;
        self.buffer.clear();
        let head = loop {
            if let Some(head) = parse_head(&self.buffer)? {
                break head;
            }
            self.read(&mut stream).await?;
        };
        let end = head.head_bytes + head.body_bytes;
        while self.buffer.len() < end {
            self.read(&mut stream).await?;
        }
        if self.buffer.len() > end {
            return Err(invalid("more bytes than the answer has"));
        }
        if head.keep_alive {
            self.stream = Some(stream);
        }
        Ok(Answer {
            status: head.status,
            retry_after_s: head.retry_after_s,
            body: &self.buffer[head.head_bytes..end],
        })
    }

    async fn read(&mut self, stream: &mut TcpStream) -> io::Result<()> {
        if self.buffer.len() > MAX_ANSWER_BYTES {
            return Err(invalid("an answer without end"));
        }
        self.buffer.reserve(2048);
        match stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                self.bytes_received += count as u64;
                Ok(())
            }
        }
    }
}

/// The head, once it is there as a whole.
fn parse_head(bytes: &[u8]) -> io::Result<Option<Head>> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let head_bytes = match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(invalid(&error.to_string())),
    };
    let mut head = Head {
        status: response.code.unwrap_or_default(),
        retry_after_s: None,
        keep_alive: true,
        head_bytes,
        body_bytes: 0,
    };
    for header in response.headers.iter() {
        let value = std::str::from_utf8(header.value).unwrap_or_default().trim();
        if header.name.eq_ignore_ascii_case("content-length") {
            head.body_bytes = value
                .parse()
                .ok()
                .filter(|bytes| *bytes <= MAX_ANSWER_BYTES)
                .ok_or_else(|| invalid("Content-Length is not a length"))?;
        } else if header.name.eq_ignore_ascii_case("connection") {
            head.keep_alive = !value.eq_ignore_ascii_case("close");
        } else if header.name.eq_ignore_ascii_case("retry-after") {
            head.retry_after_s = value.parse().ok();
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(invalid(
                "an answer in chunks, which this client cannot read",
            ));
        }
    }
    Ok(Some(head))
}

fn invalid(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stub::serve_bytes;

    #[test]
    fn a_head_is_read_only_when_it_is_whole() {
        let text =
            b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Length: 5\r\n\r\nabcde";
        let head = parse_head(text).unwrap().unwrap();
        assert_eq!(
            (head.status, head.retry_after_s, head.body_bytes),
            (503, Some(2), 5)
        );
        assert_eq!(&text[head.head_bytes..], b"abcde");
        for end in 0..head.head_bytes {
            assert_eq!(parse_head(&text[..end]).unwrap(), None, "{end}");
        }
    }

    #[test]
    fn chunks_and_nonsense_are_refused_and_not_misread() {
        assert!(parse_head(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
        assert!(parse_head(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n").is_err());
        assert!(parse_head(b"nonsense\r\n\r\n").is_err());
    }

    #[tokio::test]
    async fn the_connection_is_kept_until_the_server_closes_it() {
        let keep: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        let close: &[u8] = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        let server = serve_bytes(vec![keep, keep, close, keep]).await;
        let mut http = Http::new(server.authority());
        for expected in [&b"ok"[..], b"ok", b"", b"ok"] {
            assert_eq!(
                http.send(b"GET / HTTP/1.1\r\n\r\n").await.unwrap().body,
                expected
            );
        }
        assert_eq!(server.connections(), 2);
    }

    #[tokio::test]
    async fn a_lost_connection_is_an_error_and_the_next_request_gets_a_new_one() {
        let cut: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf";
        let keep: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        let server = serve_bytes(vec![cut, keep]).await;
        let mut http = Http::new(server.authority());
        let request = b"GET / HTTP/1.1\r\n\r\n";
        let error = http.send(request).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(http.send(request).await.unwrap().body, b"ok");
    }
}
