//! Transactions, rounds and reports. All of these routes read.

use super::{Caller, Case, case};

const TRANSACTIONS: &[&str] = &[
    "?player=",
    "?player=%00",
    "?player=%ff",
    "?player=a%20b",
    "?player=nobody",
    "?player=p&player=p",
    "?player=p&limit=0",
    "?player=p&limit=-1",
    "?player=p&limit=1e3",
    "?player=p&limit=1000000000",
    "?player=p&limit=99999999999999999999",
    "?player=p&limit=",
    "?player=p&limit=1&limit=1",
    "?player=p&after=",
    "?player=p&after=x",
    "?player=p&after=1.5",
    "?player=p&after=9223372036854775808",
    "?player=p&after=-9223372036854775809",
    "?player=p&after=%00",
    "?after=1",
    "?after=tx_",
    "?after=tx_0000000000000000000000000000000g",
    "?after=",
    "?provider=",
    "?provider=%00",
    "?provider=demo",
    "?player=p&kind=",
    "?player=p&kind=Bet",
    "?kind=bet",
    "?player=p&state=open",
    "?state=applied",
    "?player=p&currency=eur",
    "?currency=EUR",
    "?player=p&game=",
    "?game=dice",
    "?provider_transaction_id=b1",
    "?provider=demo&provider_transaction_id=b1",
    "?player=p&provider=demo&provider_transaction_id=",
    "?player=p&provider=demo&provider_transaction_id=%00",
    "?round=r",
    "?player=p&round=r",
    "?provider=demo&round=r",
    "?player=p&provider=demo&round=%00",
    "?player=p&min_amount=1.00",
    "?player=p&currency=EUR&min_amount=-1",
    "?player=p&currency=EUR&min_amount=1.0000001",
    "?player=p&currency=EUR&max_amount=1e3",
    "?player=p&currency=EUR&max_amount=99999999999999999999",
    "?from=",
    "?from=yesterday",
    "?from=2026-01-01",
    "?from=2026-01-01T00:00:00",
    "?from=2026-01-01T00:00:00Z&to=2026-01-01T00:00:00Z",
    "?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
    "?to=9999-99-99T00:00:00Z",
    "?x=1",
    "?player=p&x=1",
    "?player=p&%ff=%ff",
];

const LOOKUPS: &[&str] = &[
    "",
    "?provider=cashier",
    "?provider=cashier&kind=deposit",
    "?provider=cashier&kind=deposit&external_id=",
    "?provider=cashier&kind=deposit&external_id=%00",
    "?provider=cashier&kind=deposit&external_id=never",
    "?provider=cashier&kind=x&external_id=hostile",
    "?provider=demo&kind=bet&external_id=b1",
    "?provider=demo&kind=bet&external_id=never&player=p",
    "?provider=demo&kind=bet&external_id=b1&player=",
    "?provider=demo&kind=bet&external_id=b1&player=nobody",
    "?provider=demo&kind=bet&external_id=b1&player=p&x=1",
    "?provider=%ff",
];

const ROUNDS: &[&str] = &[
    "?player=",
    "?player=%00",
    "?player=nobody",
    "?player=p&limit=0",
    "?player=p&after=x",
    "?player=p&after=tx_00000000000000000000000000000000",
    "?after=1",
    "?provider=demo",
    "?game=dice",
    "?state=open",
    "?currency=EUR",
    "?player=p&state=",
    "?player=p&state=applied",
    "?player=p&provider=",
    "?player=p&game=%00",
    "?player=p&currency=XXX",
    "?from=x",
    "?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
    "?x=1",
    "?%ff=%ff",
];

const UNFINISHED: &[&str] = &[
    "?older_than_s=-1",
    "?older_than_s=1.5",
    "?older_than_s=9223372036854775808",
    "?older_than_s=",
    "?provider=",
    "?currency=eur",
    "?limit=0",
    "?after=",
    "?after=x",
    "?after=1",
    "?after=WzEsMl0",
    "?player=p",
    "?%ff=%ff",
];

