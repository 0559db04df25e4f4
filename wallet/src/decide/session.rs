//! Sessions: logins, launches, what keeps them alive, and how they end.
//!
//! A game session that belongs to a login never outlives it: its idle time and its absolute end are no later, an
//! activity in it is one of the login, noted together, and whoever ends the login ends it too. So a bet need not
//! look at the login.

use super::{Stop, draft::Draft, game};
use crate::{
    Authenticate, Client, Fact, GameSwitch, Launch, OpenSession, Refusal, RefusalCode, Reply,
    Session, SessionEnd, SessionId, SessionKind, SessionReply, Timestamp, WhenFull,
    event_data::{
        EndedGameSession, EndedLogin, GameSession, Launched, LoggedIn, LoggedOut, Login,
        LoginExpired, SessionEnded, SessionExpired, SessionStarted,
    },
};

pub(super) fn open(draft: &mut Draft<'_, '_>, open: &OpenSession) -> Result<Reply, Stop> {
    // Asks the ledger, which tells whether another owner has let the player in since.
    let live = live(draft)?;
    if !draft.state().status.may_enter() {
        let detail = "the player may not log in";
        return Err(Stop::refuse(RefusalCode::PlayerBlocked, detail));
    }
    let rules = draft.rules();
    let now = draft.now();
    let balance = draft.balance(open.currency)?;
    let logins = live.iter().filter(|one| one.kind == SessionKind::Player);
    make_room(draft, &live, logins.collect(), rules.player_max)?;
    let idle_s = rules.player_idle_s;
    let session = Session {
        id: open.session,
        kind: SessionKind::Player,
        currency: open.currency,
        provider: None,
        game: None,
        login: None,
        idle_s,
        absolute_until: open.expires_at,
        last_active_at: now,
        expires_at: now.plus_seconds(idle_s).min(open.expires_at),
        ended_at: None,
        end: None,
        token_expires_at: None,
    };
    draft.event(None, &LoggedIn(Login::of(&session)));
    let reply = SessionReply {
        session: session.id,
        balance,
        expires_at: session.expires_at,
    };
    draft.put_new_session(session, open.token_hash, open.client.clone());
    Ok(Reply::Session(reply))
}

/// Whether the player may launch this game.
fn may_launch(draft: &Draft<'_, '_>, launch: &Launch) -> Result<(), Refusal> {
    if !draft.state().status.may_bet() {
        let detail = "the player may not play";
        return Err(Refusal::new(RefusalCode::PlayerBlocked, detail));
    }
    match game::admit(&launch.standing, draft.state().country, launch.currency)? {
        GameSwitch::Enabled => Ok(()),
        GameSwitch::Finishing | GameSwitch::Disabled => {
            let detail = "the game is disabled";
            Err(Refusal::new(RefusalCode::GameDisabled, detail))
        }
    }
}

pub(super) fn launch(draft: &mut Draft<'_, '_>, launch: &Launch) -> Result<Reply, Stop> {
    let live = live(draft)?;
    let rules = draft.rules();
    let now = draft.now();
    let balance = draft.balance(launch.currency)?;
    may_launch(draft, launch)?;
    let (mut idle_s, mut absolute_until) = (rules.game_idle_s, launch.expires_at);
    if let Some(id) = launch.login {
        let login = login(draft, id)?;
        idle_s = idle_s.min(login.idle_s);
        absolute_until = absolute_until.min(login.absolute_until);
        touch(draft, login);
    }
    let games = || live.iter().filter(|one| one.kind == SessionKind::Game);
    let same = |one: &&Session| {
        (one.provider.as_ref(), one.game.as_ref()) == (Some(&launch.provider), Some(&launch.game))
    };
    // The same game again goes on where it was: the earlier session gives way, whatever the rule for others.
    let per_game_max = launch.per_game_max.unwrap_or(rules.per_game_max).max(1);
    let of_game: Vec<&Session> = games().filter(same).collect();
    let too_many = (of_game.len() + 1).saturating_sub(per_game_max);
    for earlier in &of_game[..too_many] {
        end(draft, (*earlier).clone(), now, SessionEnd::Replaced);
    }
    let gone = |one: &&Session| of_game[..too_many].iter().any(|gone| gone.id == one.id);
    let others = games().filter(|one| !gone(one)).collect();
    make_room(draft, &live, others, rules.game_max)?;
    let session = Session {
        id: launch.session,
        kind: SessionKind::Game,
        currency: launch.currency,
        provider: Some(launch.provider.clone()),
        game: Some(launch.game.clone()),
        login: launch.login,
        idle_s,
        absolute_until,
        last_active_at: now,
        expires_at: now.plus_seconds(idle_s).min(absolute_until),
        ended_at: None,
        end: None,
        token_expires_at: Some(launch.token_expires_at),
    };
    draft.event(None, &Launched(GameSession::of(&session)));
    let reply = SessionReply {
        session: session.id,
        balance,
        expires_at: session.expires_at,
    };
    draft.put_new_session(session, launch.token_hash, Client::default());
    Ok(Reply::Session(reply))
}

