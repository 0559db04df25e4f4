//! What is no HTTP, or HTTP as nobody ordinary writes it: refused or answered, never a 500, and the next client is
//! served. What the HTTP library itself refuses has a status and no document.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{PATIENCE, client::Client, ledger::Ledger, player::Player, sandbox::shared};

/// Sends bytes, closes its half if the server waits for more, and returns all that came back.
async fn told(client: &Client, request: &[u8]) -> String {
    let address = client.at.api.trim_start_matches("http://");
    let mut socket = TcpStream::connect(address).await.unwrap();
    // The server may close while this is being written.
    let _ = socket.write_all(request).await;
    let _ = socket.shutdown().await;
    let mut answer = Vec::new();
    let reading = socket.read_to_end(&mut answer);
    let _ = tokio::time::timeout(PATIENCE, reading)
        .await
        .expect("the server ends it");
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> u16 {
    let Some(rest) = answer
        .strip_prefix("HTTP/1.1 ")
        .or(answer.strip_prefix("HTTP/1.0 "))
    else {
        return 0;
    };
    rest[..3].parse().unwrap()
}

#[tokio::test]
async fn what_is_no_request_is_refused_and_the_next_client_is_served() {
    let client = shared().await;
    let many_headers = "X: y\r\n".repeat(200);
    let long = "x".repeat(200_000);
    let texts: Vec<(String, &[u16])> = vec![
        // A status of 0: closed without a word.
        (String::new(), &[0]),
        ("\0".repeat(100), &[400]),
        ("GET / HTTP/9.9\r\n\r\n".into(), &[400]),
        ("GET /\r\n\r\n".into(), &[400]),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(), &[400]),
        ("\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}".into(), &[400]),
        ("GET / HTTP/1.1\r\nBad Name: x\r\n\r\n".into(), &[400]),
        ("GET / HTTP/1.1\r\nX: a\0b\r\n\r\n".into(), &[400]),
        ("GET / HTTP/1.1\r\nX: a\r\n folded\r\n\r\n".into(), &[400]),
        ("GET  / HTTP/1.1\r\n\r\n".into(), &[400]),
        ("GET \u{ff} HTTP/1.1\r\n\r\n".into(), &[400]),
        (format!("GET / HTTP/1.1\r\n{many_headers}\r\n"), &[400, 431]),
        (format!("GET /{long} HTTP/1.1\r\n\r\n"), &[400, 414, 431]),
        (format!("GET / HTTP/1.1\r\nX: {long}\r\n\r\n"), &[400, 431]),
        (
            "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n".into(),
            &[400],
        ),
        (
            "GET / HTTP/1.1\r\nContent-Length: +5\r\n\r\nhello".into(),
            &[400],
        ),
        (
            "GET / HTTP/1.1\r\nContent-Length: 0x5\r\n\r\nhello".into(),
            &[400],
        ),
        (
            "GET / HTTP/1.1\r\nContent-Length: 1e1\r\n\r\nhello".into(),
            &[400],
        ),
        (
            "GET / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n".into(),
            &[400],
        ),
        (
            "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab".into(),
            &[400],
        ),
        (
            "GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                .into(),
            &[400],
        ),
        (
            "GET / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n".into(),
            &[400],
        ),
        (
            "GET / HTTP/1.1\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n".into(),
            &[400],
        ),
        (
            "GET / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n".into(),
            &[400],
        ),
        // Targets of other forms.
        ("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n".into(), &[404, 405]),
        (
            "CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n".into(),
            &[400, 404, 405],
        ),
        ("GET http:// HTTP/1.1\r\nHost: x\r\n\r\n".into(), &[400]),
        ("GET x HTTP/1.1\r\nHost: x\r\n\r\n".into(), &[400, 404]),
        (
            "GET /v1/stream HTTP/1.1\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n".into(),
            &[400, 401],
        ),
    ];
    for (text, expected) in texts {
        let answer = told(&client, text.as_bytes()).await;
        let shown: String = text.chars().take(100).collect();
        assert!(expected.contains(&status(&answer)), "{shown:?}: {answer}");
        // Nothing of the rest is taken for a second request.
        assert_eq!(
            answer.matches("HTTP/1.1 ").count(),
            usize::from(status(&answer) != 0),
            "{shown:?}: {answer}"
        );
    }
    assert!(
        told(
            &client,
            b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        .await
        .starts_with("HTTP/1.1 200 ")
    );
}

#[tokio::test]
async fn a_signed_bet_is_taken_in_every_form_that_http_has_for_it_once() {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    let body = player.bet("b", "1.00").to_string();
    let (path, signed) = client.signed("bet", body.as_bytes());
    let length = format!("Content-Length: {}\r\n", body.len());
    let (head, tail) = body.split_at(10);
    let chunks = format!(
        "{:x};ext=1\r\n{head}\r\n{:X}\r\n{tail}\r\n0\r\nTrailer: x\r\n\r\n",
        head.len(),
        tail.len()
    );
    let request = |target: &str, version: &str, headers: &str, body: &str| {
        format!(
            "POST {target} HTTP/{version}\r\nHost: x\r\nPitboss-Signature: {signed}\r\nConnection: close\r\n{headers}\r\n{body}"
        )
    };
    let absolute = format!("http://casino.example{path}");
    let without_trailer = chunks.replace("Trailer: x\r\n", "").replace(";ext=1", "");
    for (form, text) in [
        ("plain", request(&path, "1.1", &length, &body)),
        ("absolute", request(&absolute, "1.1", &length, &body)),
        ("HTTP/1.0", request(&path, "1.0", &length, &body)),
        (
            "in chunks",
            request(
                &path,
                "1.1",
                "Transfer-Encoding: chunked\r\n",
                &without_trailer,
            ),
        ),
        (
            "told to continue",
            request(
                &path,
                "1.1",
                &format!("Expect: 100-continue\r\n{length}"),
                &body,
            ),
        ),
        // Bytes are bytes: nothing is unpacked.
        (
            "said to be packed",
            request(
                &path,
                "1.1",
                &format!("Content-Encoding: gzip\r\n{length}"),
                &body,
            ),
        ),
    ] {
        let answer = told(&client, text.as_bytes()).await;
        let answer = answer
            .strip_prefix("HTTP/1.1 100 Continue\r\n\r\n")
            .unwrap_or(&answer);
        assert_eq!(status(answer), 200, "{form}: {answer}");
    }
    assert_eq!(player.cash(&client).await, "99.00");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_no_body_even_if_what_came_is_well_signed() {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    let ledger = Ledger::open(&client.at.postgres).await;
    let before = ledger.rows(&player.id).await;
    let body = player.bet("b", "1.00").to_string();
    let (path, signed) = client.signed("bet", body.as_bytes());
    let head = |headers: &str| {
        format!("POST {path} HTTP/1.1\r\nHost: x\r\nPitboss-Signature: {signed}\r\n{headers}\r\n")
    };
    let chunk = format!("{:x}\r\n{body}\r\n", body.len());
    let chunked = head("Transfer-Encoding: chunked\r\n") + &chunk;
    for text in [
        head(&format!("Content-Length: {}\r\n", body.len() + 1)) + &body,
        chunked.clone(),
        chunked.clone() + "no chunk",
        chunked.clone() + "fffffffffffffffff\r\n",
        chunked.clone() + "-1\r\n",
        chunked + "0\r\nno end",
    ] {
        let answer = told(&client, text.as_bytes()).await;
        assert!(matches!(status(&answer), 0 | 400 | 422), "{text}: {answer}");
    }
    assert_eq!(ledger.rows(&player.id).await, before);
}
