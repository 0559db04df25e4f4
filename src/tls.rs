//! TLS of the API listener: certificate and key from PEM files, which are read again when they change.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, RwLock},
    time::{Duration, SystemTime},
};

use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};
use tokio::signal::unix::{SignalKind, signal};

use crate::config::Server;

/// How often to look whether the files have changed.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// What is wrong with the files.
#[derive(Debug, thiserror::Error)]
#[error("{key} = {file:?}: {why}")]
pub struct TlsError {
    key: &'static str,
    file: PathBuf,
    why: String,
}

/// The two files, and the provider of the cryptography.
struct Files {
    certificate: PathBuf,
    key: PathBuf,
    provider: Arc<CryptoProvider>,
}

impl Files {
    fn of(settings: &Server) -> Self {
        Self {
            certificate: settings.tls_certificate.clone().into(),
            key: settings.tls_key.clone().into(),
            provider: Arc::new(ring::default_provider()),
        }
    }

    fn read(&self) -> Result<Arc<CertifiedKey>, TlsError> {
        let certificate = |why: String| wrong("server.tls_certificate", &self.certificate, why);
        let key = |why: String| wrong("server.tls_key", &self.key, why);
        let chain = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| certificate(error.to_string()))?;
        if chain.is_empty() {
            return Err(certificate("has no certificate in PEM".into()));
        }
        let private =
            PrivateKeyDer::from_pem_file(&self.key).map_err(|error| key(error.to_string()))?;
        // Also tells when the two do not belong together.
        CertifiedKey::from_der(chain, private, &self.provider)
            .map(Arc::new)
            .map_err(|error| key(error.to_string()))
    }

    /// When they were written, so that a change is noticed.
    fn written(&self) -> [io::Result<SystemTime>; 2] {
        [&self.certificate, &self.key].map(|file| std::fs::metadata(file)?.modified())
    }
}

fn wrong(key: &'static str, file: &Path, why: String) -> TlsError {
    TlsError {
        key,
        file: file.to_owned(),
        why,
    }
}

/// Whatever was read last.
#[derive(Debug)]
struct Newest(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Newest {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.read().ok().map(|newest| newest.clone())
    }
}

/// Reads the files, so that what is wrong with them is told before anything is begun.
///
/// # Errors
/// [`TlsError`] names the setting, the file and what is wrong.
pub fn check(settings: &Server) -> Result<(), TlsError> {
    if settings.has_tls() {
        Files::of(settings).read()?;
    }
    Ok(())
}

/// Reads the files, and goes on reading them when they change. HTTP/2 is offered by the library itself.
///
/// # Errors
/// [`TlsError`] names the setting, the file and what is wrong.
pub fn start(settings: &Server) -> Result<ServerConfig, TlsError> {
    let files = Files::of(settings);
    let newest = Arc::new(Newest(RwLock::new(files.read()?)));
    let config = ServerConfig::builder_with_provider(files.provider.clone())
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|error| {
            wrong(
                "server.tls_certificate",
                &files.certificate,
                error.to_string(),
            )
        })?
        .with_no_client_auth()
        .with_cert_resolver(newest.clone());
    actix_web::rt::spawn(keep_current(files, newest));
    Ok(config)
}

/// A file that cannot be used leaves the one before in use: open and new connections go on.
async fn keep_current(files: Files, newest: Arc<Newest>) {
    let mut hangup = signal(SignalKind::hangup()).ok();
    let mut written = files.written().map(Result::ok);
    loop {
        let is_asked = async {
            match &mut hangup {
                Some(hangup) => drop(hangup.recv().await),
                None => std::future::pending().await,
            }
        };
        let is_asked = tokio::time::timeout(LOOK_EVERY, is_asked).await.is_ok();
        let now = files.written().map(Result::ok);
        if now == written && !is_asked {
            continue;
        }
        written = now;
        let outcome = match files.read() {
            Ok(read) => {
                if let Ok(mut newest) = newest.0.write() {
                    *newest = read;
                }
                tracing::info!("the TLS certificate was read again");
                "ok"
            }
            Err(error) => {
                tracing::error!(%error, "the TLS certificate stays as it was");
                "failed"
            }
        };
        metrics::counter!("pitboss_tls_reloads_total", "outcome" => outcome).increment(1);
    }
}
