//! What reports and searches tell, against what the ledger says row by row.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod play;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use common::Database;
use futures_util::TryStreamExt;
use pitboss_schema::{
    Found, RoundKeyRow, RoundSearch, Store, StoreOptions, TransactionRow, TransactionSearch,
    reports::{By, Period, ReportLimits, Reports, RevenueRow, Wanted},
};
use pitboss_wallet::{
    Command, Currency, Kind, PlayerId, ProviderId, RoundState, Timestamp, TransactionState,
};
use play::{
    Player, eur, game,
    history::{lenient, of_alice_and_bob},
    now,
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

/// Numbers that can be had again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// Some play of any kind, over two days by the clock of [`DAYS`], a few minutes each.
async fn random_play(player: &mut Player, dice: &mut Dice, steps: u64) {
    for step in 0..steps {
        player.at = player
            .at
            .plus_seconds(i64::try_from(dice.below(5)).unwrap());
        let round = format!("x-{}", dice.below(1 + step / 6));
        let id = format!("t-{step}");
        let target = format!("t-{}", dice.below(step + 1));
        let units = i64::try_from(dice.below(60)).unwrap();
        let command: Command = match dice.below(10) {
            0..4 => player.bet_in(&id, &round, units),
            4..6 => player.win_in(&id, &round, units * 2, dice.below(4) == 0),
            6 => player.win_in(&id, &round, 0, false),
            7 => player.rollback_of(&id, &target, None),
            8 => player.rollback_of(&id, &target, Some(units / 3)),
            _ => player.void_of(&id, &round),
        };
        player.attempt(&command).await;
    }
}

/// Midnight comes three minutes and twenty seconds after [`now`].
const OFFSET_MIN: i32 = -(7 * 60 + 10);

async fn all(
    store: &Store,
    search: &TransactionSearch,
    limit: usize,
    scan: usize,
) -> Vec<TransactionRow> {
    let mut rows = Vec::new();
    let mut before = None;
    loop {
        let page = store.search_transactions(search, before, limit, scan).await;
        let Found { rows: page, next } = page.unwrap();
        assert!(page.len() <= limit);
        rows.extend(page);
        let Some(next) = next else { return rows };
        assert!(before.is_none_or(|before| next < before), "no way on");
        before = Some(next);
    }
}

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
        if row.kind == Kind::Deposit || row.state != TransactionState::Applied {
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

async fn played(name: &str, seed: u64) -> (Database, Vec<Player>) {
    let database = Database::new(name).await;
    let (alice, bob) = of_alice_and_bob(&database.store).await;
    let scope = pitboss_wallet::TransactionScope::Player;
    let mut carol = Player::seated(&database.store, "carol", lenient(scope)).await;
    random_play(&mut carol, &mut Dice(seed), 220).await;
    (database, vec![alice, bob, carol])
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
        let fine = revenue(store, &everything(), by).await;
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

async fn all_rounds(store: &Store) -> Vec<pitboss_schema::RoundRow> {
    let mut rows = Vec::new();
    let mut before = None;
    loop {
        let page = store
            .search_rounds(&RoundSearch::default(), before, 5, 20)
            .await;
        let Found { rows: page, next } = page.unwrap();
        rows.extend(page);
        if next.is_none() {
            return rows;
        }
        before = next;
    }
}

#[tokio::test]
async fn the_theoretical_return_is_weighed_by_the_bets_in_integers() {
    let (database, _players) = played("theoretical", 5).await;
    let client = database.client().await;
    client
        .batch_execute(
            "INSERT INTO provider (id, dialect, name, policy, secrets, enabled) VALUES ('demo', 'native', 'x', '{}', '{}', true);
             INSERT INTO game (id, provider_id, name, category, rtp, enabled) VALUES ('dice', 'demo', 'x', 'x', '97.3', true)",
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
async fn every_search_finds_what_a_look_at_all_finds() {
    let (database, players) = played("search", 31).await;
    let store = &database.store;
    let client = database.client().await;
    let rows = all(store, &TransactionSearch::default(), 1_000, 1_000).await;
    let there: i64 = client
        .query_one("SELECT count(*) FROM ledger", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(i64::try_from(rows.len()).unwrap(), there);
    assert!(rows.windows(2).all(|pair| pair[0].id > pair[1].id));
    let demo = ProviderId::new("demo").unwrap();
    let middle = rows[rows.len() / 2].created_at;
    let usd = Currency::from_code("USD").unwrap();
    let none = TransactionSearch::default;
    let searches = [
        TransactionSearch {
            provider: Some(demo.clone()),
            ..none()
        },
        TransactionSearch {
            provider: Some(ProviderId::new("nobody").unwrap()),
            ..none()
        },
        TransactionSearch {
            game: Some(game()),
            kind: Some(Kind::Win),
            ..none()
        },
        TransactionSearch {
            kind: Some(Kind::VoidRound),
            ..none()
        },
        TransactionSearch {
            state: Some(TransactionState::Tombstone),
            ..none()
        },
        TransactionSearch {
            currency: Some(usd),
            ..none()
        },
        TransactionSearch {
            currency: Some(eur()),
            least: Some(20),
            most: Some(45),
            ..none()
        },
        TransactionSearch {
            from: Some(middle),
            ..none()
        },
        TransactionSearch {
            to: Some(middle),
            ..none()
        },
        TransactionSearch {
            from: Some(middle),
            to: Some(middle.plus_seconds(60)),
            kind: Some(Kind::Bet),
            ..none()
        },
    ];
    for search in searches {
        let expected: Vec<_> = rows
            .iter()
            .filter(|row| search.has(row))
            .map(|row| row.id)
            .collect();
        for (limit, scan) in [(3, 3), (2, 40), (1_000, 1_000)] {
            let found = all(store, &search, limit, scan).await;
            let found: Vec<_> = found.iter().map(|row| row.id).collect();
            assert_eq!(found, expected, "{search:?} {limit} {scan}");
        }
        for player in &players {
            let id = &player.state.id;
            let expected: Vec<_> = rows
                .iter()
                .filter(|row| row.player == *id && search.has(row))
                .map(|row| row.number)
                .collect();
            let mut found = Vec::new();
            let mut before = None;
            loop {
                let page = store
                    .search_player(id, &search, before, 2, 5)
                    .await
                    .unwrap()
                    .unwrap();
                found.extend(page.rows.iter().map(|row| row.number));
                before = page.next;
                if before.is_none() {
                    break;
                }
            }
            assert_eq!(found, expected, "{id} {search:?}");
        }
    }
    let nobody = PlayerId::new("nobody").unwrap();
    assert_eq!(
        store
            .search_player(&nobody, &none(), None, 5, 5)
            .await
            .unwrap(),
        None
    );
    for row in &rows {
        assert_eq!(store.transaction(row.id).await.unwrap().as_ref(), Some(row));
        let by_key = store
            .transactions_by_key(
                &row.provider,
                &row.external_id,
                Some(&row.player),
                Some(row.kind),
            )
            .await;
        assert_eq!(by_key.unwrap(), std::slice::from_ref(row));
    }
    // Bob's ids belong to the whole provider account, alice's do not.
    let find = async |id: &str| {
        let id = play::external(id);
        store
            .transactions_by_key(&demo, &id, None, None)
            .await
            .unwrap()
            .len()
    };
    assert_eq!((find("bob b-1").await, find("alice b-1").await), (1, 0));
}

#[tokio::test]
async fn a_round_shows_all_that_happened_in_it() {
    let (database, players) = played("rounds_of_all", 12).await;
    let store = &database.store;
    let rows = all(store, &TransactionSearch::default(), 1_000, 1_000).await;
    let rounds = all_rounds(store).await;
    let client = database.client().await;
    let there: i64 = client
        .query_one("SELECT count(*) FROM round", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(i64::try_from(rounds.len()).unwrap(), there);
    let mut states = BTreeSet::new();
    for round in &rounds {
        states.insert(round.state.as_str());
        let key = RoundKeyRow {
            player: round.player.clone(),
            provider: round.provider.clone(),
            scope: round.scope.clone(),
            round: round.round.clone(),
        };
        assert_eq!(store.round(&key).await.unwrap().as_ref(), Some(round));
        let found = store
            .round_transactions(&key, i64::MAX, 1_000)
            .await
            .unwrap();
        let expected: Vec<_> = rows
            .iter()
            .filter(|row| row.player == key.player && row.round.as_ref() == Some(&key.round))
            // What found its target taken back by a void is in no round's books.
            .filter(|row| row.kind != Kind::Rollback || row.reverses.is_some())
            // Nor is a second void.
            .filter(|row| row.kind != Kind::VoidRound || Some(row.created_at) == round.closed_at)
            .cloned()
            .collect();
        assert_eq!(found, expected, "{key:?}");
        let mut paged = Vec::new();
        while let Some(last) = Some(
            paged
                .last()
                .map_or(i64::MAX, |row: &TransactionRow| row.number),
        ) {
            let page = store.round_transactions(&key, last, 2).await.unwrap();
            if page.is_empty() {
                break;
            }
            paged.extend(page);
        }
        assert_eq!(paged, found);
    }
    assert_eq!(states, BTreeSet::from(["closed", "open", "voided"]));
    for player in &players {
        for state in [
            None,
            Some(RoundState::Open),
            Some(RoundState::Closed),
            Some(RoundState::Voided),
        ] {
            let search = RoundSearch {
                state,
                ..RoundSearch::default()
            };
            let mut found = Vec::new();
            let mut before = None;
            loop {
                let page = store
                    .search_player_rounds(&player.state.id, &search, before, 2, 6)
                    .await;
                let page = page.unwrap().unwrap();
                found.extend(page.rows);
                before = page.next;
                if before.is_none() {
                    break;
                }
            }
            let expected: Vec<_> = rounds
                .iter()
                .filter(|round| {
                    round.player == player.state.id
                        && state.is_none_or(|state| round.state == state)
                })
                .cloned()
                .collect();
            assert_eq!(found, expected);
        }
    }
    // Open ones, oldest first.
    let late = now().plus_seconds(86_400);
    let open = store
        .unfinished_rounds(late, None, None, None, 1_000)
        .await
        .unwrap();
    let held: i128 = open
        .iter()
        .filter(|round| round.currency == eur())
        .map(|round| i128::from(round.stake))
        .sum();
    assert!(open.iter().all(|round| round.state.is_open()));
    assert_eq!(
        open.len(),
        rounds.iter().filter(|round| round.state.is_open()).count()
    );
    assert!(
        open.windows(2)
            .all(|pair| pair[0].opened_at <= pair[1].opened_at)
    );
    for (at, age) in [
        (60, "under_1h"),
        (7_200, "under_24h"),
        (90_000, "under_7d"),
        (800_000, "older"),
    ] {
        let ages = store
            .unfinished_ages(now().plus_seconds(at), None, Some(eur()))
            .await
            .unwrap();
        let sum: i128 = ages.iter().map(|line| line.held).sum();
        assert_eq!(sum, held);
        assert!(ages.iter().any(|line| line.age == age), "{ages:?}");
    }
}

#[tokio::test]
async fn an_event_is_found_by_its_transaction_while_it_is_kept() {
    let (database, players) = played("its_events", 3).await;
    let store = &database.store;
    let rows = all(store, &TransactionSearch::default(), 1_000, 1_000).await;
    let told: BTreeMap<String, i64> = {
        let client = database.client().await;
        let sql = "SELECT body::json ->> 'transaction', count(*) FROM event WHERE body::json ->> 'transaction' IS NOT NULL GROUP BY 1";
        let counted = client.query(sql, &[]).await.unwrap();
        counted.iter().map(|row| (row.get(0), row.get(1))).collect()
    };
    assert!(players.len() == 3 && told.len() > 50);
    for row in &rows {
        let events = store
            .transaction_events(&row.player, row.id, row.created_at)
            .await
            .unwrap();
        let expected = told.get(&row.id.to_string()).copied().unwrap_or(0);
        // Alice and bob live in one moment: of that so many decisions are looked through, which is all of theirs.
        assert_eq!(i64::try_from(events.len()).unwrap(), expected, "{row:?}");
    }
    database
        .client()
        .await
        .batch_execute("DELETE FROM outbox")
        .await
        .unwrap();
    let gone = store
        .transaction_events(&rows[0].player, rows[0].id, rows[0].created_at)
        .await;
    assert_eq!(gone.unwrap(), []);
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
