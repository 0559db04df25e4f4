//! What happens on the tour, in order, with the amounts that should come out.

use super::{
    client::{Answer, Proof},
    screen::Check,
    stream,
    text::Body,
    tour::{CURRENCY, Expected, Interrupt, Tour},
};

/// The launched game, as the following callbacks name it.
struct Play {
    game: String,
    session: String,
}

/// A stake or prize, as the game sends it.
struct Amounts<'a> {
    id: &'a str,
    round: &'a str,
    amount: &'a str,
}

pub(super) async fn play(tour: &mut Tour, stream: &str) -> Result<(), Interrupt> {
    open_account(tour, stream).await?;
    let play = enter_game(tour).await?;
    one_round(tour, &play).await?;
    late_rollback(tour, &play).await?;
    bet_and_win_at_once(tour, &play).await?;
    refusals(tour, &play).await?;
    close(tour, &play).await
}

/// A player with 100.00, whose client watches.
async fn open_account(tour: &mut Tour, stream: &str) -> Result<(), Interrupt> {
    let body = Body::default()
        .text("id", &tour.player)
        .text("currency", CURRENCY);
    let request = tour.client.post("/v1/players", &tour.id("player"), &body);
    let expected = Expected::status(201)
        .field("/id", tour.player.as_str())
        .field("/wallets/0/total", "0.00")
        .events(&["player.registered", "wallet.account_opened"]);
    tour.step(
        "A new player",
        "The casino opens an account with an empty wallet, and tells its other services so over NATS.",
        request,
        expected,
    )
    .await?;

    let body = Body::default()
        .text("player", &tour.player)
        .text("currency", CURRENCY);
    let request = tour.client.post("/v1/sessions", &tour.id("login"), &body);
    let answer = tour
        .step(
            "The player logs in",
            "The token is for the player's browser or app. It opens this player's stream and nothing else.",
            request,
            Expected::status(201)
                .field("/player", tour.player.as_str())
                .events(&["player.logged_in"]),
        )
        .await?;
    let token = Tour::need(&answer, "/token")?;
    watch(tour, stream, &token).await?;

    let body = Body::default()
        .text("amount", "100.00")
        .text("currency", CURRENCY)
        .text("reference", &tour.id("deposit"));
    let path = format!("/v1/players/{}/deposits", tour.player);
    let request = tour.client.post(&path, &tour.id("deposit"), &body);
    let expected = Expected::status(201)
        .field("/replayed", false)
        .balance("100.00")
        .events(&["wallet.deposit_completed"]);
    let answer = tour
        .step(
            "A deposit of 100.00",
            "Money arrives. The player's screen shows it without asking.",
            request,
            expected,
        )
        .await?;
    tour.record("deposit", &answer, "/transaction_id");
    Ok(())
}

async fn watch(tour: &mut Tour, url: &str, token: &str) -> Result<(), Interrupt> {
    tour.heading(
        "The player's screen connects",
        "One WebSocket. It starts with a snapshot; from there on every event comes once, numbered by seq \
         without a gap, so that a client always knows whether it has missed something.",
    )?;
    tour.screen
        .request("GET /v1/stream", "WebSocket, player token", None)?;
    let opened = stream::open(url, token).await;
    let stream = opened.map_err(|error| Interrupt::Halt(format!("{url}: {error}")))?;
    tour.screen.answer("snapshot", &stream.snapshot)?;
    let snapshot: serde_json::Value = serde_json::from_str(&stream.snapshot).unwrap_or_default();
    let total = snapshot["wallets"][0]["total"]
        .as_str()
        .unwrap_or("missing");
    // Opening the account and the login were the player's only events so far.
    tour.screen.checks(&[
        Check::equal("seq", &stream.snapshot_seq.to_string(), "3"),
        Check::equal("balance", total, "0.00"),
    ])?;
    tour.stream = Some(stream);
    Ok(())
}

