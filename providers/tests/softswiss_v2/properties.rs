//! What holds for any request.

use pitboss_providers::{
    Ask, CallError, Dialect,
    simulate::{Move, Seat, Table},
    softswiss_v2::SoftswissV2,
};
use pitboss_wallet::{Money, PlayCommand};
use proptest::prelude::*;
use serde_json::json;

use super::{NO_HEADERS, SESSION, account, answers::render, eur, parse_as, request};

proptest! {
    #[test]
    fn any_bytes_are_a_call_or_an_error(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        action in "balance|betwin|rollback|finish|[a-z/]{0,20}",
    ) {
        let account = account(&[("session", "ours")]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let headers = vec![("X-REQUEST-SIGN".to_owned(), text.clone())];
        let raw = request(&action, &headers, &bytes);
        prop_assert!(SoftswissV2.verify(&account, &raw).is_err());
        let _ = SoftswissV2.lookup(&account, &raw);
        let _ = parse_as(&account, &action, &text);
        let (response, _) = render(&account, None, None, Err(CallError::Internal));
        prop_assert_eq!(response.status, 500);
    }

    #[test]
    fn any_fields_are_a_call_or_an_error(
        user in "\\PC{0,9}", id in "\\PC{0,9}", amount in "[0-9.+e-]{0,45}", verb in "bet|win|rollback|x",
        currency in "EUR|BTC|[A-Z_0-9a-z]{0,34}", action in "balance|betwin|rollback|finish",
    ) {
        let body = json!({
            "account_id": user, "currency": currency, "game_id": id, "round_id": id, "round_id_provider": id,
            "transactions": [{ "type": verb, "id_provider": id, "original_id_provider": id, "amount": amount }],
        }).to_string();
        let account = account(&[]);
        let call = parse_as(&account, &action, &body);
        if let (Ok(call), "betwin") = (call, &*action) {
            // Whatever is taken was a plain number above 0.
            prop_assert!(amount.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'));
            let Ask::Play { play, .. } = call.ask else { panic!() };
            if let PlayCommand::Bet(bet) = play.command {
                prop_assert!(bet.amount.units > 0);
            }
        }
        let _ = SoftswissV2.lookup(&account, &request(&action, &NO_HEADERS, body.as_bytes()));
    }

    /// What the provider writes is what the dialect reads, for any amount and id.
    #[test]
    fn what_a_provider_sends_comes_back(units in 1..=i64::MAX, id in "\\PC{1,255}", round in "\\PC{1,255}") {
        let account = account(&[]);
        let table = Table {
            path: "/callbacks/sandbox/beexar".to_owned(),
            key: account.secrets[0].expose().to_vec(),
            settings: account.settings.clone(),
            now_s: 0,
            serial: 1,
        };
        let seat = Seat {
            player: "alice".to_owned(),
            session: SESSION.to_owned(),
            token: String::new(),
            game: "dice".to_owned(),
            balance: Money::new(0, eur()),
        };
        let made = Move::Bet {
            id: id.clone(),
            round: round.clone(),
            amount: Money::new(units, eur()),
            closes: false,
            free_round: None,
        };
        let sent = SoftswissV2.simulator().request(&table, &seat, &made).unwrap();
        let raw = request("betwin", &sent.headers, &sent.body);
        prop_assert_eq!(SoftswissV2.verify(&account, &raw), Ok(0));
        let text = String::from_utf8(sent.body.clone()).unwrap();
        let Ask::Play { play, .. } = parse_as(&account, "betwin", &text).unwrap().ask else { panic!() };
        let PlayCommand::Bet(bet) = play.command else { panic!() };
        prop_assert_eq!(bet.amount.units, units);
        prop_assert_eq!(bet.transaction.as_str(), id);
        prop_assert_eq!(bet.round.as_str(), round);
    }
}
