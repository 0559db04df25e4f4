//! What a history is made of.
//!
//! Ids, rounds and games are few, so that requests meet each other; amounts are drawn around what the player has and
//! around what an account can hold.

use std::sync::Arc;

use pitboss_wallet::{
    Action, Bet, BetWin, CacheLimits, CloseRound, Command, Currency, GameStanding, LateBet,
    LateWin, Money, Origin, Play, PlayCommand, PlayerStatus, Policy, Rollback, RollbackAfterWin,
    RollbackAmount, RollbackOfWin, RoundScope, TransactionScope, VoidRound, Win, WinKind,
    WinWithoutBet,
};
use proptest::{prelude::*, sample::select};

use super::{
    casino,
    payments::{any_adjustment, any_deposit, any_payment},
};
use crate::{
    harness::{PROVIDER, currency, ext, game, provider, round_id, session, status},
    reference::{Model, Who},
};

/// Which memory a step meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// The owner's, as it is.
    Kept,
    /// None: the owner was restarted.
    Lost,
    /// Another owner's, who may have missed what came in between.
    Elsewhere,
}

#[derive(Debug, Clone)]
pub struct Step {
    pub who: Who,
    pub memory: Memory,
    pub command: Command,
}

impl Step {
    /// Sessions are ended once and launched for who may play; the rules of sessions are not the matter here.
    pub fn is_possible(&self, model: &Model) -> bool {
        match &self.command {
            Command::Launch(_) => !model.is_blocked(self.who),
            _ => true,
        }
    }
}

const IDS: [&str; 7] = ["a", "b", "c", "d", "e", "f", "g"];
/// Each round has a currency that it mostly meets.
const ROUNDS: [(&str, &str); 3] = [("r", "EUR"), ("s", "EUR"), ("u", "USD")];

pub fn id() -> impl Strategy<Value = String> {
    select(&IDS[..]).prop_map(str::to_owned)
}

fn rarely() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.06)
}

fn a_game() -> impl Strategy<Value = &'static str> {
    prop_oneof![6 => Just("dice"), 1 => Just("slots")]
}

fn standing() -> impl Strategy<Value = GameStanding> {
    prop_oneof![
        40 => Just(GameStanding::ENABLED),
        1 => Just(GameStanding::DISABLED),
        1 => Just(GameStanding::FINISHING),
        1 => Just(GameStanding::Unknown),
    ]
}

/// Where something is played: player, round, currency, game.
#[derive(Debug, Clone)]
pub struct Place {
    pub who: Who,
    round: String,
    pub currency: Currency,
    game: String,
    standing: GameStanding,
    /// The ids of what was played there.
    ids: Vec<String>,
}

fn anywhere() -> impl Strategy<Value = Place> {
    let who = prop_oneof![5 => Just(0), 2 => Just(1)];
    (who, select(&ROUNDS[..]), rarely(), a_game(), standing()).prop_map(
        |(who, (round, usual), is_odd, game, standing)| {
            let code = match (usual, is_odd) {
                ("EUR", false) | ("USD", true) => "EUR",
                _ => "USD",
            };
            Place {
                who,
                round: round.to_owned(),
                currency: currency(code),
                game: game.to_owned(),
                standing,
                ids: Vec::new(),
            }
        },
    )
}

/// Where something was played already, with the ids that were.
fn known_places(model: &Model) -> Vec<Place> {
    let rounds = model.books().rounds.into_iter();
    rounds
        .map(|round| Place {
            who: round.name.who,
            round: round.name.round.to_string(),
            currency: round.currency,
            game: round
                .name
                .game
                .map_or("dice".to_owned(), |game| game.to_string()),
            standing: GameStanding::ENABLED,
            ids: round
                .entries
                .iter()
                .map(|entry| entry.id.to_string())
                .collect(),
        })
        .collect()
}

fn place(model: &Model) -> BoxedStrategy<Place> {
    let known = known_places(model);
    if known.is_empty() {
        return anywhere().boxed();
    }
    prop_oneof![3 => select(known), 2 => anywhere()].boxed()
}

/// Mostly an id that was played there.
fn id_there(place: &Place) -> BoxedStrategy<String> {
    if place.ids.is_empty() {
        return id().boxed();
    }
    prop_oneof![3 => select(place.ids.clone()), 2 => id()].boxed()
}

/// Around nothing, around what the player has, around what fits.
fn units(cash: i128) -> BoxedStrategy<i64> {
    let cash = i64::try_from(cash).unwrap();
    prop_oneof![
        10 => 0..=60_i64,
        3 => select(vec![0, 1, cash.saturating_sub(1), cash, cash.saturating_add(1)]),
        1 => select(vec![i64::MAX - cash, i64::MAX, (i64::MAX - cash).saturating_add(1), i64::MAX - 1]),
    ]
    .boxed()
}

/// The same, and at times below zero.
pub fn any_units(cash: i128) -> BoxedStrategy<i64> {
    prop_oneof![
        60 => units(cash),
        1 => select(vec![-1, i64::MIN]),
    ]
    .boxed()
}