async fn enter_game(tour: &mut Tour) -> Result<Play, Interrupt> {
    let answer = tour
        .step(
            "Which games are there?",
            "The catalogue of all providers. The tour takes the first game of its own provider.",
            tour.client.get("/v1/games"),
            Expected::status(200),
        )
        .await?;
    let game = first_game(&answer, tour.client.provider()).ok_or_else(|| {
        Interrupt::Halt(format!(
            "no enabled game of provider {}",
            tour.client.provider()
        ))
    })?;

    let body = Body::default()
        .text("player", &tour.player)
        .text("currency", CURRENCY);
    let path = format!("/v1/games/{game}/launch");
    let request = tour.client.post(&path, &tour.id("launch"), &body);
    let answer = tour
        .step(
            "The player opens the game",
            "The casino makes a launch token and sends the browser to the game's URL with it.",
            request,
            Expected::status(201).events(&["game.launched"]),
        )
        .await?;
    let token = Tour::need(&answer, "/token")?;
    let session = Tour::need(&answer, "/session")?;

    let body = Body::default().text("token", &token);
    let expected = Expected::status(200)
        .field("/player", tour.player.as_str())
        .field("/session", session.as_str())
        .balance("100.00")
        .events(&["game.session_started"]);
    let request = tour.client.callback("authenticate", &body);
    let answer = tour
        .step(
            "The game asks who is playing",
            "First callback: the game server exchanges the launch token for the player, session and balance.",
            request,
            expected,
        )
        .await?;
    let session = Tour::need(&answer, "/session")?;
    tour.step(
        "The same launch token again",
        "A launch token works once: somebody who copied the URL gets nothing.",
        tour.client.callback("authenticate", &body),
        Expected::refusal(403, "session_invalid").still("100.00"),
    )
    .await?;
    Ok(Play { game, session })
}

fn first_game(answer: &Answer, provider: &str) -> Option<String> {
    let games = answer.json["data"].as_array()?;
    let playable = |game: &&serde_json::Value| {
        game["provider"] == provider && game["enabled"].as_bool().unwrap_or(true)
    };
    games.iter().find(playable)?["id"]
        .as_str()
        .map(str::to_owned)
}

fn bet_body(tour: &Tour, play: &Play, bet: &Amounts<'_>) -> Body {
    Body::default()
        .text("transaction_id", &tour.id(bet.id))
        .text("player", &tour.player)
        .text("session", &play.session)
        .text("game", &play.game)
        .text("round", &tour.id(bet.round))
        .text("amount", bet.amount)
        .text("currency", CURRENCY)
}

const FIRST_BET: Amounts<'_> = Amounts {
    id: "bet-1",
    round: "round-1",
    amount: "10.00",
};

/// A bet, what can go wrong with it on the way, and its win.
async fn one_round(tour: &mut Tour, play: &Play) -> Result<(), Interrupt> {
    let request = tour
        .client
        .callback("bet", &bet_body(tour, play, &FIRST_BET));
    let expected = Expected::status(200)
        .field("/replayed", false)
        .field("/funding/cash", "10.00")
        .balance("90.00")
        .events(&["game.round_opened", "wallet.bet_debited"]);
    let first = tour
        .step(
            "A bet of 10.00",
            "The money goes from the player to the house, and is on disk before the answer leaves.",
            request,
            expected,
        )
        .await?;
    tour.record("bet", &first, "/transaction_id");

    let request = tour
        .client
        .callback("bet", &bet_body(tour, play, &FIRST_BET));
    let again = tour
        .step(
            "The same bet again",
            "The game got no answer in time and asks again. It gets the stored answer; nothing moves twice.",
            request,
            Expected::status(200).field("/replayed", true).still("90.00"),
        )
        .await?;
    let repeated = first
        .text
        .replace("\"replayed\":false", "\"replayed\":true");
    tour.screen.checks(&[Check::so(
        again.text == repeated,
        "the answer is the first one to the byte, but for \"replayed\"",
    )])?;

    let other = Amounts {
        amount: "20.00",
        ..FIRST_BET
    };
    tour.step(
        "The same id with another amount",
        "An id stands for one bet for ever. This is a mistake of the game, and it is told so.",
        tour.client.callback("bet", &bet_body(tour, play, &other)),
        Expected::refusal(409, "transaction_mismatch").still("90.00"),
    )
    .await?;

    let body = Body::default()
        .text("transaction_id", &tour.id("win-1"))
        .text("player", &tour.player)
        .text("game", &play.game)
        .text("round", &tour.id("round-1"))
        .text("amount", "25.00")
        .text("currency", CURRENCY)
        .text("bet_transaction_id", &tour.id("bet-1"));
    let expected = Expected::status(200)
        .field("/replayed", false)
        .balance("115.00")
        .events(&["wallet.win_credited"]);
    let answer = tour
        .step(
            "A win of 25.00",
            "A win needs no session: it is paid even if the player has left or was blocked meanwhile.",
            tour.client.callback("win", &body),
            expected,
        )
        .await?;
    tour.record("win", &answer, "/transaction_id");
    Ok(())
}