/// The launch token is single-use: whoever comes second is refused, also on another node, because both
/// commits claim one version of the player.
pub(super) fn authenticate(
    draft: &mut Draft<'_, '_>,
    authenticate: &Authenticate,
) -> Result<Reply, Stop> {
    let mut session = draft.session(authenticate.session)?;
    if session.kind != SessionKind::Game
        || session.provider.as_ref() != Some(&authenticate.provider)
    {
        return Err(Stop::refuse(
            RefusalCode::SessionInvalid,
            "not a launch of this provider",
        ));
    }
    let Some(token_expires_at) = session.token_expires_at else {
        return Err(Stop::refuse(
            RefusalCode::SessionInvalid,
            "the launch token was used before",
        ));
    };
    let now = draft.now();
    if token_expires_at <= now || !session.is_live(now) {
        return Err(over(draft, session.id, "the launch token is too old"));
    }
    let balance = draft.balance(session.currency)?;
    session.token_expires_at = None;
    let session = active_now(draft, session)?;
    draft.event(None, &SessionStarted(GameSession::of(&session)));
    Ok(Reply::Session(SessionReply {
        session: session.id,
        balance,
        expires_at: session.expires_at,
    }))
}

/// The player did something in this session, which is live. Noted once in a while, with what is committed anyway.
pub(super) fn active(draft: &mut Draft<'_, '_>, session: Session) -> Result<(), Stop> {
    if session.is_to_be_touched(draft.now(), draft.rules().touch_s) {
        active_now(draft, session)?;
    }
    Ok(())
}

/// An activity in a game is one of its login. Together, so that the game never outlives the login.
fn active_now(draft: &mut Draft<'_, '_>, session: Session) -> Result<Session, Stop> {
    if let Some(id) = session.login {
        let login = login(draft, id)?;
        touch(draft, login);
    }
    Ok(touch(draft, session))
}

fn touch(draft: &mut Draft<'_, '_>, mut session: Session) -> Session {
    session.touch(draft.now());
    draft.put_session(session.clone());
    session
}

/// A login that is live.
fn login(draft: &Draft<'_, '_>, id: SessionId) -> Result<Session, Stop> {
    let login = draft.session(id)?;
    if login.kind != SessionKind::Player {
        return Err(Stop::refuse(
            RefusalCode::SessionInvalid,
            "the player has no such login",
        ));
    }
    if !login.is_live(draft.now()) {
        return Err(over(draft, id, "the login is over"));
    }
    Ok(login)
}

/// The refusal of a session that is over. Not on memory alone: another owner may have noted an activity since.
fn over(draft: &Draft<'_, '_>, id: SessionId, detail: &str) -> Stop {
    if draft.is_checked(id) {
        Stop::refuse(RefusalCode::SessionExpired, detail)
    } else {
        Stop::Need(vec![Fact::Session(id)])
    }
}

