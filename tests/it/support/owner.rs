//! Another owner of a player, as on another node: commands that no HTTP edge has yet, committed by the real
//! statement.

use std::sync::Arc;

use pitboss_actors::ports::{Committed, Ids, Ledger};
use pitboss_schema::{Store, StoreOptions};
use pitboss_wallet::{
    Command, Environment, Facts, PlayerId, Reply, Seam, SessionRules, Verdict, decide,
};

use super::client::Client;

/// Decides a command on the player as the ledger has him, and commits it.
/// `None`: nothing was left to do.
pub async fn carry_out(client: &Client, player: &str, command: &Command) -> Option<Reply> {
    let store = Store::connect(&client.at.postgres, StoreOptions::default()).unwrap();
    let player = PlayerId::new(player).unwrap();
    let writer = store.writer().await.unwrap();
    let mut facts = Facts::default();
    for _ in 0..10 {
        let state = store.load(&player).await.unwrap().unwrap();
        let mut new_id = || pitboss::seams::SystemIds.uuid();
        let mut seam = Seam {
            now: pitboss_actors::ports::Clock::now(&pitboss::seams::SystemClock),
            environment: Environment::Sandbox,
            sessions: SessionRules::default(),
            new_id: &mut new_id,
        };
        match decide(&state, &facts, command, &mut seam) {
            Verdict::Need(asked) => facts.extend(store.find(&player, &asked).await.unwrap()),
            Verdict::Commit(decision) => {
                let outcome = decision.outcome.clone();
                let committed = writer.commit(&[Arc::new(*decision)]).await.unwrap();
                if committed == [Committed::Durable] {
                    return outcome.ok();
                }
                facts = Facts::default();
            }
            // Somebody was faster: nothing is left to do.
            Verdict::Answer(_) => return None,
            other => panic!("{other:?}"),
        }
    }
    panic!("never committed");
}
