//! TLS of the server's own: HTTP/1.1, HTTP/2 and WebSockets over it, and the same limits.

use std::{fs, path::PathBuf, sync::Arc};

use bytes::Bytes;
use h2::client::SendRequest;
use nix::sys::signal::Signal;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion, crypto::ring, pki_types::ServerName,
    version,
};
use serde_json::{Value, json};
use tokio::{io::AsyncReadExt, net::TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_tungstenite::tungstenite::http::{Method, Request, Response};

use crate::support::{
    PATIENCE,
    casino::{Casino, Node, done},
    client::Client,
    eventually,
    program::{self, pitboss, stderr},
};

/// A certificate of a host that is this machine, and whoever trusts it.
struct Certificate {
    files: [PathBuf; 2],
    trust: RootCertStore,
}

impl Certificate {
    /// Writes it into the casino's folder, over the one before.
    fn write(casino: &Casino) -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        let files = ["certificate.pem", "key.pem"].map(|name| casino.scratch.join(name));
        fs::write(&files[1], signing_key.serialize_pem()).unwrap();
        fs::write(&files[0], cert.pem()).unwrap();
        let mut trust = RootCertStore::empty();
        trust.add(cert.der().clone()).unwrap();
        Self { files, trust }
    }

    fn settings(&self) -> String {
        let [certificate, key] = &self.files;
        format!("tls_certificate = {certificate:?}\ntls_key = {key:?}\n")
    }

    async fn connect(
        &self,
        port: u16,
        protocol: &str,
        versions: &[&'static SupportedProtocolVersion],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let provider = Arc::new(ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(self.trust.clone())
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        let host = ServerName::try_from("localhost").unwrap();
        let stream = TlsConnector::from(Arc::new(config))
            .connect(host, stream)
            .await?;
        assert_eq!(
            stream.get_ref().1.alpn_protocol(),
            Some(protocol.as_bytes())
        );
        Ok(stream)
    }
}

const ANY: &[&SupportedProtocolVersion] = &[&version::TLS13, &version::TLS12];

async fn http2(certificate: &Certificate, port: u16) -> SendRequest<Bytes> {
    let stream = certificate.connect(port, "h2", ANY).await.unwrap();
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    sender.ready().await.unwrap()
}

fn request(port: u16, method: Method, path: &str) -> Request<()> {
    Request::builder()
        .method(method)
        .uri(format!("https://localhost:{port}{path}"))
        .body(())
        .unwrap()
}

fn by_operator(client: &Client, mut request: Request<()>) -> Request<()> {
    let key = format!("Bearer {}", client.at.operator_key)
        .parse()
        .unwrap();
    request.headers_mut().insert("authorization", key);
    request
}

async fn answer(response: h2::client::ResponseFuture) -> (Response<()>, Value) {
    let response = tokio::time::timeout(PATIENCE, response)
        .await
        .unwrap()
        .unwrap();
    let (head, mut stream) = response.into_parts();
    let mut body = Vec::new();
    while let Some(chunk) = stream.data().await {
        let chunk = chunk.unwrap();
        stream.flow_control().release_capacity(chunk.len()).unwrap();
        body.extend_from_slice(&chunk);
    }
    let body = serde_json::from_slice(&body).unwrap_or_default();
    (Response::from_parts(head, ()), body)
}

async fn post(
    sender: &mut SendRequest<Bytes>,
    request: Request<()>,
    body: Vec<u8>,
) -> (u16, Value) {
    let (response, mut stream) = sender.send_request(request, false).unwrap();
    stream.send_data(body.into(), true).unwrap();
    let (head, body) = answer(response).await;
    (head.status().as_u16(), body)
}

async fn start(more: &str) -> (Casino, Certificate, Node, Client) {
    let casino = Casino::start("tls", &["sandbox"]).await;
    let certificate = Certificate::write(&casino);
    let node = casino.serve(&(certificate.settings() + more)).await;
    let client = casino.client(&node, "sandbox");
    (casino, certificate, node, client)
}

#[tokio::test]
async fn http2_carries_the_api_the_callbacks_and_their_limits() {
    let (casino, certificate, node, client) =
        start("body_timeout_ms = 300\nrequests_per_connection_max = 4\n").await;
    let port = casino.api_port(&node);
    let mut sender = http2(&certificate, port).await;
    let new = json!({ "id": "anna", "currency": "EUR" }).to_string();
    let players = || by_operator(&client, request(port, Method::POST, "/v1/players"));
    let (status, body) = post(&mut sender, players(), new.into_bytes()).await;
    assert_eq!((status, &body["id"]), (201, &"anna".into()), "{body}");
    let ask = by_operator(&client, request(port, Method::GET, "/v1/players/anna"));
    let (response, _) = sender.send_request(ask, true).unwrap();
    let (head, body) = answer(response).await;
    assert_eq!(body["wallets"][0]["cash"], "0.00");
    assert_eq!(
        head.headers()["strict-transport-security"],
        "max-age=31536000"
    );
    assert!(head.headers().contains_key("etag") && head.headers().contains_key("request-id"));
    // A callback is signed over its path alone, whatever carries it.
    let balance = json!({ "player": "anna", "currency": "EUR" })
        .to_string()
        .into_bytes();
    let (path, signature) = client.signed("balance", &balance);
    let mut signed = request(port, Method::POST, &path);
    signed
        .headers_mut()
        .insert("pitboss-signature", signature.parse().unwrap());
    let (status, body) = post(&mut sender, signed, balance).await;
    assert_eq!(
        (status, &body["balance"]["total"]),
        (200, &"0.00".into()),
        "{body}"
    );
    // The same limits: of the body's size, of its time, and of requests at once.
    let (status, body) = post(&mut sender, players(), vec![b' '; 20_000]).await;
    assert_eq!((status, &body["code"]), (413, &"body_too_large".into()));
    let (slow, _held) = sender.send_request(players(), false).unwrap();
    let (head, body) = answer(slow).await;
    assert_eq!(
        (head.status().as_u16(), &body["code"]),
        (408, &"body_too_slow".into())
    );
    let wait = "/v1/events?after=newest&wait=30";
    let mut all: Vec<_> = (0..5)
        .map(|_| sender.send_request(players(), false).unwrap())
        .collect();
    let (fifth, _stream) = all.pop().unwrap();
    let (head, body) = answer(fifth).await;
    assert_eq!(
        (head.status().as_u16(), &body["code"]),
        (429, &"busy".into())
    );
    drop(all);
    // Requests that were given up make room again.
    eventually("there is room", async || {
        let (response, _) = sender
            .send_request(
                by_operator(&client, request(port, Method::GET, "/v1/games")),
                true,
            )
            .unwrap();
        (answer(response).await.0.status() == 200).then_some(())
    })
    .await;
    let (response, _) = sender
        .send_request(request(port, Method::GET, wait), true)
        .unwrap();
    assert_eq!(answer(response).await.0.status(), 401);
}

#[tokio::test]
async fn http1_and_websockets_go_over_tls_and_nothing_goes_without_it() {
    let (casino, certificate, node, client) = start("").await;
    let port = casino.api_port(&node);
    let mut sender = http2(&certificate, port).await;
    for (path, body) in [
        ("/v1/players", json!({ "id": "anna", "currency": "EUR" })),
        (
            "/v1/sessions",
            json!({ "player": "anna", "currency": "EUR" }),
        ),
    ] {
        let make = by_operator(&client, request(port, Method::POST, path));
        let (status, body) = post(&mut sender, make, body.to_string().into_bytes()).await;
        assert_eq!(status, 201, "{body}");
        if let Some(token) = body["token"].as_str() {
            for versions in [&[&version::TLS12][..], &[&version::TLS13]] {
                let stream = certificate
                    .connect(port, "http/1.1", versions)
                    .await
                    .unwrap();
                let upgrade = Request::builder()
                    .uri(format!("wss://localhost:{port}/v1/stream"))
                    .header("host", "localhost")
                    .header("connection", "upgrade")
                    .header("upgrade", "websocket")
                    .header("sec-websocket-version", "13")
                    .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
                    .header("authorization", format!("Bearer {token}"))
                    .body(())
                    .unwrap();
                let (mut socket, _) = tokio_tungstenite::client_async(upgrade, stream)
                    .await
                    .unwrap();
                let first = futures_util::StreamExt::next(&mut socket)
                    .await
                    .unwrap()
                    .unwrap();
                let first: Value = serde_json::from_str(first.to_text().unwrap()).unwrap();
                assert_eq!(first["type"], "snapshot");
            }
        }
    }
    let plain = reqwest::get(format!("http://127.0.0.1:{port}/healthz")).await;
    assert!(plain.is_err(), "{plain:?}");
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed_whatever_was_agreed() {
    let (casino, certificate, node, _client) =
        start("keep_alive_s = 1\nrequest_timeout_ms = 500\n").await;
    let port = casino.api_port(&node);
    // Not even a handshake; a handshake and no more; and HTTP/2 without a request.
    let mut silent = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let mut encrypted = certificate.connect(port, "http/1.1", ANY).await.unwrap();
    let idle = certificate.connect(port, "h2", ANY).await.unwrap();
    let (_sender, connection) = h2::client::handshake(idle).await.unwrap();
    let ends = async {
        let mut bytes = Vec::new();
        let _ = silent.read_to_end(&mut bytes).await;
        let _ = encrypted.read_to_end(&mut bytes).await;
        let _ = connection.await;
    };
    tokio::time::timeout(PATIENCE, ends)
        .await
        .expect("all are closed");
}

#[tokio::test]
async fn a_new_certificate_is_used_without_a_restart_and_a_broken_one_is_not() {
    let (casino, first, node, _client) = start("").await;
    let port = casino.api_port(&node);
    let open = http2(&first, port).await;
    let second = Certificate::write(&casino);
    assert!(
        second.connect(port, "h2", ANY).await.is_err(),
        "not yet known"
    );
    node.program.signal(Signal::SIGHUP);
    eventually("the new certificate is used", async || {
        second.connect(port, "h2", ANY).await.ok()
    })
    .await;
    assert!(
        first.connect(port, "h2", ANY).await.is_err(),
        "the old one is gone"
    );
    // A connection that is open stays so.
    let mut open = open.ready().await.unwrap();
    let (response, _) = open
        .send_request(request(port, Method::GET, "/healthz"), true)
        .unwrap();
    assert_eq!(answer(response).await.0.status(), 200);
    fs::write(&second.files[0], "nonsense").unwrap();
    node.program.signal(Signal::SIGHUP);
    eventually("it is told", async || {
        node.program.log().contains("stays as it was").then_some(())
    })
    .await;
    second.connect(port, "h2", ANY).await.unwrap();
}

#[tokio::test]
async fn files_that_are_of_no_use_are_named_before_anything_starts() {
    let casino = Casino::start("tls-files", &["sandbox"]).await;
    let good = Certificate::write(&casino);
    let (nowhere, empty) = (casino.scratch.join("nowhere"), casino.scratch.join("empty"));
    fs::write(&empty, "").unwrap();
    let other = casino.scratch.join("other.pem");
    let key = generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    fs::write(&other, key.signing_key.serialize_pem()).unwrap();
    let [certificate, key] = &good.files;
    for (certificate, key, named) in [
        (&nowhere, key, "server.tls_certificate"),
        (&empty, key, "server.tls_certificate"),
        (certificate, &nowhere, "server.tls_key"),
        (certificate, &empty, "server.tls_key"),
        (certificate, &other, "server.tls_key"),
    ] {
        let settings = format!("tls_certificate = {certificate:?}\ntls_key = {key:?}\n");
        let config = casino.config(&settings, 1, 1);
        let output = program::run(pitboss(&["serve", "--config", config.to_str().unwrap()])).await;
        assert_eq!(output.status.code(), Some(64), "{}", stderr(&output));
        assert!(stderr(&output).contains(named), "{}", stderr(&output));
    }
    let config = casino.config("tls_key = \"x\"\n", 1, 1);
    let output = program::run(pitboss(&["serve", "--config", config.to_str().unwrap()])).await;
    assert!(
        stderr(&output).contains("must be two files"),
        "{}",
        stderr(&output)
    );
    let config = casino.config("", 1, 1);
    done(&["migrate", "--config", config.to_str().unwrap()]).await;
}
