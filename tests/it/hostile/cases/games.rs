//! The catalogue, launches, the gaming switch, blocks and the lobby.

use serde_json::{Value, json};

use super::{Caller, Case, case};
use crate::support::player::Player;

const GAMES: &[&str] = &[
    "?q=",
    "?q=%20",
    "?q=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "?q=a&q=b",
    "?provider=",
    "?provider=a%20b",
    "?provider=%00",
    "?category=",
    "?category=casino",
    "?category=Slot",
    "?tag=",
    "?tag=A",
    "?tag=%00",
    "?currency=",
    "?currency=eur",
    "?currency=XXX",
    "?device=",
    "?device=watch",
    "?country=",
    "?country=UK",
    "?country=se",
    "?enabled=",
    "?enabled=1",
    "?demo=yes",
    "?limit=0",
    "?limit=-1",
    "?limit=1e3",
    "?limit=1000000000",
    "?after=",
    "?after=x",
    "?after=%00",
    "?after=WzEsMl0",
    "?x=1",
    "?%ff=%ff",
];

const COLLECTIONS: &[&str] = &[
    "?limit=0",
    "?limit=-1",
    "?limit=1000000000",
    "?after=",
    "?after=x",
    "?after=%ff",
    "?x=1",
];

const LOBBY: &[&str] = &[
    "?country=",
    "?country=UK",
    "?country=%00",
    "?device=",
    "?device=watch",
    "?currency=XXX",
    "?language=",
    "?language=e",
    "?language=en_US",
    "?language=%00",
    "?language=en&language=en",
    "?x=1",
];

const OWN_LOBBY: &[&str] = &[
    "?device=watch",
    "?language=",
    "?language=en_US",
    "?country=SE",
    "?currency=EUR",
];

pub fn cases(player: &Player, block: &str) -> Vec<Case> {
    let Player { id, .. } = player;
    let operator = |route: &'static str, method: &'static str| {
        let path = route.replace("/games/{id}", "/games/dice");
        let path = path.replace("/collections/{id}", "/collections/top");
        let path = path.replace("{id}", id).replace("{block}", block);
        case(route, method, Caller::Operator, path)
    };
    let with = |route, method, body: Value| Case {
        body,
        ..operator(route, method)
    };
    let game = json!({
        "id": "dice", "provider": "demo", "name": "Dice", "category": "dice", "tags": ["hot"], "rtp": "96.5",
        "limits": [{ "currency": "EUR", "max": "100.00" }], "countries": { "deny": ["US"] },
        "enabled": true, "sort_weight": 3, "demo": true,
    });
    let lists: &[(&str, &str)] = &[
        ("/tags", "[]"),
        ("/tags", "[\"x\"]"),
        ("/tags/0", ""),
        ("/limits", "[]"),
        ("/limits/0", ""),
        ("/countries", "{}"),
        ("/countries/deny", "[]"),
        ("/countries/deny/0", ""),
    ];
    // The player has no country.
    let change =
        json!({ "name": "Dice", "tags": ["new"], "rtp": "97", "countries": { "deny": [] } });
    let import =
        json!({ "games": [{ "id": "dice", "name": "Dice", "rtp": "96" }], "dry_run": false });
    let launch = json!({
        "player": id, "currency": "EUR", "language": "en", "device": "mobile", "demo": false,
        "return_url": "https://casino.example/",
    });
    let collection = json!({
        "id": "top", "titles": { "en": "Top" }, "position": 1, "rule": { "tags": ["hot"], "order": "name" },
        "limit": 10, "enabled": true,
    });
    vec![
        Case {
            bad_queries: GAMES,
            ..operator("/v1/games", "GET")
        },
        operator("/v1/games/{id}", "GET"),
        Case {
            optional: &["/rtp", "/limits/0/max"],
            legal: lists,
            ..with("/v1/games/{id}", "PUT", game)
        },
        Case {
            optional: &["/rtp"],
            legal: &[
                ("/tags", "[]"),
                ("/tags", "[\"x\"]"),
                ("/tags/0", ""),
                ("/countries", "{}"),
                ("/countries/deny", "[]"),
            ],
            ..with("/v1/games/{id}", "PATCH", change)
        },
        Case {
            body_max: 8_388_608,
            optional: &["/games/0/rtp"],
            ..with("/v1/games/import", "POST", import)
        },
        Case {
            optional: &["/language", "/device", "/return_url"],
            // Another game than the one that he is in: its session would end.
            body: launch,
            ..case(
                "/v1/games/{id}/launch",
                "POST",
                Caller::Operator,
                "/v1/games/slot/launch".into(),
            )
        },
        operator("/v1/gaming", "GET"),
        with(
            "/v1/gaming",
            "PUT",
            json!({ "enabled": true, "finish_open_round": true, "reason": "hostile" }),
        ),
        operator("/v1/players/{id}/game-blocks", "GET"),
        with(
            "/v1/players/{id}/game-blocks",
            "POST",
            json!({ "category": "lottery", "reason": "hostile", "finish_open_round": false }),
        ),
        operator("/v1/players/{id}/game-blocks/{block}", "DELETE"),
        Case {
            bad_queries: COLLECTIONS,
            ..operator("/v1/collections", "GET")
        },
        Case {
            legal: &[
                ("/rule", "{}"),
                ("/rule/tags", "[]"),
                ("/rule/tags", "[\"x\"]"),
                ("/rule/tags/0", ""),
            ],
            ..with("/v1/collections/{id}", "PUT", collection)
        },
        operator("/v1/collections/{id}", "GET"),
        operator("/v1/collections/{id}", "DELETE"),
        Case {
            bad_queries: LOBBY,
            ..operator("/v1/lobby", "GET")
        },
        Case {
            bad_queries: OWN_LOBBY,
            ..case(
                "/v1/player/lobby",
                "GET",
                Caller::Player,
                "/v1/player/lobby".into(),
            )
        },
    ]
}
