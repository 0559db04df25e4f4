//! What a history is made of: few ids and rounds, so that moves meet each other; amounts around what the player has.

use pitboss_providers::simulate::Move;
use pitboss_wallet::{Kind, Money, WinKind};
use proptest::{prelude::*, sample::select};

use crate::harness::eur;

/// What happens to the player.
#[derive(Debug, Clone, Copy)]
pub enum Player {
    Leaves,
    IsBlocked,
    IsLetIn,
}

#[derive(Debug, Clone)]
pub enum Act {
    New(Move),
    /// The same again, as one of those before.
    Again(usize),
    Player(Player),
}

/// Of a bet and of a win that may be in a history; each id has its amount and round, mostly.
fn amount() -> impl Strategy<Value = Money> {
    // Hundredths, which every dialect can tell.
    select(&[0, 1, 250, 3_000, 6_000, 10_000, 20_000][..])
        .prop_map(|cents: i64| Money::new(cents * 10_000, eur()))
}

fn number() -> impl Strategy<Value = usize> {
    0..6_usize
}

/// The amount that an id usually has: so that what is the same id is mostly the same request.
fn usual(number: usize) -> Money {
    let cents = [250, 3_000, 1, 6_000, 0, 1_200][number % 6];
    Money::new(cents * 10_000, eur())
}

fn usual_round(number: usize) -> String {
    format!("r{}", number % 2)
}

fn a_bet() -> impl Strategy<Value = Move> {
    let odd = (amount(), 0..2_usize);
    (
        number(),
        prop::option::weighted(0.2, odd),
        prop::bool::weighted(0.05),
        prop::bool::weighted(0.05),
    )
        .prop_map(|(number, odd, closes, is_free)| {
            let (amount, round) = match odd {
                Some((amount, round)) => (amount, format!("r{round}")),
                None => (usual(number), usual_round(number)),
            };
            Move::Bet {
                id: format!("b{number}"),
                round,
                amount,
                closes,
                free_round: is_free.then(|| "gift".to_owned()),
            }
        })
}

/// An id has one bet for ever: some providers know a win by its bet alone.
fn a_win() -> impl Strategy<Value = Move> {
    (
        number(),
        prop::option::weighted(0.2, amount()),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(number, odd, is_second, closes, is_promo)| {
            let which = match (is_promo, is_second) {
                (true, _) => "p",
                (false, true) => "x",
                (false, false) => "",
            };
            Move::Win {
                id: format!("w{number}{which}"),
                bet: (!is_promo).then(|| format!("b{number}")),
                round: usual_round(number),
                amount: odd.unwrap_or(usual(number + 1)),
                kind: if is_promo {
                    WinKind::Promo
                } else {
                    WinKind::Ordinary
                },
                closes: closes || is_promo,
            }
        })
}

fn a_rollback() -> impl Strategy<Value = Move> {
    (number(), prop::bool::weighted(0.2)).prop_map(|(number, is_of_win)| {
        let (kind, target, amount) = if is_of_win {
            (Kind::Win, format!("w{number}"), usual(number + 1))
        } else {
            (Kind::Bet, format!("b{number}"), usual(number))
        };
        Move::Rollback {
            id: format!("back-{target}"),
            target,
            kind,
            amount,
            round: usual_round(number),
        }
    })
}

/// Both have one id, as some providers do it.
fn a_bet_and_win() -> impl Strategy<Value = Move> {
    (number(), amount(), prop::bool::weighted(0.1)).prop_map(|(number, odd, is_odd)| Move::BetWin {
        bet: format!("x{number}"),
        win: format!("x{number}"),
        round: usual_round(number),
        stake: if is_odd { odd } else { usual(number) },
        won: usual(number + 2),
    })
}

fn an_act() -> impl Strategy<Value = Act> {
    let made = prop_oneof![
        8 => a_bet(),
        6 => a_win(),
        4 => a_rollback(),
        2 => a_bet_and_win(),
        1 => (0..2_usize).prop_map(|round| Move::Close { round: format!("r{round}") }),
        1 => Just(Move::Balance),
    ];
    let player = select(&[Player::Leaves, Player::IsBlocked, Player::IsLetIn][..]);
    prop_oneof![
        20 => made.prop_map(Act::New),
        6 => any::<prop::sample::Index>().prop_map(|place| Act::Again(place.index(1_000))),
        1 => player.prop_map(Act::Player),
    ]
}

pub fn histories() -> impl Strategy<Value = Vec<Act>> {
    prop::collection::vec(an_act(), 1..40)
}
