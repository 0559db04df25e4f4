//! Does it all add up? The callbacks, the WebSocket, NATS and the ledger must tell one story.

use std::{collections::HashSet, time::Duration};

use serde_json::Value;

use super::{
    event::Event,
    screen::Check,
    tour::{BUS_PATIENCE, Expected, Interrupt, Tour},
};

/// Time for what should not come.
const AFTERMATH: Duration = Duration::from_millis(300);

pub(super) async fn prove(tour: &mut Tour) -> Result<(), Interrupt> {
    let now = tour
        .step(
            "What is the balance now?",
            "100.00 - 10.00 + 25.00 - 5.00 + 2.00.",
            tour.balance_request(),
            Expected::status(200).balance("112.00"),
        )
        .await?;
    let path = format!("/v1/transactions?player={}", tour.player);
    let listed = tour
        .step(
            "What does the ledger say?",
            "Each call that moved money is there once, under the id that was answered to it.",
            tour.client.get(&path),
            Expected::status(200),
        )
        .await?;
    let rows = listed.json["data"].as_array().cloned().unwrap_or_default();
    let lines: Vec<String> = rows.iter().rev().map(row_line).collect();
    tour.screen.heard("Ledger", &lines)?;
    tour.screen.checks(&in_ledger(&tour.recorded, &rows))?;

    let Some(stream) = &mut tour.stream else {
        return Ok(());
    };
    stream.inbox.pause(AFTERMATH).await;
    let shown = &stream.inbox.events;
    let wanted: HashSet<&str> = shown.iter().map(|event| event.id.as_str()).collect();
    let complete = |events: &[Event]| {
        let found: HashSet<&str> = events.iter().map(|event| event.id.as_str()).collect();
        wanted.is_subset(&found)
    };
    if tour.bus.inbox.until(BUS_PATIENCE, complete).await {
        tour.bus.inbox.pause(AFTERMATH).await;
    }
    let delivered = &tour.bus.inbox.events;

    tour.screen.section(
        "The WebSocket, from the snapshot to the end",
        "What the player saw, against what the wallet answered.",
    )?;
    let balance = now.text_at("/balance/total").unwrap_or("missing");
    let mut checks = on_stream(shown, stream.snapshot_seq, &tour.script, balance);
    checks.extend(untroubled(&stream.inbox.troubles));
    tour.screen.checks(&checks)?;

    tour.screen.section(
        "NATS, against the WebSocket",
        "Everything at least once, in order within wallet.* and within game.*; a listener drops repeats by \
         event id.",
    )?;
    let mut checks = on_bus(shown, delivered, stream.snapshot_seq);
    checks.extend(untroubled(&tour.bus.inbox.troubles));
    tour.screen.checks(&checks)?;
    Ok(())
}

fn untroubled(troubles: &[String]) -> impl Iterator<Item = Check> {
    troubles.iter().map(|trouble| Check::new(false, trouble))
}

/// A row of the list: what happened, how much, and the balance after it.
fn row_line(row: &Value) -> String {
    let text = |name: &str| row[name].as_str().unwrap_or("-");
    let number = row["number"].as_i64().unwrap_or_default();
    let balance = row["balance"]["total"].as_str().unwrap_or("-");
    format!(
        "#{number:<2} {:<12} {:<10} {:>8}   balance {balance:>8}   {}",
        text("kind"),
        text("state"),
        text("amount"),
        text("provider_transaction_id"),
    )
}

