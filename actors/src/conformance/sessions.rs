//! Sessions: that they slide and end in the ledger as they do in memory.

use pitboss_wallet::{
    Client, Command, Fact, Launch, OpenSession, Policy, Session, SessionEnd, SessionId, Timestamp,
};

use super::{
    Checked, Failure, Subject,
    hand::{Hand, Table, eur, launch, new_id, now},
    holds, same, wrong,
};

async fn stored(hand: &Hand, id: SessionId) -> Result<Session, Failure> {
    let found = hand
        .ledger
        .find(&hand.state.id, &[Fact::Session(id)])
        .await?;
    let session = found.sessions.into_iter().next().and_then(|(_, one)| one);
    session.ok_or_else(|| wrong("the session is gone"))
}

async fn unended(hand: &Hand) -> Result<Option<Vec<SessionId>>, Failure> {
    let found = hand.ledger.find(&hand.state.id, &[Fact::Sessions]).await?;
    let ids = |sessions: Vec<Session>| sessions.into_iter().map(|one| one.id).collect();
    Ok(found.unended.map(ids))
}

fn log_in(id: SessionId) -> Command {
    let mut token_hash = [1; 32];
    token_hash[..16].copy_from_slice(id.0.as_bytes());
    Command::OpenSession(OpenSession {
        session: id,
        currency: eur(),
        token_hash,
        expires_at: now().plus_seconds(86_400),
        client: Client {
            address: Some("192.0.2.7".to_owned()),
            user_agent: Some("Browser/1.0 (\"ü\")".to_owned()),
        },
    })
}

pub(super) async fn a_session_is_found_by_its_id_when_it_is_over(subject: &dyn Subject) -> Checked {
    let (mut hand, table) = Hand::seated(subject, "session", 0, Policy::default()).await?;
    let live = stored(&hand, table.session).await?;
    same("live", Some(&live), hand.state.session(table.session))?;
    hand.accepted(&Command::EndSession(table.session)).await?;
    hand.reload().await?;
    holds("an ended session is loaded", hand.state.sessions.is_empty())?;
    let ended = stored(&hand, table.session).await?;
    holds("no time of its end", ended.ended_at.is_some())?;
    let expected = Session {
        ended_at: ended.ended_at,
        end: Some(SessionEnd::Ended),
        ..live
    };
    same("ended", ended, expected)
}

/// A bet in a game that was launched from a login moves both, in its own commit.
pub(super) async fn a_session_that_slid_reads_back(subject: &dyn Subject) -> Checked {
    let (mut hand, mut table) = Hand::seated(subject, "slides", 1_000, Policy::default()).await?;
    let login = SessionId(new_id());
    hand.accepted(&log_in(login)).await?;
    table.session = SessionId(new_id());
    hand.accepted(&from_login(&table, login)?).await?;
    hand.reads_back("a launch").await?;
    let before = [
        stored(&hand, login).await?,
        stored(&hand, table.session).await?,
    ];
    hand.later_s = 600;
    hand.accepted(&table.bet("slide-1", "slide", 1)).await?;
    hand.reads_back("a bet that moved two sessions").await?;
    for before in before {
        let after = stored(&hand, before.id).await?;
        holds("not moved", after.expires_at > before.expires_at)?;
        same("memory", Some(&after), hand.state.session(before.id))?;
    }
    hand.accepted(&Command::EndSession(login)).await?;
    let game = stored(&hand, table.session).await?;
    same("game", game.end, Some(SessionEnd::LoggedOut))
}

fn from_login(table: &Table, login: SessionId) -> Result<Command, Failure> {
    match launch(table) {
        Command::Launch(launch) => Ok(Command::Launch(Launch {
            login: Some(login),
            ..launch
        })),
        other => Err(wrong(format!("no launch: {other:?}"))),
    }
}

pub(super) async fn all_sessions_that_have_not_been_ended_are_found_oldest_first(
    subject: &dyn Subject,
) -> Checked {
    let (mut hand, table) = Hand::seated(subject, "unended", 0, Policy::default()).await?;
    let logins = [SessionId(new_id()), SessionId(new_id())];
    for login in logins {
        hand.accepted(&log_in(login)).await?;
    }
    let all = vec![table.session, logins[0], logins[1]];
    same("all", unended(&hand).await?, Some(all))?;
    hand.accepted(&Command::EndSession(logins[0])).await?;
    let rest = vec![table.session, logins[1]];
    same("but the ended", unended(&hand).await?, Some(rest))?;
    let found = hand.ledger.find(&hand.state.id, &[]).await?;
    same("not asked", found.unended, None)
}

pub(super) async fn players_with_sessions_whose_time_is_over_are_found(
    subject: &dyn Subject,
) -> Checked {
    let housekeeping = subject.housekeeping();
    let (mut hand, table) = Hand::seated(subject, "due", 0, Policy::default()).await?;
    let over_at = stored(&hand, table.session).await?.expires_at;
    let is_due = async |hand: &Hand, at: Timestamp| {
        let due = housekeeping.players_with_due_sessions(at, 10_000).await?;
        let times = due.iter().filter(|player| **player == hand.state.id);
        Ok::<usize, Failure>(times.count())
    };
    let just_before = Timestamp::from_micros(over_at.as_micros() - 1);
    same("too early", is_due(&hand, just_before).await?, 0)?;
    same("due", is_due(&hand, over_at).await?, 1)?;
    let one = housekeeping.players_with_due_sessions(over_at, 1).await?;
    same("limit", one.len(), 1)?;
    hand.later_s = 1_900;
    hand.accepted(&Command::ExpireSessions).await?;
    same("noted", is_due(&hand, over_at).await?, 0)?;
    let over = stored(&hand, table.session).await?;
    same("reason", over.end, Some(SessionEnd::ExpiredIdle))?;
    same("at", over.ended_at, Some(over_at))
}