pub(super) fn keep_alive(draft: &mut Draft<'_, '_>, id: SessionId) -> Result<Reply, Stop> {
    let session = draft.session(id)?;
    if !session.is_live(draft.now()) {
        return Err(over(draft, id, "the session is over"));
    }
    let balance = draft.balance(session.currency)?;
    active(draft, session)?;
    Ok(Reply::Session(SessionReply {
        session: id,
        balance,
        expires_at: draft.session(id)?.expires_at,
    }))
}

/// Ends a session; one that is over stays as it is.
pub(super) fn end_one(draft: &mut Draft<'_, '_>, id: SessionId) -> Result<Reply, Stop> {
    if draft.session(id)?.ended_at.is_none() {
        let live = live(draft)?;
        if let Some(session) = live.iter().find(|one| one.id == id) {
            end_with_games(draft, &live, session, SessionEnd::Ended);
        }
    }
    Ok(Reply::Done)
}

pub(super) fn end_all(draft: &mut Draft<'_, '_>, reason: SessionEnd) -> Result<Reply, Stop> {
    let live = live(draft)?;
    let now = draft.now();
    // Games first: a login ends after what was launched from it.
    for kind in [SessionKind::Game, SessionKind::Player] {
        for session in live.iter().filter(|one| one.kind == kind) {
            end(draft, session.clone(), now, reason);
        }
    }
    Ok(Reply::Ended(live.len()))
}

pub(super) fn expire(draft: &mut Draft<'_, '_>) -> Result<Reply, Stop> {
    live(draft).map(|_| Reply::Done)
}

/// The sessions that are live, oldest first. The end of those whose time is over is noted on the way: so there are
/// never more of them than a player may have live ones.
fn live(draft: &mut Draft<'_, '_>) -> Result<Vec<Session>, Stop> {
    let now = draft.now();
    let (live, over): (Vec<_>, Vec<_>) = draft
        .unended_sessions()?
        .iter()
        .cloned()
        .partition(|one| one.is_live(now));
    for session in over {
        let (at, reason) = (session.expires_at, session.expiry());
        end(draft, session, at, reason);
    }
    Ok(live)
}

/// Makes room for one more session, by the rule for one too many.
fn make_room(
    draft: &mut Draft<'_, '_>,
    live: &[Session],
    same: Vec<&Session>,
    max: usize,
) -> Result<(), Stop> {
    let too_many = (same.len() + 1).saturating_sub(max.max(1));
    if too_many > 0 && draft.rules().when_full == WhenFull::Refuse {
        let detail = format!("the player has {} live sessions", same.len());
        return Err(Stop::refuse(RefusalCode::SessionLimit, detail));
    }
    for oldest in same.into_iter().take(too_many) {
        end_with_games(draft, live, oldest, SessionEnd::Replaced);
    }
    Ok(())
}

/// Ends a session and, first, the games that were launched from it.
fn end_with_games(
    draft: &mut Draft<'_, '_>,
    live: &[Session],
    session: &Session,
    reason: SessionEnd,
) {
    let now = draft.now();
    for game in live.iter().filter(|one| one.login == Some(session.id)) {
        end(draft, game.clone(), now, SessionEnd::LoggedOut);
    }
    end(draft, session.clone(), now, reason);
}

fn end(draft: &mut Draft<'_, '_>, mut session: Session, at: Timestamp, reason: SessionEnd) {
    session.ended_at = Some(at);
    session.end = Some(reason);
    match session.kind {
        SessionKind::Game => {
            let ended = EndedGameSession {
                session: GameSession::of(&session),
                reason,
            };
            if reason.is_expiry() {
                draft.event(None, &SessionExpired(ended));
            } else {
                draft.event(None, &SessionEnded(ended));
            }
        }
        SessionKind::Player => {
            let ended = EndedLogin {
                login: Login::of(&session),
                reason,
            };
            if reason.is_expiry() {
                draft.event(None, &LoginExpired(ended));
            } else {
                draft.event(None, &LoggedOut(ended));
            }
        }
    }
    draft.put_session(session);
}
