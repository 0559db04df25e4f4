//! The policy table of `docs/rules.md`: names and defaults. What each choice does is tested beside its rule.

use pitboss_wallet::{
    LateBet, LateWin, Policy, RollbackAfterWin, RollbackAmount, RollbackOfWin, RoundScope,
    TransactionScope, WinWithoutBet,
};

#[test]
fn the_defaults_are_those_of_the_native_dialect() {
    let expected = Policy {
        transaction_scope: TransactionScope::Player,
        round_scope: RoundScope::Provider,
        late_bet: LateBet::Refuse,
        rollback_after_win: RollbackAfterWin::Refuse,
        rollback_of_win: RollbackOfWin::Reverse,
        rollback_amount: RollbackAmount::Ignore,
        win_without_bet: WinWithoutBet::Allow,
        late_win: LateWin::Allow,
        refusal_burns_id: false,
        auto_close_after_s: None,
    };
    assert_eq!(Policy::default(), expected);
    assert_eq!(serde_json::from_str::<Policy>("{}").unwrap(), expected);
}

#[test]
fn a_policy_is_written_in_the_words_of_the_documentation() {
    let text = r#"{"transaction_scope":"player","round_scope":"provider","late_bet":"refuse","rollback_after_win":"refuse","rollback_of_win":"reverse","rollback_amount":"ignore","win_without_bet":"allow","late_win":"allow","refusal_burns_id":false,"auto_close_after_s":null}"#;
    assert_eq!(serde_json::to_string(&Policy::default()).unwrap(), text);
    let other = r#"{"transaction_scope":"provider","round_scope":"game","late_bet":"accept","rollback_after_win":"reverse","rollback_of_win":"refuse","rollback_amount":"must_equal","win_without_bet":"refuse","late_win":"refuse","refusal_burns_id":true,"auto_close_after_s":60}"#;
    let policy: Policy = serde_json::from_str(other).unwrap();
    assert_eq!(serde_json::to_string(&policy).unwrap(), other);
}

#[test]
fn a_policy_with_a_name_that_is_not_known_is_refused() {
    assert!(serde_json::from_str::<Policy>(r#"{"late_bets":"refuse"}"#).is_err());
    assert!(serde_json::from_str::<Policy>(r#"{"late_bet":"perhaps"}"#).is_err());
}

#[test]
fn the_documentation_names_every_choice_and_its_default() {
    let docs = include_str!("../../../docs/rules.md");
    let defaults = serde_json::to_value(Policy::default()).unwrap();
    for (name, default) in defaults.as_object().unwrap() {
        let row = docs
            .lines()
            .find(|line| line.starts_with(&format!("| `{name}` |")));
        let row = row.unwrap_or_else(|| panic!("{name} has no row"));
        let shown = match default {
            serde_json::Value::Null => "none".to_owned(),
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        assert!(row.contains(&format!("**`{shown}`**")), "{name}: {row}");
    }
    for number in 1..=11 {
        assert!(docs.contains(&format!("\n### T{number}\n")), "T{number}");
    }
    for number in 1..=12 {
        assert!(
            docs.contains(&format!("\n### INV-{number}\n")),
            "INV-{number}"
        );
    }
}
