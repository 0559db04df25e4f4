//! kill -9 at any moment: what was acknowledged is there once, what was not is there at most once (INV-11).

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::future::join_all;

use crate::support::{casino::Casino, eventually, player::Player, program::stdout};

#[tokio::test]
async fn a_server_killed_under_load_lost_nothing_that_it_acknowledged() {
    let casino = Casino::start("crash", &["sandbox"]).await;
    let mut node = casino.serve("").await;
    let client = casino.client(&node, "sandbox");
    let ledger = casino.ledger("sandbox").await;
    let mut players = Vec::new();
    for _ in 0..8 {
        players.push(Player::with(&client, "1000.00").await);
    }
    for crash in 0..3 {
        let heard: Vec<AtomicBool> = players.iter().map(|_| AtomicBool::new(false)).collect();
        // Each player bets until nobody answers any more.
        let betting = players.iter().zip(&heard).map(|(player, heard)| {
            let client = client.clone();
            async move {
                let mut acknowledged = Vec::new();
                for index in 0.. {
                    let id = format!("c{crash}-{index}");
                    let bet = player.bet(&id, "0.01").to_string().into_bytes();
                    match client.try_callback("bet", bet).await {
                        Some(answer) if answer.status == 200 => {
                            acknowledged.push(id);
                            heard.store(true, Ordering::Relaxed);
                        }
                        Some(answer) => panic!("{}", answer.text),
                        None => return (acknowledged, id),
                    }
                }
                unreachable!("a bet without end")
            }
        });
        let killing = async {
            // Once everybody is in the midst of it.
            eventually("each has had an answer", async || {
                let all = heard.iter().all(|heard| heard.load(Ordering::Relaxed));
                all.then_some(())
            })
            .await;
            tokio::time::sleep(Duration::from_millis(300)).await;
            node.program.kill().await;
        };
        let (told, ()) = tokio::join!(join_all(betting), killing);
        casino.serve_again(&mut node).await;
        for (player, (acknowledged, last)) in players.iter().zip(told) {
            assert!(
                !acknowledged.is_empty(),
                "the server was killed before it did anything"
            );
            let stored = ledger.applied(&player.id, "bet").await;
            for id in &acknowledged {
                assert_eq!(
                    stored.iter().filter(|stored| *stored == id).count(),
                    1,
                    "{id}"
                );
            }
            // The provider does not know about his last one, and asks again.
            let before = stored.iter().filter(|stored| **stored == last).count();
            assert!(before <= 1, "{last}");
            let again = client
                .callback("bet", &player.bet(&last, "0.01"))
                .await
                .ok();
            assert_eq!(again.json["replayed"], before == 1);
            assert_eq!(ledger.movements(&player.id, &last).await, 1);
        }
    }
    for player in &players {
        let bets = i64::try_from(ledger.applied(&player.id, "bet").await.len()).unwrap();
        assert_eq!(
            ledger.audited_cash(&player.id).await,
            1_000_000_000 - bets * 10_000
        );
    }
    let audit = casino.audit().await;
    assert!(audit.status.success(), "{}", stdout(&audit));
}

#[tokio::test]
async fn a_stop_under_load_answers_what_it_took_and_refuses_the_rest() {
    let casino = Casino::start("drain", &["sandbox"]).await;
    let mut node = casino.serve("").await;
    let client = casino.client(&node, "sandbox");
    let ledger = casino.ledger("sandbox").await;
    let player = Player::with(&client, "1000.00").await;
    let mut stream = crate::support::stream::Stream::open(&client, &player.token, "")
        .await
        .unwrap();
    let betting = async {
        let mut acknowledged = Vec::new();
        for index in 0.. {
            let id = format!("b{index}");
            let answer = client
                .try_callback("bet", player.bet(&id, "0.01").to_string().into_bytes())
                .await;
            match answer {
                Some(answer) if answer.status == 200 => {
                    acknowledged.push(id);
                }
                Some(answer) => drop(answer.refused(503, "retry")),
                None => break,
            }
        }
        acknowledged
    };
    let stopping = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        node.program.terminate().await
    };
    let (acknowledged, status) = tokio::join!(betting, stopping);
    assert_eq!(status.code(), Some(0), "{}", node.program.log());
    assert_eq!(stream.closed().await, 4000, "reconnect");
    assert_eq!(ledger.applied(&player.id, "bet").await, acknowledged);
    // A graceful stop leaves nothing in the outbox.
    let behind = "SELECT count(*) FROM lane JOIN lane_publisher ON lane = id WHERE published < seq";
    let row = ledger.0.query_one(behind, &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 0);
}
