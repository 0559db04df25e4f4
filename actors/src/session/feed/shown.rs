//! An event as its player is shown it.

use bytestring::ByteString;
use pitboss_wallet::EventType;
use serde_json::Value;

/// The event's own text, without what is for the casino alone. Most events have nothing of that, and are not read.
///
/// # Errors
/// It has something of that and cannot be read: then nobody knows what it would show.
pub(super) fn shown(kind: EventType, body: &str) -> Result<ByteString, serde_json::Error> {
    let hidden = kind.hidden_from_player();
    if hidden.is_empty() {
        return Ok(body.into());
    }
    let mut event: Value = serde_json::from_str(body)?;
    let data = event.get_mut("data").and_then(Value::as_object_mut);
    if let Some(data) = data {
        data.retain(|name, _| !hidden.contains(&name.as_str()));
    }
    Ok(event.to_string().into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_for_the_casino_alone_is_left_out_and_nothing_else() {
        let event = |data: Value| json!({ "seq": 7, "by": "envelope", "data": data });
        let told =
            event(json!({ "status": "blocked", "reason": "a secret", "by": { "person": "Mary" } }));
        let own = shown(EventType::StatusChanged, &told.to_string()).unwrap();
        let own: Value = serde_json::from_str(&own).unwrap();
        assert_eq!(own, event(json!({ "status": "blocked" })));
        // Byte by byte, where nothing is hidden: `reason` is told of the end of a session.
        let ended = event(json!({ "reason": "logged_out" })).to_string() + " ";
        assert_eq!(shown(EventType::LoggedOut, &ended).unwrap(), ended);
        assert!(shown(EventType::Adjusted, "{").is_err());
    }
}
