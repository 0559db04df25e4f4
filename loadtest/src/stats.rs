//! Latencies: recorded in a high-dynamic-range histogram, reported as percentiles.

use std::{fmt, time::Duration};

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::error::{Error, Result};

/// Above any time-out with all its retries; what takes longer is recorded as this.
const MAX_US: u64 = 600_000_000;

/// Latencies in microseconds, three significant digits.
pub struct Recorder(Histogram<u64>);

impl Recorder {
    pub fn new() -> Result<Self> {
        Histogram::new_with_bounds(1, MAX_US, 3)
            .map(Self)
            .map_err(|error| Error::given(format!("cannot make a histogram: {error}")))
    }

    pub fn record(&mut self, latency: Duration) {
        let us = u64::try_from(latency.as_micros()).unwrap_or(MAX_US);
        self.0.saturating_record(us.clamp(1, MAX_US));
    }

    pub fn add(&mut self, other: &Self) -> Result<()> {
        self.0
            .add(&other.0)
            .map_err(|error| Error::given(format!("cannot add histograms: {error}")))
    }

    pub fn summary(&self) -> Latency {
        let at = |quantile| ms(self.0.value_at_quantile(quantile));
        Latency {
            count: self.0.len(),
            p50_ms: at(0.50),
            p95_ms: at(0.95),
            p99_ms: at(0.99),
            p999_ms: at(0.999),
            max_ms: ms(self.0.max()),
        }
    }
}

// Milliseconds are for reading; nothing is computed with them.
#[expect(clippy::cast_precision_loss)]
fn ms(us: u64) -> f64 {
    us as f64 / 1000.0
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Latency {
    pub count: u64,
    pub p50_ms: f64,
    pub p95_ms: f64,
    pub p99_ms: f64,
    pub p999_ms: f64,
    pub max_ms: f64,
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "p50 {:.2}  p95 {:.2}  p99 {:.2}  p99.9 {:.2}  max {:.2} ms",
            self.p50_ms, self.p95_ms, self.p99_ms, self.p999_ms, self.max_ms
        )
    }
}

/// Events per second.
#[expect(clippy::cast_precision_loss)]
pub fn per_second(count: u64, time: Duration) -> f64 {
    if time.is_zero() {
        return 0.0;
    }
    count as f64 / time.as_secs_f64()
}

/// The middle value; the mean of the middle two when their number is even.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        length if length % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// `1234567` as `1,234,567`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_recorded_values() {
        let mut recorder = Recorder::new().unwrap();
        for ms in 1..=1000 {
            recorder.record(Duration::from_millis(ms));
        }
        let latency = recorder.summary();
        assert_eq!(latency.count, 1000);
        for (measured, exact) in [
            (latency.p50_ms, 500.0),
            (latency.p95_ms, 950.0),
            (latency.p99_ms, 990.0),
            (latency.p999_ms, 999.0),
            (latency.max_ms, 1000.0),
        ] {
            assert!(
                (measured - exact).abs() / exact < 0.002,
                "{measured} {exact}"
            );
        }
    }

    #[test]
    fn what_is_out_of_range_is_kept_at_its_edge_and_counted() {
        let mut recorder = Recorder::new().unwrap();
        recorder.record(Duration::ZERO);
        recorder.record(Duration::from_secs(100_000));
        assert_eq!(recorder.summary().count, 2);
        assert!(recorder.summary().max_ms > 599_000.0);
    }

    #[test]
    fn the_median_does_not_depend_on_the_order() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(&[4.0, 1.0, 3.0, 2.0]) - 2.5).abs() < 1e-9);
        assert!(median(&[]).abs() < 1e-9);
    }

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_000), "1,000");
        assert_eq!(thousands(1_234_567), "1,234,567");
    }
}
