//! The routes of players, statements, approvals and what needs them.

use serde_json::{Value, json};

use super::cases::{Caller, Case, case};
use crate::support::{client::Client, player::Player};

/// Two approvals that another person asked for.
pub struct Asked {
    approve: String,
    reject: String,
}

pub async fn asked(client: &Client, player: &Player) -> Asked {
    let other = client.of_another_person("Dora").await;
    let ask = async || {
        let adjust = adjustment(player);
        let answer = other.post("/v1/adjustments", &adjust).await;
        assert_eq!(answer.status, 202, "{}", answer.text);
        answer.text_at("/id")
    };
    Asked {
        approve: ask().await,
        reject: ask().await,
    }
}

fn adjustment(player: &Player) -> Value {
    json!({
        "player": player.id, "currency": "EUR", "amount": "1.00", "direction": "debit", "reason": "hostile",
        "category": "correction", "allow_debt": true,
    })
}

const PLAYERS: &[&str] = &[
    "?status=",
    "?status=gone",
    "?status=active&status=active",
    "?country=",
    "?country=se",
    "?country=SWE",
    "?country=%00%00",
    "?test=",
    "?test=1",
    "?test=maybe",
    "?created_from=",
    "?created_from=2026-01-01",
    "?created_from=0000-01-01T00:00:00Z",
    "?created_from=9999-12-31T23:59:59Z",
    "?created_to=now",
    "?created_to=%00",
    "?prefix=",
    "?prefix=%00",
    "?prefix=%ff",
    "?prefix=a%20b",
    "?prefix=%F0%9F%8E%B2",
    "?after=",
    "?after=x",
    "?after=%00",
    "?after=WzEsIiJd",
    "?after=Wy05MjIzMzcyMDM2ODU0Nzc1ODA4LCJhIl0",
    "?limit=0",
    "?limit=-1",
    "?limit=1000000000",
    "?limit=99999999999999999999",
    "?x=1",
    "?%ff=%ff",
];

const STATEMENTS: &[&str] = &[
    "",
    "?currency=",
    "?currency=XXX",
    "?currency=eur",
    "?currency=USD",
    "?currency=%00",
    "?currency=EUR&currency=EUR",
    "?currency=EUR&from=",
    "?currency=EUR&from=yesterday",
    "?currency=EUR&from=0000-01-01T00:00:00Z",
    "?currency=EUR&to=9999-12-31T23:59:59Z",
    "?currency=EUR&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
    "?currency=EUR&format=xml",
    "?currency=EUR&format=",
    "?currency=EUR&format=csv&limit=1",
    "?currency=EUR&format=csv&after=WzEsMl0",
    "?currency=EUR&limit=0",
    "?currency=EUR&limit=1000000000",
    "?currency=EUR&after=",
    "?currency=EUR&after=x",
    "?currency=EUR&after=WzAsMl0",
    "?currency=EUR&after=WzEsOTk5OTk5OTk5XQ",
    "?currency=EUR&x=1",
    "?%ff=%ff",
];

const APPROVALS: &[&str] = &[
    "?state=",
    "?state=gone",
    "?kind=",
    "?kind=theft",
    "?player=",
    "?player=a%20b",
    "?player=%00",
    "?after=",
    "?after=x",
    "?after=WzEsMl0",
    "?limit=0",
    "?limit=-1",
    "?limit=1000000000",
    "?x=1",
    "?%ff=%ff",
];

/// In the order in which they can be carried out; after those of the callbacks.
pub fn cases(client: &Client, player: &Player, asked: &Asked) -> Vec<Case> {
    let id = &player.id;
    let operator = |route, method, path| case(route, method, Caller::Operator, path);
    let approval = |action: &str, id: &str| format!("/v1/approvals/{id}{action}");
    vec![
        Case {
            bad_queries: PLAYERS,
            ..operator("/v1/players", "GET", "/v1/players".to_owned())
        },
        Case {
            body: json!({
                "id": "whole", "currency": "EUR", "country": "SE", "language": "sv-SE",
                "labels": { "vip": "gold" }, "test": true,
            }),
            optional: &["/country", "/language", "/labels", "/test"],
            legal: &[("/labels", "{}")],
            ..operator("/v1/players", "POST", "/v1/players".to_owned())
        },
        Case {
            body: json!({ "country": "SE", "language": "sv", "labels": { "vip": "gold" } }),
            optional: &["/country", "/language", "/labels"],
            legal: &[("/labels", "{}")],
            ..operator("/v1/players/{id}", "PATCH", format!("/v1/players/{id}"))
        },
        Case {
            body: json!({ "status": "active", "reason": "hostile" }),
            ..operator(
                "/v1/players/{id}/status",
                "POST",
                format!("/v1/players/{id}/status"),
            )
        },
        Case {
            body: json!({ "currency": "USD" }),
            ..operator(
                "/v1/players/{id}/wallets",
                "POST",
                format!("/v1/players/{id}/wallets"),
            )
        },
        Case {
            bad_queries: STATEMENTS,
            ..operator(
                "/v1/players/{id}/statement",
                "GET",
                format!("/v1/players/{id}/statement?currency=EUR"),
            )
        },
        Case {
            body: adjustment(player),
            optional: &["/allow_debt"],
            ..operator("/v1/adjustments", "POST", "/v1/adjustments".to_owned())
        },
        Case {
            body: json!({
                "player": id, "provider": client.at.providers[0].id, "round": "r-b3", "game": "dice",
                "reason": "hostile",
            }),
            optional: &["/game"],
            ..operator("/v1/rounds/void", "POST", "/v1/rounds/void".to_owned())
        },
        Case {
            bad_queries: APPROVALS,
            ..operator("/v1/approvals", "GET", "/v1/approvals".to_owned())
        },
        operator("/v1/approvals/{id}", "GET", approval("", &asked.approve)),
        Case {
            body: json!({}),
            legal: &[("", "{}"), ("", "")],
            ..operator(
                "/v1/approvals/{id}/approve",
                "POST",
                approval("/approve", &asked.approve),
            )
        },
        Case {
            body: json!({ "reason": "hostile" }),
            ..operator(
                "/v1/approvals/{id}/reject",
                "POST",
                approval("/reject", &asked.reject),
            )
        },
    ]
}
