//! What the server tells of itself at `/metrics`.

use crate::{
    error::{Error, Result},
    http::Http,
    target::Target,
};

/// All of it, as text.
pub async fn read(target: &Target) -> Result<String> {
    let authority = target.admin_authority()?;
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {authority}\r\n\r\n");
    let mut http = Http::new(authority);
    let answer = http.send(request.as_bytes()).await;
    let answer = answer.map_err(Error::io("reading the metrics"))?;
    Ok(String::from_utf8_lossy(answer.body).into_owned())
}

/// The sum of a whole-numbered metric over all series with a label.
pub fn sum(metrics: &str, name: &str, label: &str) -> Option<u64> {
    metrics
        .lines()
        .filter_map(|line| {
            let (labels, value) = line
                .strip_prefix(name)?
                .strip_prefix('{')?
                .split_once('}')?;
            let has_label = labels.split(',').any(|one| one == label);
            // Printed as a float by some exporters; actors are counted, so the part after the point is 0.
            let value = value.trim().split('.').next()?;
            has_label.then(|| value.parse::<u64>().ok())?
        })
        .reduce(|sum, value| sum + value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_is_read_by_its_label_and_not_by_a_longer_name() {
        let metrics = "# TYPE pitboss_actors_alive gauge\n\
            pitboss_actors_alive{actor=\"session\"} 3\n\
            pitboss_actors_alive{actor=\"player\",arbiter=\"0\"} 20\n\
            pitboss_actors_alive{actor=\"player\",arbiter=\"1\"} 22.0\n\
            pitboss_actors_alive_total{actor=\"player\"} 9000\n";
        assert_eq!(
            sum(metrics, "pitboss_actors_alive", "actor=\"player\""),
            Some(42)
        );
        assert_eq!(
            sum(metrics, "pitboss_actors_alive", "actor=\"bridge\""),
            None
        );
    }
}