/// A place, with what its player has there, and what else `make` needs to know of him.
pub fn there<T: std::fmt::Debug + 'static>(
    model: &Model,
    make: impl Fn(Place, i128) -> BoxedStrategy<T> + 'static,
) -> BoxedStrategy<T> {
    let books = model.books();
    place(model)
        .prop_flat_map(move |place| {
            let cash = books.cash(place.who, place.currency);
            make(place, cash)
        })
        .boxed()
}

/// The session that a bet names: mostly the right one.
#[derive(Debug, Clone, Copy)]
enum Named {
    Right,
    OfOtherCurrency,
    Unknown,
}

fn named() -> impl Strategy<Value = Named> {
    prop_oneof![
        40 => Just(Named::Right),
        1 => Just(Named::OfOtherCurrency),
        1 => Just(Named::Unknown),
    ]
}

fn named_session(model: &Model, place: &Place, named: Named) -> pitboss_wallet::SessionId {
    let mut others = casino::sessions(place.who).into_iter();
    match named {
        Named::Right => model.session(place.who, place.currency),
        Named::OfOtherCurrency => {
            others
                .find(|(_, currency)| *currency != place.currency)
                .unwrap()
                .0
        }
        Named::Unknown => session(999),
    }
}

/// The policy is filled in when it is played: it belongs to the course.
fn play(who: Who, command: PlayCommand) -> (Who, Command) {
    let origin = Origin {
        provider: provider(PROVIDER),
        policy: Arc::default(),
    };
    (who, Command::Play(Play { origin, command }))
}

fn any_bet(model: &Model) -> BoxedStrategy<(Who, Command)> {
    let known = model.clone();
    there(model, move |place, cash| {
        let known = known.clone();
        (id(), any_units(cash), named(), rarely())
            .prop_map(move |(id, units, named, closes_round)| {
                let bet = Bet {
                    transaction: ext(&id),
                    session: named_session(&known, &place, named),
                    game: game(&place.game),
                    standing: place.standing.clone(),
                    round: round_id(&place.round),
                    amount: Money::new(units, place.currency),
                    closes_round,
                    free_round: None,
                    jackpot_contribution: None,
                };
                play(place.who, PlayCommand::Bet(bet))
            })
            .boxed()
    })
}

fn any_win(model: &Model) -> BoxedStrategy<(Who, Command)> {
    there(model, |place, cash| {
        let kind = prop_oneof![
            8 => Just(WinKind::Ordinary),
            1 => select(vec![WinKind::Free, WinKind::Jackpot, WinKind::Promo, WinKind::Correction]),
        ];
        let bet = prop::option::weighted(0.3, id_there(&place));
        let id = prop_oneof![2 => id(), 1 => id_there(&place)];
        (id, any_units(cash), bet, kind, rarely())
            .prop_map(move |(id, units, bet, kind, closes_round)| {
                let win = Win {
                    transaction: ext(&id),
                    game: game(&place.game),
                    standing: place.standing.clone(),
                    round: round_id(&place.round),
                    amount: Money::new(units, place.currency),
                    bet: bet.as_deref().map(ext),
                    kind,
                    closes_round,
                };
                play(place.who, PlayCommand::Win(win))
            })
            .boxed()
    })
}

fn any_batch(model: &Model) -> BoxedStrategy<(Who, Command)> {
    let known = model.clone();
    there(model, move |place, cash| {
        let known = known.clone();
        let action = (any::<bool>(), id(), any_units(cash)).prop_map(|(is_bet, id, units)| {
            let transaction = ext(&id);
            if is_bet {
                Action::Bet { transaction, units }
            } else {
                let kind = WinKind::Ordinary;
                Action::Win {
                    transaction,
                    units,
                    kind,
                }
            }
        });
        let actions = prop::collection::vec(action, 0..4);
        (actions, named(), rarely())
            .prop_map(move |(actions, named, closes_round)| {
                let batch = BetWin {
                    session: named_session(&known, &place, named),
                    game: game(&place.game),
                    standing: place.standing.clone(),
                    round: round_id(&place.round),
                    currency: place.currency,
                    actions,
                    closes_round,
                };
                play(place.who, PlayCommand::BetWin(batch))
            })
            .boxed()
    })
}

fn any_rollback(model: &Model) -> BoxedStrategy<(Who, Command)> {
    there(model, |place, cash| {
        let part = prop::option::weighted(0.4, any_units(cash));
        (id(), id_there(&place), part)
            .prop_map(move |(id, target, units)| {
                let rollback = Rollback {
                    transaction: ext(&id),
                    target: ext(&target),
                    round: None,
                    units,
                };
                play(place.who, PlayCommand::Rollback(rollback))
            })
            .boxed()
    })
}

fn any_rollbacks(model: &Model) -> BoxedStrategy<(Who, Command)> {
    there(model, |place, cash| {
        let part = prop::option::weighted(0.2, any_units(cash));
        let one = (id(), id_there(&place), part).prop_map(|(id, target, units)| Rollback {
            transaction: ext(&id),
            target: ext(&target),
            round: None,
            units,
        });
        prop::collection::vec(one, 0..4)
            .prop_map(move |list| play(place.who, PlayCommand::Rollbacks(list)))
            .boxed()
    })
}

