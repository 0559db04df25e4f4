//! Deposits and withdrawals: for each way that a withdrawal can end, one.

use serde_json::{Value, json};

use super::{Caller, Case, case};
use crate::support::{client::Client, eventually, player::Player};

const LISTS: &[&str] = &[
    "?after=",
    "?after=x",
    "?after=%00",
    "?after=IngiCg",
    "?state=",
    "?state=nowhere",
    "?player=",
    "?player=%00",
    "?reference=",
    "?reference=%00",
    "?limit=0",
    "?limit=-1",
    "?limit=1e3",
    "?limit=1000000000",
    "?limit=",
    "?x=1",
    "?%ff=%ff",
];

/// A deposit that was announced, and withdrawals that another person asked for.
pub struct Payments {
    deposit: String,
    paid: String,
    cancelled: String,
    rejected: String,
    /// Approved already.
    split: String,
}

pub async fn made(client: &Client, player: &Player) -> Payments {
    let other = client.of_another_person("Kate").await;
    let body = |reference: &str, amount: &str| json!({ "player": player.id, "amount": amount, "currency": "EUR", "reference": reference });
    let withdrawal = async |reference: &str| {
        let answer = other
            .post("/v1/withdrawals", &body(reference, "0.02"))
            .await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.text_at("/id")
    };
    let split = withdrawal("to be split").await;
    for step in ["review", "approve"] {
        let path = format!("/v1/withdrawals/{split}/{step}");
        client.post(&path, &json!({})).await.ok();
    }
    // Noted by the server itself, a while later.
    eventually("the approval is in the audit log", async || {
        let log = client
            .get("/v1/audit?action=payment.withdrawal_approved")
            .await;
        (!log.ok().json["data"].as_array()?.is_empty()).then_some(())
    })
    .await;
    let deposit = client.post("/v1/deposits", &body("to come", "0.01")).await;
    Payments {
        deposit: deposit.text_at("/id"),
        paid: withdrawal("to be paid").await,
        cancelled: withdrawal("to be cancelled").await,
        rejected: withdrawal("to be rejected").await,
        split,
    }
}

/// In an order in which they can be carried out, about this player.
pub fn cases(player: &str, made: &Payments) -> Vec<Case> {
    let operator = |route: &'static str, method, id: &str| {
        case(route, method, Caller::Operator, route.replace("{id}", id))
    };
    let list = |route| Case {
        bad_queries: LISTS,
        ..operator(route, "GET", "")
    };
    let of = |id: &str, route, body: Value| Case {
        body,
        ..operator(route, "POST", id)
    };
    let nothing = |id: &str, route| Case {
        legal: &[("", "{}"), ("", "")],
        ..of(id, route, json!({}))
    };
    let Payments {
        paid,
        cancelled,
        rejected,
        split: whole,
        ..
    } = made;
    let asked = json!({
        "player": player, "amount": "0.01", "currency": "EUR", "reference": "hostile payment", "destination": "iban",
    });
    let mut announced = asked.clone();
    announced.as_object_mut().unwrap().remove("destination");
    vec![
        Case {
            body: announced,
            ..operator("/v1/deposits", "POST", "")
        },
        list("/v1/deposits"),
        operator("/v1/deposits/{id}", "GET", &made.deposit),
        Case {
            body: json!({ "status": "completed", "provider_reference": "hostile", "amount": "0.01" }),
            ..operator("/v1/deposits/{id}/notices", "POST", &made.deposit)
        },
        Case {
            body: asked,
            optional: &["/destination"],
            ..operator("/v1/withdrawals", "POST", "")
        },
        list("/v1/withdrawals"),
        operator("/v1/withdrawals/{id}", "GET", paid),
        nothing(paid, "/v1/withdrawals/{id}/review"),
        of(
            paid,
            "/v1/withdrawals/{id}/hold",
            json!({ "reason": "kyc" }),
        ),
        nothing(paid, "/v1/withdrawals/{id}/clear"),
        nothing(paid, "/v1/withdrawals/{id}/approve"),
        of(
            whole,
            "/v1/withdrawals/{id}/split",
            json!({ "parts": ["0.01", "0.01"] }),
        ),
        nothing(paid, "/v1/withdrawals/{id}/send"),
        of(
            paid,
            "/v1/withdrawals/{id}/result",
            json!({ "outcome": "paid", "provider_reference": "hostile" }),
        ),
        of(
            rejected,
            "/v1/withdrawals/{id}/reject",
            json!({ "reason": "hostile" }),
        ),
        nothing(cancelled, "/v1/withdrawals/{id}/cancel"),
    ]
}
