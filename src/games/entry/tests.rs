//! What an entry may say, and what it is told when it may not.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn made(changes: Value) -> Result<Game, Complaint> {
    let Value::Object(mut whole) =
        json!({ "id": "dice", "provider": "demo", "name": "Dice", "category": "dice" })
    else {
        unreachable!()
    };
    whole.extend(changes.as_object().unwrap().clone());
    merged(None, &whole)
}

#[test]
fn a_game_needs_four_fields_and_is_on() {
    let game = made(json!({})).unwrap();
    assert!(game.enabled && game.finish_open_round && !game.demo);
    for missing in ["id", "provider", "name", "category"] {
        let mut whole = json!({ "id": "d", "provider": "p", "name": "D", "category": "dice" });
        whole.as_object_mut().unwrap().remove(missing);
        let error = merged(None, whole.as_object().unwrap()).unwrap_err();
        assert!(error.why.contains(missing), "{error}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_field() {
    let long = "x".repeat(129);
    for (changes, field) in [
        (json!({ "id": "import" }), "id"),
        (json!({ "name": " " }), "name"),
        (json!({ "name": long }), "name"),
        (json!({ "name": "a\u{0}b" }), "name"),
        (json!({ "category": "casino" }), "category"),
        (json!({ "tags": ["ok", "Not"] }), "tags[1]"),
        (json!({ "tags": ["a", "a"] }), "tags[1]"),
        (json!({ "tags": null }), "tags"),
        (json!({ "rtp": "100.01" }), "rtp"),
        (json!({ "rtp": "-1" }), "rtp"),
        (json!({ "rtp": "96,5" }), "rtp"),
        (json!({ "rtp": "096" }), "rtp"),
        (json!({ "rtp": "96." }), "rtp"),
        (json!({ "rtp": "96.1234567" }), "rtp"),
        (json!({ "rtp": 96 }), "rtp"),
        (json!({ "volatility": "huge" }), "volatility"),
        (json!({ "currencies": ["EUR", "EUR"] }), "currencies[1]"),
        (json!({ "currencies": ["XXX"] }), "currencies[0]"),
        (
            json!({ "limits": [{ "currency": "EUR", "min": "x" }] }),
            "limits[0].min",
        ),
        (
            json!({ "limits": [{ "currency": "EUR", "max": "0.0000001" }] }),
            "limits[0].max",
        ),
        (
            json!({ "limits": [{ "currency": "EUR", "min": "2", "max": "1" }] }),
            "limits[0]",
        ),
        (
            json!({ "limits": [{ "currency": "EUR" }, { "currency": "EUR" }] }),
            "limits[1]",
        ),
        (
            json!({ "currencies": ["USD"], "limits": [{ "currency": "EUR" }] }),
            "limits[0].currency",
        ),
        (json!({ "devices": ["mobile", "mobile"] }), "devices[1]"),
        (json!({ "devices": ["watch"] }), "devices[0]"),
        (json!({ "languages": ["english language"] }), "languages[0]"),
        (
            json!({ "countries": { "deny": ["UK"] } }),
            "countries.deny[0]",
        ),
        (
            json!({ "countries": { "allow": ["SE"], "deny": ["SE"] } }),
            "countries.deny",
        ),
        (
            json!({ "countries": { "allow": ["SE", "SE"] } }),
            "countries.allow[1]",
        ),
        (json!({ "jackpots": [""] }), "jackpots[0]"),
        (json!({ "version": "" }), "version"),
        (json!({ "checksum": "abc" }), "checksum"),
        (json!({ "checksum": "A".repeat(64) }), "checksum"),
        (json!({ "launch_url": "https://g.example/" }), "launch_url"),
        (json!({ "image": "http://g.example/a.png" }), "image"),
        (json!({ "image": "//g.example/a.png" }), "image"),
        (json!({ "image": "javascript:alert(1)" }), "image"),
        (json!({ "session_limit_s": 0 }), "session_limit_s"),
        (json!({ "max_sessions": 101 }), "max_sessions"),
        (json!({ "colour": "red" }), "colour"),
        (json!({ "countries": [["SE"], []] }), "countries"),
        (json!({ "limits": [["EUR", "1", "2"]] }), "limits[0]"),
    ] {
        let error = made(changes.clone()).unwrap_err();
        assert_eq!(error.field, field, "{changes}: {error}");
    }
}

#[test]
fn a_return_to_player_is_exact_and_at_most_all() {
    for good in ["0", "100", "100.000", "96.5", "97.297297", "0.1"] {
        assert_eq!(
            made(json!({ "rtp": good })).unwrap().rtp.as_deref(),
            Some(good)
        );
    }
}

#[test]
fn what_changes_leave_out_stays_and_null_takes_away() {
    let before = made(json!({ "rtp": "96", "tags": ["a"], "enabled": false })).unwrap();
    let change = |changes: Value| merged(Some(&before), changes.as_object().unwrap());
    let after = change(json!({ "name": "New", "rtp": null })).unwrap();
    assert_eq!(
        (after.rtp, after.tags, after.enabled),
        (None, before.tags.clone(), false)
    );
    assert_eq!(change(json!({ "id": "other" })).unwrap_err().field, "id");
    assert_eq!(
        change(json!({ "provider": "other" })).unwrap_err().field,
        "provider"
    );
}

#[test]
fn amounts_are_kept_as_they_are_always_written() {
    let game = made(json!({ "limits": [{ "currency": "EUR", "min": "0.1", "max": "007" }] }));
    let limits = &game.unwrap().limits[0];
    assert_eq!(
        (limits.min.as_deref(), limits.max.as_deref()),
        (Some("0.10"), Some("7.00"))
    );
}

proptest! {
    #[test]
    fn any_text_anywhere_is_a_game_or_a_complaint(text in "\\PC{0,40}") {
        for field in ["id", "name", "rtp", "version", "checksum", "launch_url", "image"] {
            let _ = made(json!({ field: text }));
        }
        for field in ["tags", "languages", "jackpots", "currencies"] {
            let _ = made(json!({ field: [text] }));
        }
    }

    #[test]
    fn what_was_accepted_is_accepted_again_and_is_the_same(
        rtp in proptest::option::of("(0|[1-9][0-9]?)(\\.[0-9]{1,6})?"),
        tags in prop::collection::hash_set("[a-z0-9_-]{1,10}", 0..5),
        min in 0u32..1000,
        weight in any::<i32>(),
    ) {
        let tags: Vec<String> = tags.into_iter().collect();
        let limits = json!([{ "currency": "EUR", "min": format!("0.{min}"), "max": "10" }]);
        let game = made(json!({ "rtp": rtp, "tags": tags, "limits": limits, "sort_weight": weight })).unwrap();
        let whole = serde_json::to_value(&game).unwrap();
        prop_assert_eq!(merged(None, whole.as_object().unwrap()), Ok(game));
    }
}