/// `recorded` is what was answered: what it is, and our id of it.
fn in_ledger(recorded: &[(&'static str, String)], rows: &[Value]) -> Vec<Check> {
    let times = |id: &str| {
        rows.iter()
            .filter(|row| row["transaction_id"] == id)
            .count()
    };
    let mut checks: Vec<Check> = recorded
        .iter()
        .map(|(what, id)| match times(id) {
            1 => Check::new(true, format!("{what} once")),
            times => Check::new(false, format!("{what} {id} is there {times} times")),
        })
        .collect();
    // A rollback without a target and its tombstones have no amount: they only hold their ids.
    let moved = rows.iter().filter(|row| row["amount"].is_string()).count();
    let (moved, wanted) = (moved.to_string(), recorded.len().to_string());
    checks.push(match moved == wanted {
        true => Check::new(true, "and nothing else"),
        false => Check::equal("the number of rows with an amount", &moved, &wanted),
    });
    checks
}

/// The player's view: `script` is what should have come, `balance` what the wallet says in the end.
fn on_stream(shown: &[Event], snapshot_seq: i64, script: &[&str], balance: &str) -> Vec<Check> {
    let seqs: Vec<i64> = shown.iter().map(|event| event.seq).collect();
    let contiguous = (snapshot_seq + 1..)
        .take(seqs.len())
        .eq(seqs.iter().copied());
    let kinds: Vec<&str> = shown.iter().map(|event| event.kind.as_str()).collect();
    let last = shown.iter().rev().find_map(Event::balance);
    vec![
        match (contiguous, seqs.as_slice()) {
            (true, [first, .., last]) => {
                Check::new(true, format!("seq {first} to {last}: no gap, no repeat"))
            }
            _ => Check::new(
                false,
                format!("seq after {snapshot_seq} has no gap and no repeat: {seqs:?}"),
            ),
        },
        match kinds == script {
            true => Check::new(true, format!("exactly the {} events expected", kinds.len())),
            false => Check::equal("the events", &kinds.join(", "), &script.join(", ")),
        },
        Check::equal("last balance", last.unwrap_or("missing"), balance),
    ]
}

/// NATS began to listen before the player existed, so it has also what came before the snapshot.
fn on_bus(shown: &[Event], delivered: &[Event], snapshot_seq: i64) -> Vec<Check> {
    let mut seen = HashSet::new();
    let once: Vec<&Event> = delivered
        .iter()
        .filter(|event| seen.insert(event.id.as_str()))
        .collect();
    let mut checks: Vec<Check> = ["wallet", "game"]
        .iter()
        .map(|family| {
            let wanted: Vec<&str> = shown
                .iter()
                .filter(|event| event.family() == *family)
                .map(|event| event.id.as_str())
                .collect();
            let found: Vec<&str> = once
                .iter()
                .filter(|event| event.family() == *family && event.seq > snapshot_seq)
                .map(|event| event.id.as_str())
                .collect();
            match wanted == found {
                true => Check::new(
                    true,
                    format!("{family}.*: the same {} ids in the same order", found.len()),
                ),
                false => Check::equal(
                    &format!("{family}.*"),
                    &format!("{found:?}"),
                    &format!("{wanted:?}"),
                ),
            }
        })
        .collect();
    let before: HashSet<i64> = once.iter().map(|event| event.seq).collect();
    checks.push(Check::so(
        (1..=snapshot_seq).all(|seq| before.contains(&seq)),
        "and what came before the snapshot",
    ));
    let envelopes: HashSet<&str> = once.iter().map(|event| event.envelope.as_str()).collect();
    checks.push(Check::so(
        shown
            .iter()
            .all(|event| envelopes.contains(event.envelope.as_str())),
        "all equal to the byte",
    ));
    checks
}

#[cfg(test)]
mod tests {
    use super::{super::event::event, *};

    fn story() -> Vec<Event> {
        vec![
            event("wallet.deposit_completed", 2, Some("100.00")),
            event("game.launched", 3, None),
            event("wallet.bet_debited", 4, Some("90.00")),
        ]
    }

    const SCRIPT: [&str; 3] = [
        "wallet.deposit_completed",
        "game.launched",
        "wallet.bet_debited",
    ];

    fn met(checks: &[Check]) -> bool {
        checks.iter().all(|check| check.met)
    }

    #[test]
    fn a_gap_a_repeat_or_another_balance_on_the_stream_is_seen() {
        assert!(met(&on_stream(&story(), 1, &SCRIPT, "90.00")));
        assert!(!met(&on_stream(&story(), 1, &SCRIPT, "80.00")));
        assert!(!met(&on_stream(&story(), 0, &SCRIPT, "90.00")));
        let mut gap = story();
        gap.remove(1);
        assert!(!on_stream(&gap, 1, &SCRIPT, "90.00")[0].met);
        let mut repeat = story();
        repeat.push(repeat[2].clone());
        assert!(!on_stream(&repeat, 1, &SCRIPT, "90.00")[0].met);
        assert!(!met(&on_stream(&[], 1, &[], "0.00")));
    }

    #[test]
    fn the_bus_may_repeat_and_mix_families_but_not_lose_or_disorder() {
        let opened = event("wallet.account_opened", 1, Some("0.00"));
        let [deposit, launched, bet] = story().try_into().unwrap();
        let good = [&opened, &deposit, &bet, &deposit, &launched, &bet].map(Event::clone);
        assert!(met(&on_bus(&story(), &good, 1)));
        let disordered = [&opened, &bet, &deposit, &launched].map(Event::clone);
        assert!(!met(&on_bus(&story(), &disordered, 1)));
        let lost = [&opened, &deposit, &launched].map(Event::clone);
        assert!(!met(&on_bus(&story(), &lost, 1)));
        let late = [&deposit, &launched, &bet].map(Event::clone);
        assert!(!met(&on_bus(&story(), &late, 1)));
        let mut altered = good;
        altered[4].envelope.push(' ');
        assert!(!met(&on_bus(&story(), &altered, 1)));
    }

    #[test]
    fn a_transaction_that_is_missing_or_twice_in_the_list_is_seen() {
        let wanted = [("bet", "tx_1".to_owned()), ("win", "tx_2".to_owned())];
        let rows = |ids: &[&str]| {
            let row = |id| serde_json::json!({"transaction_id": id, "amount": "1.00"});
            ids.iter().map(row).collect::<Vec<_>>()
        };
        let mut listed = rows(&["tx_2", "tx_1"]);
        listed.push(serde_json::json!({"transaction_id": "tx_3", "amount": null}));
        assert!(met(&in_ledger(&wanted, &listed)));
        assert!(!met(&in_ledger(&wanted, &rows(&["tx_1"]))));
        assert!(!met(&in_ledger(&wanted, &rows(&["tx_1", "tx_2", "tx_1"]))));
        assert!(!met(&in_ledger(&wanted, &rows(&["tx_1", "tx_2", "tx_4"]))));
    }
}
