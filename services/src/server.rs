//! What Postgres and nats-server have in common: a port, a child, a log; start, stop, restart.

use std::time::{Duration, Instant};

use crate::data_dir::{DataDir, Log};
use crate::error::ServiceError;
use crate::port::{free_port, is_free};
use crate::process::{Process, Spec, Steps};

/// Another process may take a port between the look and the start; then the next one is tried.
const PORT_TRIES: usize = 8;
/// A restart must come back on its port, so it waits for a passing user of it.
const SAME_PORT_PATIENCE: Duration = Duration::from_secs(5);
/// Recovery after a crash replays up to `max_wal_size`, which takes a slow disk minutes.
const READY_LIMIT: Duration = Duration::from_secs(300);
const READY_POLL: Duration = Duration::from_millis(25);

/// One kind of service.
pub(crate) trait Program {
    const NAME: &'static str;
    const LOG: &'static str;
    /// How to stop in good order.
    const STOP: Steps;
    /// How to fail on purpose.
    const CRASH: Steps;

    fn spec(&self, port: u16, log: &Log) -> Result<Spec, ServiceError>;

    /// Asks the service on `port` whether it is ready, and whether it is *this* one: another
    /// process may have taken the port. `Err` says why not yet.
    async fn ready(&self, port: u16) -> Result<(), String>;
}

pub(crate) struct Server<P: Program> {
    // Declared before `dir`: the child must have ended before the lock is released.
    process: Option<Process>,
    pub program: P,
    pub dir: DataDir,
    port: u16,
    pid: u32,
}

impl<P: Program> Server<P> {
    pub(crate) async fn start(
        program: P,
        dir: DataDir,
        fixed: Option<u16>,
    ) -> Result<Self, ServiceError> {
        let mut server = Server {
            process: None,
            program,
            dir,
            port: 0,
            pid: 0,
        };
        if let Some(port) = fixed {
            server.launch(port).await?;
            return Ok(server);
        }
        let mut port = match server.dir.recorded_port().filter(|port| is_free(*port)) {
            Some(port) => port,
            None => new_port()?,
        };
        for _ in 1..PORT_TRIES {
            match server.launch(port).await {
                Err(ServiceError::PortTaken { .. }) => port = new_port()?,
                other => return other.map(|()| server),
            }
        }
        server.launch(port).await.map(|()| server)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.process
            .as_mut()
            .is_some_and(|process| process.exited().is_none())
    }

    pub(crate) async fn end(&mut self, steps: Steps) {
        // Stays in place while it ends, so that an abandoned `stop` leaves the rest to `Drop`.
        if let Some(process) = self.process.as_mut() {
            process.end(steps).await;
        }
        self.process = None;
    }

    pub(crate) async fn restart(&mut self) -> Result<(), ServiceError> {
        self.end(P::STOP).await;
        let deadline = Instant::now() + SAME_PORT_PATIENCE;
        loop {
            match self.launch(self.port).await {
                Err(ServiceError::PortTaken { .. }) if Instant::now() < deadline => {
                    tokio::time::sleep(READY_POLL).await;
                }
                other => return other,
            }
        }
    }

    async fn launch(&mut self, port: u16) -> Result<(), ServiceError> {
        let taken = ServiceError::PortTaken {
            service: P::NAME,
            port,
        };
        if !is_free(port) {
            return Err(taken);
        }
        let log = self.dir.open_log(P::LOG)?;
        let (log_path, log_start) = (log.path.clone(), log.start());
        let spec = self.program.spec(port, &log)?;
        let tried = spec.tried();
        let failed = |reason: String| ServiceError::StartFailed {
            service: P::NAME,
            reason,
            tried: tried.clone(),
            log: log_path.display().to_string(),
            tail: Log::tail(&log_path, log_start),
        };
        let process = Process::spawn(spec)
            .await
            .map_err(|error| failed(error.to_string()))?;
        let process = self.process.insert(process);

        let deadline = Instant::now() + READY_LIMIT;
        let outcome = loop {
            let answer = self.program.ready(port).await;
            if let Some(status) = process.exited() {
                break Err(format!("it ended with {status}"));
            }
            match answer {
                Ok(()) => break Ok(()),
                Err(reason) if Instant::now() >= deadline => {
                    break Err(format!("not ready after {READY_LIMIT:?}: {reason}"));
                }
                Err(_) => tokio::time::sleep(READY_POLL).await,
            }
        };
        if let Err(reason) = outcome {
            let error = failed(reason);
            self.end(P::STOP).await;
            let lost_the_port = matches!(&error, ServiceError::StartFailed { tail, .. }
                if tail.to_ascii_lowercase().contains("address already in use"));
            return Err(if lost_the_port { taken } else { error });
        }
        self.pid = process.pid();
        self.port = port;
        self.dir.record_port(port)
    }
}

fn new_port() -> Result<u16, ServiceError> {
    free_port().map_err(ServiceError::io("cannot find a free port"))
}

/// Runs work that blocks (locks, leftovers, files) away from the runtime's own threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ServiceError> + Send + 'static,
) -> Result<T, ServiceError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| ServiceError::Io {
            what: "the preparation of a service was interrupted".into(),
            source: std::io::Error::other(error),
        })?
}