/// The network turned two messages round.
async fn late_rollback(tour: &mut Tour, play: &Play) -> Result<(), Interrupt> {
    let body = Body::default()
        .text("transaction_id", &tour.id("rollback-1"))
        .text("player", &tour.player)
        .text("target_transaction_id", &tour.id("bet-2"));
    let expected = Expected::status(200)
        .field("/tombstone", true)
        .field("/replayed", false)
        .still("115.00");
    tour.step(
        "The rollback of a bet that never came",
        "The game gave up on a bet whose request is still under way. The wallet sets a tombstone for it.",
        tour.client.callback("rollback", &body),
        expected,
    )
    .await?;
    let late = Amounts {
        id: "bet-2",
        round: "round-2",
        amount: "10.00",
    };
    tour.step(
        "That bet, too late",
        "Now it arrives. The game has given it up already, so it must not take any money.",
        tour.client.callback("bet", &bet_body(tour, play, &late)),
        Expected::refusal(409, "rolled_back").still("115.00"),
    )
    .await?;
    Ok(())
}

async fn bet_and_win_at_once(tour: &mut Tour, play: &Play) -> Result<(), Interrupt> {
    let action = |kind: &str, amount: &str| {
        Body::default()
            .text("type", kind)
            .text("transaction_id", &tour.id(&format!("{kind}-3")))
            .text("amount", amount)
    };
    let body = Body::default()
        .text("player", &tour.player)
        .text("session", &play.session)
        .text("game", &play.game)
        .text("round", &tour.id("round-3"))
        .text("currency", CURRENCY)
        .list("actions", &[action("bet", "5.00"), action("win", "2.00")])
        .flag("round_closed", true);
    let expected = Expected::status(200)
        .field("/replayed", false)
        .field("/transactions/0/type", "bet")
        .field("/transactions/1/type", "win")
        .balance("112.00")
        .events(&[
            "game.round_opened",
            "wallet.bet_debited",
            "wallet.win_credited",
            "game.round_closed",
        ]);
    let answer = tour
        .step(
            "A whole round in one call",
            "A bet of 5.00 and a win of 2.00, all or nothing; the round is closed at once.",
            tour.client.callback("bet_win", &body),
            expected,
        )
        .await?;
    tour.record("bet", &answer, "/transactions/0/transaction_id");
    tour.record("win", &answer, "/transactions/1/transaction_id");
    Ok(())
}

async fn refusals(tour: &mut Tour, play: &Play) -> Result<(), Interrupt> {
    let forged = Amounts {
        id: "bet-4",
        round: "round-4",
        amount: "1.00",
    };
    let mut request = tour.client.callback("bet", &bet_body(tour, play, &forged));
    request.proof = Proof::Forgery;
    tour.step(
        "A request that somebody else signed",
        "The signature covers time, path and body, and is verified before anything is read.",
        request,
        Expected::refusal(401, "bad_signature").still("112.00"),
    )
    .await?;
    let greedy = Amounts {
        id: "bet-5",
        round: "round-5",
        amount: "1000.00",
    };
    let expected = Expected::refusal(402, "insufficient_funds")
        .field("/balance/total", "112.00")
        .still("112.00");
    tour.step(
        "A bet beyond the balance",
        "Refused, with the balance that is there, so that the game can show it.",
        tour.client.callback("bet", &bet_body(tour, play, &greedy)),
        expected,
    )
    .await?;
    Ok(())
}

async fn close(tour: &mut Tour, play: &Play) -> Result<(), Interrupt> {
    let round = tour.id("round-1");
    let body = Body::default()
        .text("player", &tour.player)
        .text("game", &play.game)
        .text("round", &round);
    let expected = Expected::status(200)
        .field("/provider_transaction_id", round)
        .balance("112.00")
        .events(&["game.round_closed"]);
    let answer = tour
        .step(
            "The first round ends",
            "After this no bet may join it.",
            tour.client.callback("close_round", &body),
            expected,
        )
        .await?;
    tour.record("close_round", &answer, "/transaction_id");
    Ok(())
}
