//! Logs and metrics of the process.

use std::io::IsTerminal;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use pitboss_actors::metric;
use tracing::{Event, Subscriber};
use tracing_subscriber::{
    EnvFilter,
    fmt::{self, FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

use crate::{
    config::{Log, LogFormat},
    http::request_id::RequestId,
};

/// Upper bounds of the buckets of every `_seconds` histogram.
const SECONDS: &[f64] = &[
    0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.06, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// Upper bounds of the buckets of batch sizes.
const SIZES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// Starts logging to standard error. A second call, in tests, changes nothing.
///
/// # Errors
/// The filter cannot be read.
pub fn start_logs(log: &Log) -> Result<(), String> {
    let filter = EnvFilter::try_new(&log.level)
        .map_err(|error| format!("log.level = {:?}: {error}", log.level))?;
    let base = fmt::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // Fails only when logging has been started before.
    let _ = match log.format {
        LogFormat::Text => base
            .compact()
            .map_event_format(|format| WithRequestId(format, LogFormat::Text))
            .try_init(),
        LogFormat::Json => base
            .json()
            .flatten_event(true)
            .map_event_format(|format| WithRequestId(format, LogFormat::Json))
            .try_init(),
    };
    Ok(())
}

/// A line with the id of the request that it was written for, if it was for one.
struct WithRequestId<F>(F, LogFormat);

impl<S, N, F> FormatEvent<S, N> for WithRequestId<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> std::fmt::Result {
        let Self(format, kind) = self;
        let Some(id) = RequestId::current() else {
            return format.format_event(context, writer, event);
        };
        let mut line = String::new();
        format.format_event(context, Writer::new(&mut line), event)?;
        writer.write_str(&with_id(&line, *kind, id.as_str()))
    }
}

/// A finished line, with the id at its end.
fn with_id(line: &str, format: LogFormat, id: &str) -> String {
    let text = line.trim_end_matches('\n');
    match (format, text.strip_suffix('}')) {
        (LogFormat::Json, Some(fields)) => {
            format!(
                "{fields},\"request_id\":{}}}\n",
                serde_json::Value::from(id)
            )
        }
        _ => format!("{text} request_id={id}\n"),
    }
}

/// Starts collecting metrics for `/metrics`.
///
/// # Errors
/// Metrics are collected already.
pub fn start_metrics() -> Result<PrometheusHandle, String> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), SECONDS)
        .and_then(|builder| {
            builder.set_buckets_for_metric(Matcher::Full(metric::BATCH_SIZE.into()), SIZES)
        })
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(|error| error.to_string())?;
    for (name, help) in metric::DESCRIPTIONS {
        // The description is kept under the name alone, whatever the kind.
        metrics::describe_counter!(*name, *help);
        metrics::describe_gauge!(*name, *help);
        metrics::describe_histogram!(*name, *help);
    }
    Ok(handle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_the_request_stands_at_the_end_of_its_line() {
        let line = with_id("WARN it is slow\n", LogFormat::Text, "a\"b");
        assert_eq!(line, "WARN it is slow request_id=a\"b\n");
        let line = with_id("{\"level\":\"WARN\"}\n", LogFormat::Json, "a\"b");
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["request_id"], "a\"b");
        assert_eq!(line["level"], "WARN");
    }
}
