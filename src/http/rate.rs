//! What an answer says of its key's rate: `RateLimit-Policy` and `RateLimit`, as the draft of the IETF has them
//! (draft-ietf-httpapi-ratelimit-headers). Whoever keeps an eye on them is never refused.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use pitboss_schema::Rate;

pub const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
pub const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// How much of a rate is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    pub rate: Rate,
    /// Requests that may be made at once.
    pub requests: u32,
}

impl Left {
    /// Puts it on an answer. A quota is what may be made at once, a window how long it takes to come back.
    pub fn put_on(self, headers: &mut HeaderMap) {
        let Rate { per_s, burst } = self.rate;
        let seconds = |requests: u32| requests.div_ceil(per_s.max(1));
        let policy = format!("\"key\";q={burst};w={}", seconds(burst).max(1));
        let left = self.requests.min(burst);
        let limit = format!("\"key\";r={left};t={}", seconds(burst - left));
        for (name, value) in [(POLICY, policy), (LIMIT, limit)] {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_comes_back_as_fast_as_the_rate_is() {
        let shown = |per_s, burst, requests| {
            let mut headers = HeaderMap::new();
            let rate = Rate { per_s, burst };
            Left { rate, requests }.put_on(&mut headers);
            [POLICY, LIMIT].map(|name| headers.get(name).unwrap().to_str().unwrap().to_owned())
        };
        assert_eq!(shown(10, 50, 49), ["\"key\";q=50;w=5", "\"key\";r=49;t=1"]);
        assert_eq!(shown(10, 50, 0), ["\"key\";q=50;w=5", "\"key\";r=0;t=5"]);
        assert_eq!(shown(100, 10, 10), ["\"key\";q=10;w=1", "\"key\";r=10;t=0"]);
        assert_eq!(shown(0, 1, 7), ["\"key\";q=1;w=1", "\"key\";r=1;t=0"]);
    }
}