const PERIODS: &[&str] = &[
    "",
    "?from=2026-01-01",
    "?to=2026-01-01",
    "?from=2026-01-01&to=2026-01-01",
    "?from=2026-01-02&to=2026-01-01",
    "?from=2026-01-01&to=2036-01-01",
    "?from=2026-13-01&to=2026-02-01",
    "?from=01.01.2026&to=02.01.2026",
    "?from=&to=",
    "?from=2026-01-01&to=2026-02-01&offset=",
    "?from=2026-01-01&to=2026-02-01&offset=CET",
    "?from=2026-01-01&to=2026-02-01&offset=15:00",
    "?from=2026-01-01&to=2026-02-01&format=",
    "?from=2026-01-01&to=2026-02-01&format=xml",
    "?from=2026-01-01&to=2026-02-01&format=CSV",
    "?from=2026-01-01&to=2026-02-01&currency=eur",
    "?from=2026-01-01&to=2026-02-01&provider=",
    "?from=2026-01-01&to=2026-02-01&game=%00",
    "?from=2026-01-01&to=2026-02-01&test_players=1",
    "?from=2026-01-01&to=2026-02-01&by=colour",
    "?from=2026-01-01&to=2026-02-01&by=day,",
    "?from=2026-01-01&to=2026-02-01&from=2026-01-01",
    "?from=2026-01-01&to=2026-02-01&x=1",
    "?from=%ff&to=%00",
];

const WINS: &[&str] = &[
    "?from=2026-01-01&to=2026-02-01",
    "?from=2026-01-01&to=2026-02-01&currency=EUR",
    "?from=2026-01-01&to=2026-02-01&min_amount=1",
    "?from=2026-01-01&to=2026-02-01&currency=EUR&min_amount=",
    "?from=2026-01-01&to=2026-02-01&currency=EUR&min_amount=-1",
    "?from=2026-01-01&to=2026-02-01&currency=EUR&min_amount=1e9",
];

const MOMENTS: &[&str] = &[
    "?at=",
    "?at=now",
    "?at=2026-01-01",
    "?at=9998-01-01T00:00:00Z",
    "?format=x",
    "?test_players=yes",
    "?provider=%00",
    "?x=1",
    "?%ff=%ff",
];

/// Requests in order about a player and a transaction of his. He has a deposit `hostile` by the time that they are
/// carried out.
pub fn cases(player: &str, transaction: &str) -> Vec<Case> {
    let get = |route, query: String, bad_queries| Case {
        bad_queries,
        ..case(route, "GET", Caller::Operator, format!("{route}{query}"))
    };
    // As `GET /v1/rounds` names the round of the bet `b1`.
    let round = {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        let key = serde_json::json!([player, "demo", null, "r-b1"]);
        format!("rnd_{}", URL_SAFE_NO_PAD.encode(key.to_string()))
    };
    let in_path = |route: &'static str| {
        case(
            route,
            "GET",
            Caller::Operator,
            route.replace("{id}", &round),
        )
    };
    let period = "?from=2026-01-01&to=2026-02-01";
    vec![
        get(
            "/v1/transactions",
            format!("?player={player}"),
            TRANSACTIONS,
        ),
        get(
            "/v1/transactions/lookup",
            "?provider=cashier&kind=deposit&external_id=hostile".to_owned(),
            LOOKUPS,
        ),
        case(
            "/v1/transactions/{id}",
            "GET",
            Caller::Operator,
            format!("/v1/transactions/{transaction}"),
        ),
        get("/v1/rounds", format!("?player={player}"), ROUNDS),
        get("/v1/rounds/unfinished", String::new(), UNFINISHED),
        in_path("/v1/rounds/{id}"),
        in_path("/v1/rounds/{id}/replay"),
        get("/v1/reports/revenue", period.to_owned(), PERIODS),
        get("/v1/reports/players", period.to_owned(), PERIODS),
        get("/v1/reports/transactions", period.to_owned(), PERIODS),
        get(
            "/v1/reports/large-wins",
            format!("{period}&currency=EUR&min_amount=100"),
            WINS,
        ),
        get("/v1/reports/liability", String::new(), MOMENTS),
        get("/v1/reports/open-rounds", String::new(), MOMENTS),
    ]
}
