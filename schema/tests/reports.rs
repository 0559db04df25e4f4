//! What reports and searches tell, against what the ledger says row by row.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod play;

use std::{collections::BTreeMap, time::Duration};

use common::Database;
use futures_util::TryStreamExt;
use pitboss_schema::{
    Store, StoreOptions, TransactionRow, TransactionSearch,
    reports::{By, Period, ReportLimits, Reports, RevenueRow, Wanted},
};
use pitboss_wallet::{Kind, Timestamp, TransactionState};
use play::{
    Player, eur, game, now,
    random::{all, all_rounds, played},
};

fn reports(store: &Store, concurrent: usize) -> Reports {
    let limits = ReportLimits {
        concurrent,
        timeout: Duration::from_secs(120),
        work_mem_mb: 4,
    };
    Reports::new(store.clone(), limits)
}

fn everything() -> Period {
    Period {
        from: now().plus_seconds(-86_400),
        to: now().plus_seconds(86_400),
        test_players: false,
        provider: None,
        game: None,
        currency: None,
    }
}

async fn revenue(store: &Store, period: &Period, by: By) -> Vec<RevenueRow> {
    let report = reports(store, 1).begin().await.unwrap().unwrap();
    report.revenue(period, by).try_collect().await.unwrap()
}

/// Midnight comes three minutes and twenty seconds after [`now`].
const OFFSET_MIN: i32 = -(7 * 60 + 10);

/// The sums of a line, by what a person would write beside each transaction.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sums {
    counts: [i64; 4],
    stake: i128,
    won: i128,
    stake_back: i128,
    won_back: i128,
}

fn by_hand<K: Ord>(
    rows: &[TransactionRow],
    key: impl Fn(&TransactionRow) -> K,
) -> BTreeMap<K, Sums> {
    let kinds: BTreeMap<_, _> = rows.iter().map(|row| (row.id, row.kind)).collect();
    let mut lines: BTreeMap<K, Sums> = BTreeMap::new();
    for row in rows {
        let Some(amount) = row.amount else { continue };
        // Adjustments are summed apart.
        if !row.kind.is_of_play() || row.state != TransactionState::Applied {
            continue;
        }
        let line = lines.entry(key(row)).or_default();
        let units = i128::from(amount.units);
        match row.kind {
            Kind::Bet => {
                line.counts[0] += 1;
                line.stake += units;
            }
            Kind::Win => {
                line.counts[1] += 1;
                line.won += units;
            }
            Kind::Rollback => {
                line.counts[2] += 1;
                match row.reverses.map(|target| kinds[&target]) {
                    Some(Kind::Bet) => line.stake_back += units,
                    Some(Kind::Win) => line.won_back += units,
                    // It found its target taken back.
                    _ => assert_eq!(units, 0),
                }
            }
            Kind::VoidRound => {
                line.counts[3] += 1;
                let own = row
                    .postings
                    .iter()
                    .filter(|leg| leg.balance_after.is_some());
                let moved: i128 = own.map(|leg| i128::from(leg.units)).sum();
                // Its amount is the stakes that went back; the rest are wins that were taken.
                line.stake_back += units;
                line.won_back += units - moved;
            }
            _ => panic!("{row:?}"),
        }
    }
    lines
}

fn sums(row: &RevenueRow) -> Sums {
    assert_eq!((row.stake_bonus, row.won_bonus, row.bonus_cost), (0, 0, 0));
    // What was given by hand was taken by hand.
    assert_eq!(
        (row.stake_back_bonus, row.won_back_bonus, row.adjustments),
        (0, 0, 0)
    );
    Sums {
        counts: [row.bets, row.wins, row.rollbacks, row.voids],
        stake: row.stake_cash,
        won: row.won_cash,
        stake_back: row.stake_back_cash,
        won_back: row.won_back_cash,
    }
}

