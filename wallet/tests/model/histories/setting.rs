//! Under which rules a history is played: of the account, and of the actor's memory.

use pitboss_wallet::{
    CacheLimits, LateBet, LateWin, Policy, RollbackAfterWin, RollbackAmount, RollbackOfWin,
    RoundScope, TransactionScope, WinWithoutBet,
};
use proptest::{prelude::*, sample::select};

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
