//! What is bet, by whom and when: pure.
//!
//! Everything that the audit must know again follows from a bet's number: its id and its amount. So a run
//! keeps eight bytes per bet, however long its ids are.

use std::{io::Write, time::Duration};

use pitboss_wallet::{Currency, Money};

use crate::random::{Random, mix};

/// The smallest bet, in ledger units: one cent.
const MIN_UNITS: u64 = 10_000;
/// The largest bet: one major unit. Between them every millionth occurs, because providers bet fractions of
/// a cent.
const MAX_UNITS: u64 = 1_000_000;

/// Ids and amounts of one run.
#[derive(Debug, Clone)]
pub struct Run {
    /// Begins every id of the run, and no id of another run.
    pub prefix: String,
    seed: u64,
}

impl Run {
    pub fn new(started_unix_ms: u64, seed: u64) -> Self {
        Self {
            prefix: format!("lt-{started_unix_ms:x}-"),
            seed,
        }
    }

    pub fn append_id(&self, number: u32, out: &mut Vec<u8>) {
        out.extend_from_slice(self.prefix.as_bytes());
        // Writing to a Vec cannot fail.
        let _ = write!(out, "{number}");
    }

    /// The number of a bet of this run. Only the very text that [`Run::append_id`] writes is one: `007` and
    /// `7` must not count as the same bet.
    pub fn number(&self, id: &str) -> Option<u32> {
        let digits = id.strip_prefix(&self.prefix)?;
        let number: u32 = digits.parse().ok()?;
        (number.to_string() == digits).then_some(number)
    }

    /// What bet `number` costs, in ledger units.
    pub fn units(&self, number: u32) -> i64 {
        let span = MAX_UNITS - MIN_UNITS + 1;
        let units = MIN_UNITS + mix(self.seed ^ u64::from(number)) % span;
        i64::try_from(units).unwrap_or(i64::MAX)
    }
}

/// The id of a player of the load test. The same in every run, so that a database is filled once.
pub fn player_id(index: u32) -> String {
    format!("load-{index:06}")
}

/// The index of a player of the load test.
pub fn player_index(id: &str) -> Option<u32> {
    let index: u32 = id.strip_prefix("load-")?.parse().ok()?;
    (player_id(index) == id).then_some(index)
}

/// What all bets of a run share.
#[derive(Debug, Clone)]
pub struct BetForm {
    pub game: String,
    pub currency: Currency,
    pub bets_per_round: u32,
    pub close_rounds: bool,
}

/// One bet of one player.
#[derive(Debug, Clone, Copy)]
pub struct Bet {
    pub number: u32,
    pub player: u32,
    /// How many bets the player made before, in this run.
    pub before: u32,
}

impl BetForm {
    /// Appends the callback's JSON. No text in it needs escaping: ids are ours, a game's and a session's
    /// are checked when they are learned ([`is_plain`]).
    pub fn append_body(&self, run: &Run, bet: Bet, session: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"transaction_id\":\"");
        run.append_id(bet.number, out);
        let round = bet.before / self.bets_per_round;
        let last = bet.before % self.bets_per_round + 1 == self.bets_per_round;
        let amount = Money::new(run.units(bet.number), self.currency);
        let _ = write!(
            out,
            "\",\"player\":\"load-{player:06}\",\"session\":\"{session}\",\"game\":\"{game}\",\
             \"round\":\"{prefix}{player}-{round}\",\"amount\":\"{amount}\",\"currency\":\"{currency}\"{close}}}",
            player = bet.player,
            game = self.game,
            prefix = run.prefix,
            currency = self.currency,
            close = if self.close_rounds && last {
                ",\"round_closed\":true"
            } else {
                ""
            },
        );
    }
}

/// Whether a text may stand between quotes in JSON as it is.
pub fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| !c.is_control() && c != '"' && c != '\\')
}

/// When the bets of an open loop are due, counted from the start. A bet is due at its time whether or not
/// the ones before it are answered, and its latency counts from then: a server that stalls is charged for
/// every bet that it kept waiting.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    per_second: f64,
    length: Duration,
}

impl Schedule {
    /// `per_second` must be above 0.
    pub const fn new(per_second: f64, length: Duration) -> Self {
        Self { per_second, length }
    }

    /// When ticket `index` is due; `None` when the run is over by then.
    pub fn due(&self, index: u64) -> Option<Duration> {
        // Computed from the index rather than added up: rounding must not make a long run slower.
        #[expect(clippy::cast_precision_loss)]
        let seconds = index as f64 / self.per_second;
        Duration::try_from_secs_f64(seconds)
            .ok()
            .filter(|due| *due < self.length)
    }
}

/// Who bets next: anyone, but nobody twice at a time unless asked for.
#[derive(Debug)]
pub struct Players {
    random: Random,
    busy: Vec<bool>,
    bets: Vec<u32>,
    overlap: bool,
}

impl Players {
    /// More players than bets in flight, or picking would never end.
    pub fn new(count: u32, seed: u64, overlap: bool) -> Self {
        Self {
            random: Random::new(seed),
            busy: vec![false; count as usize],
            bets: vec![0; count as usize],
            overlap,
        }
    }