fn day(at: Timestamp) -> &'static str {
    let shifted = at.plus_seconds(i64::from(OFFSET_MIN) * 60).to_string();
    match &shifted[..10] {
        "2096-10-01" => "2096-10-01",
        "2096-10-02" => "2096-10-02",
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn revenue_is_what_the_transactions_add_up_to() {
    for seed in [1, 77, 4_294_967_311] {
        let (database, _players) = played(&format!("revenue_{seed}"), seed).await;
        let store = &database.store;
        let rows = all(store, &TransactionSearch::default(), 7, 50).await;
        let plain = revenue(store, &everything(), By::default()).await;
        let lines = by_hand(&rows, |row| row.amount.unwrap().currency.code());
        let found: BTreeMap<_, _> = plain
            .iter()
            .map(|row| (row.currency.code(), sums(row)))
            .collect();
        assert_eq!(found, lines, "seed {seed}");
        // Of the whole time: what rounds keep is what the house won.
        let rounds = all_rounds(store).await;
        for row in &plain {
            let of_currency = rounds.iter().filter(|round| round.currency == row.currency);
            let kept: i128 = of_currency
                .clone()
                .map(|round| i128::from(round.stake) - i128::from(round.won))
                .sum();
            let ggr = row.stake_cash - row.stake_back_cash - row.won_cash + row.won_back_cash;
            assert_eq!(ggr, kept, "seed {seed}");
            assert_eq!(row.rounds, i64::try_from(of_currency.count()).unwrap());
        }
        let eur_line = plain.iter().find(|row| row.currency == eur()).unwrap();
        assert_eq!(eur_line.players, 3);
        assert!(eur_line.voids > 0 && eur_line.won_back_cash > 0 && eur_line.stake_back_cash > 0);

        let by = By {
            provider: true,
            game: true,
            day: true,
            offset_min: OFFSET_MIN,
            ..By::default()
        };
        let mut fine = revenue(store, &everything(), by).await;
        // An adjustment is of no game.
        fine.retain(|row| row.game.is_some());
        let lines = by_hand(&rows, |row| {
            (
                day(row.created_at).to_owned(),
                row.amount.unwrap().currency.code(),
            )
        });
        let found: BTreeMap<_, _> = fine
            .iter()
            .map(|row| ((row.day.clone().unwrap(), row.currency.code()), sums(row)))
            .collect();
        assert_eq!(found, lines, "seed {seed}");
        assert!(
            found.keys().any(|(day, _)| day == "2096-10-02"),
            "{found:?}"
        );
        assert!(
            fine.iter()
                .all(|row| row.game == Some(game()) && row.provider.is_some())
        );

        // A part of the time is the transactions of that time, to the microsecond.
        let middle = rows[rows.len() / 2].created_at;
        for (from, to) in [(now(), middle), (middle, now().plus_seconds(86_400))] {
            let period = Period {
                from,
                to,
                ..everything()
            };
            let of_time: Vec<_> = rows
                .iter()
                .filter(|row| row.created_at >= from && row.created_at < to)
                .collect();
            let found = revenue(store, &period, By::default()).await;
            let bets: i64 = found.iter().map(|row| row.bets).sum();
            let expected = of_time
                .iter()
                .filter(|row| row.kind == Kind::Bet && row.state == TransactionState::Applied);
            assert_eq!(bets, i64::try_from(expected.count()).unwrap());
        }
        let players = revenue(
            store,
            &everything(),
            By {
                player: true,
                ..By::default()
            },
        )
        .await;
        let lines = by_hand(&rows, |row| {
            (row.player.clone(), row.amount.unwrap().currency.code())
        });
        let found: BTreeMap<_, _> = players
            .iter()
            .map(|row| {
                (
                    (row.player.clone().unwrap(), row.currency.code()),
                    sums(row),
                )
            })
            .collect();
        assert_eq!(found, lines, "seed {seed}");
    }
}

#[tokio::test]
async fn the_theoretical_return_is_weighed_by_the_bets_in_integers() {
    let (database, _players) = played("theoretical", 5).await;
    let client = database.client().await;
    client
        .batch_execute(
            "INSERT INTO provider (id, dialect, name, policy, secret) VALUES ('demo', 'native', 'x', '{}', '\\x00');
             INSERT INTO game (id, provider_id, name, category, rtp, enabled) VALUES ('dice', 'demo', 'x', 'dice', '97.3', true)",
        )
        .await
        .unwrap();
    let rows = revenue(&database.store, &everything(), By::default()).await;
    let line = rows.iter().find(|row| row.currency == eur()).unwrap();
    assert_eq!(line.stake_with_rtp, line.stake_cash);
    assert_eq!(line.stake_times_rtp, line.stake_cash * 97_300_000);
    // What is no number is not known.
    client
        .batch_execute("UPDATE game SET rtp = '97,3 %'")
        .await
        .unwrap();
    let rows = revenue(&database.store, &everything(), By::default()).await;
    assert!(rows.iter().all(|row| row.stake_with_rtp == 0));
}

#[tokio::test]
async fn liability_is_the_sum_of_the_wallets_now_and_then() {
    let (database, mut players) = played("liability", 9).await;
    let store = &database.store;
    let liability = async |at| {
        let report = reports(store, 1).begin().await.unwrap().unwrap();
        let rows: Vec<_> = report.liability(at, false).try_collect().await.unwrap();
        let line = rows.into_iter().find(|row| row.currency == eur()).unwrap();
        (line.cash, line.receivable, line.rounds)
    };
    let of_wallets = |players: &[Player]| {
        let wallets = players
            .iter()
            .map(|player| player.state.wallet(eur()).unwrap());
        wallets.fold((0, 0, 0), |(cash, owed, held), wallet| {
            (
                cash + i128::from(wallet.cash),
                owed + i128::from(wallet.receivable),
                held + i128::from(wallet.held),
            )
        })
    };
    let (cash, owed, held) = of_wallets(&players);
    assert_eq!(liability(None).await, (cash, owed, Some(held)));
    assert!(owed < 0 && held > 0);
    // Of a moment before some more play.
    let carol = players.last_mut().unwrap();
    let then = carol.at.plus_seconds(1);
    carol.at = then;
    for step in 0..20 {
        carol
            .attempt(&carol.bet_in(&format!("later-{step}"), "later", 3))
            .await;
    }
    assert_eq!(liability(Some(then)).await, (cash, owed, None));
    let (cash_now, ..) = of_wallets(&players);
    assert_ne!(cash, cash_now);
    assert_eq!(liability(None).await.0, cash_now);
}

#[tokio::test]
async fn test_players_count_only_where_they_are_asked_for() {
    let (database, players) = played("test_players", 8).await;
    let client = database.client().await;
    client
        .batch_execute(
            "CREATE OR REPLACE VIEW test_player AS SELECT id FROM player WHERE id = 'carol'",
        )
        .await
        .unwrap();
    let store = &database.store;
    let without = revenue(
        store,
        &everything(),
        By {
            player: true,
            ..By::default()
        },
    )
    .await;
    assert!(
        without
            .iter()
            .all(|row| row.player.as_ref().unwrap().as_str() != "carol")
    );
    let with = Period {
        test_players: true,
        ..everything()
    };
    let with = revenue(
        store,
        &with,
        By {
            player: true,
            ..By::default()
        },
    )
    .await;
    assert_eq!(with.len(), without.len() + 1);
    let cash = async |tests| {
        let report = reports(store, 1).begin().await.unwrap().unwrap();
        let rows: Vec<_> = report.liability(None, tests).try_collect().await.unwrap();
        rows.iter().find(|row| row.currency == eur()).unwrap().cash
    };
    let carol = players[2].state.wallet(eur()).unwrap().cash;
    assert_eq!(cash(true).await - cash(false).await, i128::from(carol));
    let listed = async |test_players| {
        let report = reports(store, 1).begin().await.unwrap().unwrap();
        let period = Period {
            test_players,
            ..everything()
        };
        let rows: Vec<_> = report
            .transactions(&period, &Wanted::default())
            .try_collect()
            .await
            .unwrap();
        assert!(rows.windows(2).all(|pair| pair[0].id < pair[1].id));
        rows.len()
    };
    let carols = usize::try_from(players[2].state.last_transaction).unwrap();
    assert_eq!(listed(true).await - listed(false).await, carols);
}

#[tokio::test]
async fn reports_are_few_at_once_and_one_that_nobody_waits_for_is_cancelled() {
    let options = StoreOptions {
        application_name: "cancelled".to_owned(),
        ..StoreOptions::default()
    };
    let database = Database::with("few_reports", options).await;
    let client = database.client().await;
    // Whoever asks who is a test player waits for ever.
    client
        .batch_execute("DROP VIEW test_player; CREATE VIEW test_player AS SELECT ''::text AS id WHERE (SELECT pg_sleep(3600))::text IS NULL; \
                        INSERT INTO player (id, lane) VALUES ('p', 0); INSERT INTO balance VALUES ('p', 'EUR', 'CASH', 1)")
        .await
        .unwrap();
    let reports = reports(&database.store, 1);
    let report = reports.begin().await.unwrap().unwrap();
    assert_eq!(reports.running(), 1);
    assert!(reports.begin().await.unwrap().is_none());
    let asking = tokio::spawn(report.liability(None, false).try_collect::<Vec<_>>());
    let active = async || {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'cancelled report' AND state = 'active' AND wait_event = 'PgSleep'";
        client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0)
    };
    let until = async |wanted: i64| {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
        while active().await != wanted {
            assert!(tokio::time::Instant::now() < deadline, "in vain: {wanted}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    until(1).await;
    asking.abort();
    until(0).await;
    assert_eq!(reports.running(), 0);
    assert!(reports.begin().await.unwrap().is_some());
}
