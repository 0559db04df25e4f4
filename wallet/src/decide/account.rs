//! Accounts and sessions: opening, deposits, launches, status.

use super::{
    Stop,
    draft::{Draft, Lookup, Movement},
    game,
    keys::{deposit_fingerprint, deposit_key},
    stored::{mismatch, replay, settled},
};
use crate::{
    Account, Authenticate, Balance, BalanceView, Currency, Deposit, Fact, Funding, GameStanding,
    GameSwitch, Launch, Money, OpenSession, Refusal, RefusalCode, Registration, Reply, Session,
    SessionId, SessionKind, SessionReply, SetStatus, Wallet,
    event_data::{
        AccountOpened, DepositCompleted, GameSession, Launched, Registered, SessionEnded,
        SessionStarted, StatusChanged,
    },
};

pub(super) fn open(draft: &mut Draft<'_, '_>, currency: Currency) -> Result<Reply, Stop> {
    if let Ok(balance) = draft.balance(currency) {
        return Ok(Reply::Balance(balance));
    }
    let wallet = Wallet::new(currency);
    draft.put_wallet(wallet);
    let opened = AccountOpened {
        currency,
        balance: wallet.balance().into(),
    };
    draft.event(None, &opened);
    Ok(Reply::Balance(wallet.balance()))
}

pub(super) fn deposit(draft: &mut Draft<'_, '_>, deposit: &Deposit) -> Result<Reply, Stop> {
    let malformed = |detail: String| Refusal::new(RefusalCode::Malformed, detail);
    let Money { units, currency } = deposit.amount;
    if units <= 0 {
        return Err(malformed("a deposit is above 0".to_owned()).into());
    }
    let key = deposit_key(deposit).map_err(|error| malformed(error.to_string()))?;
    let fingerprint = deposit_fingerprint(deposit.amount);
    match draft.stored(&key) {
        Lookup::Found(stored)
            if stored.player == draft.state().id && stored.fingerprint == fingerprint =>
        {
            return Err(Stop::Answer(replay(draft, vec![stored.receipt])));
        }
        Lookup::Found(stored) => return Err(mismatch(draft, &stored).into()),
        // The reference is unique among all players, whom this actor does not know: ask at once.
        Lookup::Unknown => return Err(Stop::Need(vec![Fact::Transaction(key)])),
        Lookup::Absent => {}
    }
    if !draft.state().status.may_enter() {
        let detail = "the player may not bring money";
        return Err(Refusal::new(RefusalCode::PlayerBlocked, detail).into());
    }
    let postings = draft.post(
        currency,
        &[(Account::PspClearing, -units), (Account::Cash, units)],
    )?;
    let mut movement = Movement::record(key, fingerprint);
    movement.amount = Some(deposit.amount);
    movement.funding = Funding {
        cash: units,
        bonus: 0,
    };
    movement.postings = postings;
    let receipt = draft.record(movement);
    let deposited = DepositCompleted {
        reference: &deposit.reference,
        amount: deposit.amount,
        currency,
        balance: receipt.balance.map(BalanceView::from),
    };
    draft.event(Some(receipt.transaction), &deposited);
    Ok(settled(draft, vec![receipt], false))
}

pub(super) fn open_session(draft: &mut Draft<'_, '_>, open: &OpenSession) -> Result<Reply, Stop> {
    let balance = may_log_in(draft, open)
        .map_err(|refusal| not_on_memory_alone(draft, open.session, refusal))?;
    let session = Session {
        id: open.session,
        kind: SessionKind::Player,
        currency: open.currency,
        provider: None,
        game: None,
        expires_at: open.expires_at,
        ended_at: None,
        token_expires_at: None,
    };
    draft.put_session(session, Some(open.token_hash));
    Ok(Reply::Session(SessionReply {
        session: open.session,
        balance,
    }))
}

/// Whether the player may log in, as far as is known.
fn may_log_in(draft: &Draft<'_, '_>, open: &OpenSession) -> Result<Balance, Refusal> {
    if !draft.state().status.may_enter() {
        let detail = "the player may not log in";
        return Err(Refusal::new(RefusalCode::PlayerBlocked, detail));
    }
    draft.balance(open.currency)
}