    /// A player, and how many bets he made before.
    pub fn pick(&mut self) -> (u32, u32) {
        let count = u32::try_from(self.busy.len()).unwrap_or(u32::MAX);
        loop {
            let player = self.random.below(count);
            let index = player as usize;
            if self.overlap || !self.busy[index] {
                self.busy[index] = true;
                let before = self.bets[index];
                self.bets[index] += 1;
                return (player, before);
            }
        }
    }

    pub fn release(&mut self, player: u32) {
        self.busy[player as usize] = false;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn form(bets_per_round: u32, close_rounds: bool) -> BetForm {
        BetForm {
            game: "dice".into(),
            currency: Currency::from_code("EUR").unwrap(),
            bets_per_round,
            close_rounds,
        }
    }

    fn body(form: &BetForm, bet: Bet) -> serde_json::Value {
        let mut out = Vec::new();
        form.append_body(&Run::new(1_000, 7), bet, "ses_1", &mut out);
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn an_id_leads_back_to_its_number_and_no_other_text_does() {
        let run = Run::new(1_700_000_000_000, 1);
        let mut id = Vec::new();
        run.append_id(42, &mut id);
        let id = String::from_utf8(id).unwrap();
        assert_eq!(run.number(&id), Some(42));
        assert_eq!(Run::new(1_700_000_000_001, 1).number(&id), None);
        for other in [
            format!("{}042", run.prefix),
            format!("{}+42", run.prefix),
            format!("{}42 ", run.prefix),
            run.prefix.clone(),
        ] {
            assert_eq!(run.number(&other), None, "{other:?}");
        }
    }

    #[test]
    fn amounts_follow_from_the_seed_and_stay_in_their_range() {
        let units = |seed| {
            let run = Run::new(0, seed);
            (0..10_000).map(|n| run.units(n)).collect::<Vec<_>>()
        };
        assert_eq!(units(1), units(1));
        assert_ne!(units(1), units(2));
        assert!(units(1).iter().all(|u| (10_000..=1_000_000).contains(u)));
        assert!(
            units(1).iter().any(|u| u % 10_000 != 0),
            "fractions of a cent occur"
        );
    }

    #[test]
    fn a_body_has_every_field_of_the_native_bet() {
        let bet = Bet {
            number: 3,
            player: 12,
            before: 0,
        };
        let amount = Money::new(
            Run::new(1_000, 7).units(3),
            Currency::from_code("EUR").unwrap(),
        );
        assert_eq!(
            body(&form(1, false), bet),
            serde_json::json!({"transaction_id": "lt-3e8-3", "player": "load-000012", "session": "ses_1",
                "game": "dice", "round": "lt-3e8-12-0", "amount": amount.to_string(), "currency": "EUR"})
        );
    }

    #[test]
    fn a_round_takes_so_many_bets_and_the_last_closes_it_when_asked() {
        let form = form(3, true);
        let seen: Vec<(String, bool)> = (0..7)
            .map(|before| {
                body(
                    &form,
                    Bet {
                        number: 0,
                        player: 1,
                        before,
                    },
                )
            })
            .map(|body| {
                (
                    body["round"].as_str().unwrap().into(),
                    body["round_closed"] == true,
                )
            })
            .collect();
        let expected = [
            (0, false),
            (0, false),
            (0, true),
            (1, false),
            (1, false),
            (1, true),
            (2, false),
        ];
        for ((round, closed), (expected_round, expected_closed)) in seen.iter().zip(expected) {
            assert_eq!(
                (round, *closed),
                (&format!("lt-3e8-1-{expected_round}"), expected_closed)
            );
        }
    }

    #[test]
    fn an_open_loop_is_due_at_its_rate_and_does_not_drift() {
        let schedule = Schedule::new(300.0, Duration::from_secs(3_600));
        assert_eq!(schedule.due(0), Some(Duration::ZERO));
        let late = schedule.due(300 * 3_599).unwrap();
        assert!(late.abs_diff(Duration::from_secs(3_599)) < Duration::from_micros(1));
        assert_eq!(schedule.due(300 * 3_600), None);
    }

    #[test]
    fn nobody_has_two_bets_in_flight_unless_asked_for() {
        let mut players = Players::new(50, 1, false);
        let picked: HashSet<u32> = (0..50).map(|_| players.pick().0).collect();
        assert_eq!(picked.len(), 50);
        players.release(17);
        assert_eq!(players.pick(), (17, 1));

        let mut overlapping = Players::new(2, 1, true);
        let counts: Vec<u32> = (0..10).map(|_| overlapping.pick().1).collect();
        assert!(counts.iter().max() > Some(&2));
    }

    #[test]
    fn player_ids_lead_back_to_their_index() {
        assert_eq!(player_id(123), "load-000123");
        assert_eq!(player_index("load-000123"), Some(123));
        assert_eq!(player_index("load-0000123"), None);
        assert_eq!(player_index("alice"), None);
    }
}
