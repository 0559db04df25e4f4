//! Sends a report while it is made: line by line, in bounded memory, for as long as somebody reads it.

use std::{io, time::Duration};

use actix_web::{HttpResponse, http::header};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use pitboss_providers::Code;
use pitboss_schema::{
    StoreError,
    reports::{Report, Reports},
};
use tokio::{
    sync::mpsc::{self, Sender},
    time::{Instant, sleep, timeout, timeout_at},
};

use super::table::{Head, Line, Pen};
use crate::{
    http::{ApiError, csv::Format},
    world::World,
};

/// How long the first line may take before the answer begins without it. What fails so early is answered as an error.
const PATIENCE: Duration = Duration::from_secs(1);
/// While there is no line yet, a byte of the head goes out this often: a client that has gone away is noticed by it.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);
/// How long Postgres' own end of a report is waited for: it is the definite one.
const GRACE: Duration = Duration::from_secs(5);

/// A place among the reports that run.
///
/// # Errors
/// As many run as may, or there is no connection.
pub async fn begin(reports: &Reports) -> Result<Report, ApiError> {
    let begun = reports.begin().await.map_err(ApiError::unavailable)?;
    begun.ok_or_else(|| {
        metrics::counter!("pitboss_reports_total", "outcome" => "refused").increment(1);
        let detail = "as many reports run as this server makes at once";
        ApiError::new(Code::Busy, detail)
    })
}

/// How the sending of a report ended.
enum End {
    Done,
    /// The client went away.
    Left,
    /// The client read too slowly.
    Late,
    Failed(String),
}

/// The report as an answer, which goes on while it is read.
///
/// # Errors
/// The report failed before its first line.
pub async fn answer<L: Line>(
    world: &World,
    format: Format,
    head: Head,
    lines: impl Stream<Item = Result<L, StoreError>> + 'static,
) -> Result<HttpResponse, ApiError> {
    let mut lines = Box::pin(lines);
    let pen = Pen::new::<L>(format, &head).map_err(ApiError::internal)?;
    let first = match timeout(PATIENCE, lines.next()).await {
        Ok(Some(Err(error))) => return Err(ApiError::unavailable(error)),
        Ok(Some(Ok(line))) => Some(Some(line)),
        Ok(None) => Some(None),
        Err(_) => None,
    };
    let within = Duration::from_secs(world.config.reports.timeout_s) + GRACE;
    let (out, body) = mpsc::channel::<Result<Bytes, io::Error>>(2);
    let sending = Sending {
        out,
        pen,
        deadline: Instant::now() + within,
    };
    let report = head.report;
    actix_web::rt::spawn(async move {
        let began = Instant::now();
        let out = sending.out.clone();
        let (outcome, fault) = match sending.run(first, lines).await {
            End::Done => ("done", None),
            End::Left => ("abandoned", None),
            End::Late => ("too_slow", Some("its reader was too slow".to_owned())),
            End::Failed(reason) => ("failed", Some(reason)),
        };
        metrics::counter!("pitboss_reports_total", "outcome" => outcome).increment(1);
        metrics::histogram!("pitboss_report_seconds", "report" => report)
            .record(began.elapsed().as_secs_f64());
        if let Some(reason) = fault {
            tracing::warn!(report, reason, "a report was broken off");
            // Without it the end of the connection would look like the end of the report.
            let _ = timeout(GRACE, out.send(Err(io::Error::other("broken off")))).await;
        }
    });
    let body = stream::unfold(body, async |mut body| Some((body.recv().await?, body)));
    let name = format!("attachment; filename=\"{report}.csv\"");
    let mut response = HttpResponse::Ok();
    response.content_type(format.content_type());
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    if format == Format::Csv {
        response.insert_header((header::CONTENT_DISPOSITION, name));
    }
    Ok(response.streaming(body))
}

struct Sending {
    out: Sender<Result<Bytes, io::Error>>,
    pen: Pen,
    deadline: Instant,
}

impl Sending {
    async fn run<L: Line>(
        mut self,
        first: Option<Option<L>>,
        lines: impl Stream<Item = Result<L, StoreError>> + Unpin,
    ) -> End {
        match self.send_all(first, lines).await {
            Ok(()) => End::Done,
            Err(end) => end,
        }
    }

    async fn send_all<L: Line>(
        &mut self,
        first: Option<Option<L>>,
        mut lines: impl Stream<Item = Result<L, StoreError>> + Unpin,
    ) -> Result<(), End> {
        let mut head = self.take()?;
        let mut line = match first {
            Some(first) => first,
            None => self.first(&mut head, &mut lines).await?,
        };
        self.send(head).await?;
        while let Some(found) = line {
            self.pen.line(&found).map_err(fault)?;
            if self.pen.is_full() {
                let chunk = self.take()?;
                self.send(chunk).await?;
            }
            line = self.next(&mut lines).await?;
        }
        // Its place is free before its reader knows that it is over.
        drop(lines);
        self.pen.end().map_err(fault)?;
        let rest = self.take()?;
        self.send(rest).await
    }

    fn take(&mut self) -> Result<Bytes, End> {
        self.pen.take().map_err(fault)
    }

    /// Waits for the first line, and sends the head meanwhile, a byte at a time.
    async fn first<L>(
        &self,
        head: &mut Bytes,
        lines: &mut (impl Stream<Item = Result<L, StoreError>> + Unpin),
    ) -> Result<Option<L>, End> {
        loop {
            tokio::select! {
                line = self.next(lines) => return line,
                () = sleep(SIGN_OF_LIFE), if head.len() > 1 => {}
            }
            let byte = head.split_to(1);
            self.send(byte).await?;
        }
    }

    async fn next<L>(
        &self,
        lines: &mut (impl Stream<Item = Result<L, StoreError>> + Unpin),
    ) -> Result<Option<L>, End> {
        tokio::select! {
            biased;
            () = self.out.closed() => Err(End::Left),
            line = timeout_at(self.deadline, lines.next()) => match line {
                Ok(Some(Ok(line))) => Ok(Some(line)),
                Ok(Some(Err(error))) => Err(fault(error)),
                Ok(None) => Ok(None),
                Err(_) => Err(End::Late),
            }
        }
    }

    async fn send(&self, bytes: Bytes) -> Result<(), End> {
        if bytes.is_empty() {
            return Ok(());
        }
        match timeout_at(self.deadline, self.out.send(Ok(bytes))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Left),
            Err(_) => Err(End::Late),
        }
    }
}

fn fault(error: impl std::fmt::Display) -> End {
    End::Failed(error.to_string())
}
