//! Statements: every movement with the balances before and after, as JSON and as CSV.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    client::{Answer, Client, send},
    player::Player,
    sandbox::shared,
    unique,
};

async fn csv(client: &Client, path: &str) -> (Answer, Vec<Vec<String>>) {
    let request = client
        .http(Method::GET, path)
        .header("Accept", "text/csv")
        .bearer_auth(&client.at.operator_key);
    let answer = send(request).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let lines = answer.text.strip_suffix("\r\n").unwrap().split("\r\n");
    // No cell of these tests has a comma in it.
    let rows = lines.map(|line| line.split(',').map(str::to_owned).collect());
    let rows = rows.collect();
    (answer, rows)
}

fn cash_of(line: &Value) -> &str {
    line["balance"]["cash"].as_str().unwrap()
}

#[tokio::test]
async fn a_statement_runs_from_the_opening_to_the_closing_balance() {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    client
        .callback("bet", &player.bet("b1", "10.00"))
        .await
        .ok();
    client
        .callback("win", &player.win("w1", "b1", "0"))
        .await
        .ok();
    client
        .callback("win", &player.win("w2", "b1", "2.50"))
        .await
        .ok();
    client
        .callback("rollback", &player.rollback("rb", "w2"))
        .await
        .ok();
    client
        .callback("close_round", &player.close("b1"))
        .await
        .ok();
    let path = format!("/v1/players/{}/statement?currency=EUR", player.id);
    let whole = client.get(&path).await.ok().json;
    let lines = whole["data"].as_array().unwrap();
    let kinds: Vec<_> = lines
        .iter()
        .map(|line| line["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        ["deposit", "bet", "win", "rollback"],
        "only what moved"
    );
    let cash: Vec<_> = lines.iter().map(cash_of).collect();
    assert_eq!(cash, ["100.00", "90.00", "92.50", "90.00"]);
    assert_eq!(lines[1]["change"]["cash"], "-10.00");
    assert_eq!(lines[1]["reference"], "b1");
    assert_eq!(lines[1]["game"], "dice");
    assert_eq!(lines[0]["provider"], Value::Null);
    assert_eq!(whole["opening_balance"]["cash"], "0.00");
    assert_eq!(whole["closing_balance"]["cash"], "90.00");
    assert_eq!(whole["next"], Value::Null);

    // Page by page it is the same, whatever is committed meanwhile.
    let mut pages = Vec::new();
    let mut after = String::new();
    loop {
        let page = client
            .get(&format!("{path}&limit=1{after}"))
            .await
            .ok()
            .json;
        assert_eq!(page["closing_balance"]["cash"], "90.00");
        pages.extend(page["data"].as_array().unwrap().clone());
        client
            .callback("bet", &player.bet(&unique("meanwhile"), "0.01"))
            .await
            .ok();
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(&pages, lines);

    // A period begins with what was there before it, and ends where the next one begins.
    let border = lines[2]["time"].as_str().unwrap();
    let early = client.get(&format!("{path}&to={border}")).await.ok().json;
    let late = client.get(&format!("{path}&from={border}")).await.ok().json;
    assert_eq!(early["data"].as_array().unwrap().len(), 2);
    assert_eq!(early["closing_balance"], late["opening_balance"]);
    assert_eq!(late["opening_balance"]["cash"], "90.00");
    assert_eq!(late["data"][0], lines[2]);
}

#[tokio::test]
async fn a_file_has_the_same_lines_and_nothing_that_a_spreadsheet_would_carry_out() {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    client
        .callback("bet", &player.bet("=1+1", "10.00"))
        .await
        .ok();
    let path = format!("/v1/players/{}/statement?currency=EUR", player.id);
    let (answer, rows) = csv(&client, &path).await;
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(
        answer.header("content-disposition"),
        format!("attachment; filename=\"statement-{}-EUR.csv\"", player.id)
    );
    let column = |name: &str| rows[0].iter().position(|cell| cell == name).unwrap();
    let cells = |name: &str| {
        let at = column(name);
        rows[1..]
            .iter()
            .map(|row| row[at].as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        cells("kind"),
        ["opening_balance", "deposit", "bet", "closing_balance"]
    );
    assert_eq!(cells("cash"), ["0.00", "100.00", "90.00", "90.00"]);
    assert_eq!(cells("cash_change"), ["", "100.00", "-10.00", ""]);
    assert_eq!(cells("reference")[2], "'=1+1");
    let by_format = client.get(&format!("{path}&format=csv")).await.ok();
    assert_eq!(by_format.header("content-type"), "text/csv; charset=utf-8");
    let json = client.get(&format!("{path}&format=json")).await.ok().json;
    let numbers: Vec<_> = json["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["number"].to_string())
        .collect();
    assert_eq!(cells("number")[1..3], numbers);
}

#[tokio::test]
async fn a_file_of_many_chunks_is_whole_and_one_of_nothing_says_so() {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    let actions: Vec<String> = (0..100).map(|n| format!("a{n}")).collect();
    for round in 0..12 {
        let actions: Vec<_> = actions.iter().map(|id| format!("{round}-{id}")).collect();
        let actions: Vec<_> = actions
            .iter()
            .map(|id| ("bet", id.as_str(), "0.01"))
            .collect();
        let body = player.batch(&format!("many-{round}"), &actions);
        client.callback("bet_win", &body).await.ok();
    }
    let path = format!("/v1/players/{}/statement?currency=EUR", player.id);
    let (_, rows) = csv(&client, &path).await;
    // The head, the opening, the deposit, 1,200 bets and the closing balance.
    assert_eq!(rows.len(), 1_204);
    let last = rows.last().unwrap();
    let cash = rows[0].iter().position(|cell| cell == "cash").unwrap();
    assert_eq!(
        (last[3].as_str(), last[cash].as_str()),
        ("closing_balance", "88.00")
    );
    assert_eq!(player.cash(&client).await, "88.00");

    let nothing = format!("{path}&from=2001-01-01T00:00:00Z&to=2001-02-01T00:00:00Z");
    let (_, rows) = csv(&client, &nothing).await;
    let kinds: Vec<_> = rows[1..].iter().map(|row| row[3].as_str()).collect();
    assert_eq!(kinds, ["opening_balance", "No Activity", "closing_balance"]);
    let json = client.get(&nothing).await.ok().json;
    assert_eq!(json["data"], json!([]));
    assert_eq!(json["closing_balance"]["cash"], "0.00");
    client
        .get("/v1/players/nobody/statement?currency=EUR")
        .await
        .refused(404, "unknown_player");
    client
        .get(&format!("/v1/players/{}/statement?currency=USD", player.id))
        .await
        .refused(422, "currency_mismatch");
}
