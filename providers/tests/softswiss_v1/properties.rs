//! What holds for any request.

use pitboss_providers::{
    Ask, CallError, Dialect,
    simulate::{Move, Seat, Table},
    softswiss_v1::SoftswissV1,
};
use pitboss_wallet::{Money, PlayCommand};
use proptest::prelude::*;
use serde_json::json;

use super::{NO_HEADERS, SESSION, account, answers::render, eur, parse_as, request};

proptest! {
    #[test]
    fn any_bytes_are_a_call_or_an_error(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        action in "play|rollback|freespins|[a-z/]{0,20}",
    ) {
        let account = account(&[("session", "ours")]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let headers = vec![("X-REQUEST-SIGN".to_owned(), text.clone())];
        let raw = request(&action, &headers, &bytes);
        prop_assert!(SoftswissV1.verify(&account, &raw).is_err());
        let _ = SoftswissV1.lookup(&account, &raw);
        let _ = parse_as(&account, &action, &text);
        let (response, _) = render(&account, None, None, Err(CallError::Internal));
        prop_assert_eq!(response.status, 500);
    }

    #[test]
    fn any_fields_are_a_call_or_an_error(
        user in "\\PC{0,9}", id in "\\PC{0,9}", amount in any::<i64>(), verb in "bet|win|rollback|x",
        issue in "[a-z/E]{0,9}", action in "play|rollback|freespins",
    ) {
        let body = json!({
            "user_id": user, "currency": "EUR", "game": id, "game_id": id, "issue_id": issue, "status": verb,
            "total_amount": amount, "actions": [{ "action": verb, "action_id": id, "original_action_id": id,
            "amount": amount, "jackpot_win": amount }],
        }).to_string();
        let account = account(&[("jackpot_win", "separate")]);
        let call = parse_as(&account, &action, &body);
        prop_assert!(amount >= 0 || action == "rollback" || call.is_err());
        let _ = SoftswissV1.lookup(&account, &request(&action, &NO_HEADERS, body.as_bytes()));
    }

    /// What the provider writes is what the dialect reads, for any amount and id.
    #[test]
    fn what_a_provider_sends_comes_back(cents in 0..=922_337_203_685_477_i64, id in "\\PC{1,255}", round in "\\PC{1,255}") {
        let account = account(&[]);
        let table = Table {
            path: "/callbacks/sandbox/bgaming".to_owned(),
            key: account.secrets[0].expose().to_vec(),
            settings: account.settings.clone(),
            now_s: 0,
            serial: 1,
        };
        let seat = Seat {
            player: "alice".to_owned(),
            session: SESSION.to_owned(),
            token: String::new(),
            game: "acme:dice".to_owned(),
            balance: Money::new(0, eur()),
        };
        let made = Move::Bet {
            id: id.clone(),
            round: round.clone(),
            amount: Money::new(cents * 10_000, eur()),
            closes: false,
            free_round: None,
        };
        let sent = SoftswissV1.simulator().request(&table, &seat, &made).unwrap();
        let raw = request("play", &sent.headers, &sent.body);
        prop_assert_eq!(SoftswissV1.verify(&account, &raw), Ok(0));
        let text = String::from_utf8(sent.body.clone()).unwrap();
        let Ask::Play { play, .. } = parse_as(&account, "play", &text).unwrap().ask else { panic!() };
        let PlayCommand::Bet(bet) = play.command else { panic!() };
        prop_assert_eq!(bet.amount.units, cents * 10_000);
        prop_assert_eq!(bet.transaction.as_str(), id);
        prop_assert_eq!(bet.round.as_str(), round);
    }
}