/// Another owner may have let the player in since. The question about the new session brings the player's version.
fn not_on_memory_alone(draft: &Draft<'_, '_>, session: SessionId, refusal: Refusal) -> Stop {
    let question = Fact::Session(session);
    if draft.is_unknown(&question) {
        Stop::Need(vec![question])
    } else {
        refusal.into()
    }
}

/// Whether the player may launch this game, as far as is known.
fn may_launch(draft: &Draft<'_, '_>, launch: &Launch) -> Result<Balance, Refusal> {
    let balance = draft.balance(launch.currency)?;
    if !draft.state().status.may_bet() {
        let detail = "the player may not play";
        return Err(Refusal::new(RefusalCode::PlayerBlocked, detail));
    }
    match game::admit(&launch.standing, draft.state().country, launch.currency)? {
        GameSwitch::Enabled => Ok(balance),
        GameSwitch::Finishing | GameSwitch::Disabled => {
            let detail = "the game is disabled";
            Err(Refusal::new(RefusalCode::GameDisabled, detail))
        }
    }
}

pub(super) fn launch(draft: &mut Draft<'_, '_>, launch: &Launch) -> Result<Reply, Stop> {
    let balance = may_launch(draft, launch)
        .map_err(|refusal| not_on_memory_alone(draft, launch.session, refusal))?;
    let session = Session {
        id: launch.session,
        kind: SessionKind::Game,
        currency: launch.currency,
        provider: Some(launch.provider.clone()),
        game: Some(launch.game.clone()),
        expires_at: launch.expires_at,
        ended_at: None,
        token_expires_at: Some(launch.token_expires_at),
    };
    draft.event(None, &Launched(GameSession::of(&session)));
    draft.put_session(session, Some(launch.token_hash));
    Ok(Reply::Session(SessionReply {
        session: launch.session,
        balance,
    }))
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
    if session.ended_at.is_some() || token_expires_at <= now || session.expires_at <= now {
        return Err(Stop::refuse(
            RefusalCode::SessionExpired,
            "the launch token is too old",
        ));
    }
    let balance = draft.balance(session.currency)?;
    session.token_expires_at = None;
    draft.event(None, &SessionStarted(GameSession::of(&session)));
    let id = session.id;
    draft.put_session(session, None);
    Ok(Reply::Session(SessionReply {
        session: id,
        balance,
    }))
}

/// Ends a session; one that is over stays as it is.
pub(super) fn end_session(draft: &mut Draft<'_, '_>, id: SessionId) -> Result<Reply, Stop> {
    let session = draft.session(id)?;
    end(draft, session);
    Ok(Reply::Done)
}

fn end(draft: &mut Draft<'_, '_>, mut session: Session) {
    if session.ended_at.is_none() {
        session.ended_at = Some(draft.now());
        if session.kind == SessionKind::Game {
            draft.event(None, &SessionEnded(GameSession::of(&session)));
        }
        draft.put_session(session, None);
    }
}

/// The first thing that is told of a player: whoever registers him again changes nothing.
pub(super) fn register(
    draft: &mut Draft<'_, '_>,
    registration: &Registration,
) -> Result<Reply, Stop> {
    if draft.state().last_event == 0 {
        let registered = Registered {
            country: &registration.country,
            language: &registration.language,
            test: registration.test,
        };
        draft.event(None, &registered);
    }
    Ok(Reply::Done)
}

/// A player who may not enter has no session either: all of them end in the same decision.
pub(super) fn set_status(draft: &mut Draft<'_, '_>, set: &SetStatus) -> Result<Reply, Stop> {
    if !set.status.may_enter() {
        let Some(sessions) = draft.live_sessions() else {
            return Err(Stop::Need(vec![Fact::LiveSessions]));
        };
        for session in sessions {
            end(draft, session.clone());
        }
    }
    let changed = StatusChanged {
        status: set.status,
        from: draft.state().status,
        reason: &set.reason,
        by: &set.by,
    };
    draft.event(None, &changed);
    draft.set_status(set.status);
    Ok(Reply::Done)
}