fn any_end(model: &Model) -> BoxedStrategy<(Who, Command)> {
    (place(model), id(), any::<bool>())
        .prop_map(move |(place, id, closes)| {
            let (game, round) = (game(&place.game), round_id(&place.round));
            let end = if closes {
                PlayCommand::CloseRound(CloseRound { game, round })
            } else {
                PlayCommand::VoidRound(VoidRound {
                    transaction: ext(&id),
                    game,
                    round,
                    reason: "the game crashed".to_owned(),
                    by: None,
                })
            };
            play(place.who, end)
        })
        .boxed()
}

/// What a player may do besides playing: be blocked, log out; and mostly, undo that.
fn any_standing(model: &Model) -> BoxedStrategy<(Who, Command)> {
    let known = model.clone();
    let block = select(vec![
        PlayerStatus::BetsBlocked,
        PlayerStatus::Blocked,
        PlayerStatus::Closed,
    ]);
    (anywhere(), any::<bool>(), block, 100..1_000_000_u128)
        .prop_map(move |(place, is_block, block, new)| {
            let (who, currency) = (place.who, place.currency);
            let command = if known.is_blocked(who) {
                status(PlayerStatus::Active)
            } else if known.is_logged_out(who, currency) {
                Command::Launch(casino::launch(new, currency))
            } else if is_block {
                status(block)
            } else {
                Command::EndSession(known.session(who, currency))
            };
            (who, command)
        })
        .boxed()
}

fn is_repeatable(step: &Step) -> bool {
    matches!(
        step.command,
        Command::Play(_)
            | Command::Deposit(_)
            | Command::Adjust(_)
            | Command::InitiateDeposit(_)
            | Command::MoveDeposit(..)
            | Command::RequestWithdrawal(_)
            | Command::MoveWithdrawal(..)
    )
}

/// Something that was sent before: as it was, by the other player, or with one field changed.
fn again(model: &Model, sent: &[Step]) -> BoxedStrategy<(Who, Command)> {
    let cash = model.books().cash(0, currency("EUR"));
    let sent: Vec<_> = sent
        .iter()
        .filter(|step| is_repeatable(step))
        .map(|step| (step.who, step.command.clone()))
        .collect();
    (select(sent), 0..14_u8, any_units(cash), id(), anywhere())
        .prop_map(|((who, mut command), change, units, id, place)| {
            match change {
                0 => return (1 - who, command),
                1..=6 => super::casino::change(&mut command, change, units, &id, &place.round),
                _ => {}
            }
            (who, command)
        })
        .boxed()
}

pub fn step(model: &Model, sent: &[Step]) -> BoxedStrategy<Step> {
    let mut kinds = vec![
        (8, any_bet(model)),
        (6, any_win(model)),
        (4, any_batch(model)),
        (7, any_rollback(model)),
        (2, any_rollbacks(model)),
        (3, any_end(model)),
        (3, any_deposit(model)),
        (3, any_adjustment(model)),
        (9, any_payment(model)),
        // Nobody stays out for long.
        (
            if model.is_anybody_out() { 12 } else { 2 },
            any_standing(model),
        ),
    ];
    if sent.iter().any(is_repeatable) {
        kinds.push((6, again(model, sent)));
    }
    let memory = prop_oneof![
        5 => Just(Memory::Kept),
        1 => Just(Memory::Lost),
        2 => Just(Memory::Elsewhere),
    ];
    (proptest::strategy::Union::new_weighted(kinds), memory)
        .prop_map(|((who, command), memory)| Step {
            who,
            memory,
            command,
        })
        .boxed()
}

pub fn limits() -> impl Strategy<Value = CacheLimits> {
    (0..4_usize, 0..8_usize, 0..3_usize).prop_map(|(rounds, transactions, sessions)| CacheLimits {
        rounds,
        transactions,
        sessions,
    })
}

pub fn policy() -> impl Strategy<Value = Policy> {
    let choices = (
        select(vec![TransactionScope::Player, TransactionScope::Provider]),
        select(vec![RoundScope::Provider, RoundScope::Game]),
        select(vec![LateBet::Refuse, LateBet::Accept]),
        select(vec![RollbackAfterWin::Refuse, RollbackAfterWin::Reverse]),
        select(vec![RollbackOfWin::Reverse, RollbackOfWin::Refuse]),
        select(vec![
            RollbackAmount::Ignore,
            RollbackAmount::MustEqual,
            RollbackAmount::Partial,
        ]),
        select(vec![WinWithoutBet::Allow, WinWithoutBet::Refuse]),
        select(vec![LateWin::Allow, LateWin::Refuse]),
        any::<bool>(),
    );
    choices.prop_map(|choices| Policy {
        transaction_scope: choices.0,
        round_scope: choices.1,
        late_bet: choices.2,
        rollback_after_win: choices.3,
        rollback_of_win: choices.4,
        rollback_amount: choices.5,
        win_without_bet: choices.6,
        late_win: choices.7,
        refusal_burns_id: choices.8,
        auto_close_after_s: None,
    })
}
