//! Which of our game sessions a bet belongs to. Version 2 asks the same way.

use pitboss_wallet::{Currency, PlayerId, SessionId};
use uuid::Uuid;

use crate::{Account, Allowed, Known, Lookup, ParseError, Setting, fields::Fields};

const OURS: &str = "ours";

/// Whose id `session_id` is.
pub(crate) const SESSION: Setting = Setting {
    name: "session",
    meaning: "newest: session_id is the provider's own, and a bet belongs to the player's newest live session with this account in its currency. ours: session_id is the session or the token of our launch; without one, as newest.",
    default: "newest",
    allowed: Allowed::OneOf(&["newest", OURS]),
};

/// Our session or token in the request, where the account has the provider send it.
fn named<'a>(account: &Account, fields: &Fields<'a>) -> Result<Option<&'a str>, ParseError> {
    if account.settings.get(&SESSION) != OURS {
        return Ok(None);
    }
    let named = fields.optional_text("session_id")?;
    Ok(named.filter(|text| !text.is_empty()))
}

/// Whom the server has to find before a bet can be read.
pub(crate) fn lookup(
    account: &Account,
    fields: &Fields<'_>,
    player: PlayerId,
    currency: Currency,
) -> Result<Option<Lookup>, ParseError> {
    Ok(match named(account, fields)? {
        Some(text) if SessionId::parse(text).is_ok() => None,
        Some(token) => Some(Lookup::Token(token.to_owned())),
        None => Some(Lookup::LiveSession { player, currency }),
    })
}

/// The session of a bet. Where there is none it is one that nobody has: the stored transaction is looked for first (T3).
pub(crate) fn of(
    account: &Account,
    fields: &Fields<'_>,
    known: &Known<'_>,
) -> Result<SessionId, ParseError> {
    let named = named(account, fields)?;
    let named = named.and_then(|text| SessionId::parse(text).ok());
    let found = known.found.as_ref().and_then(|found| found.session);
    Ok(named.or(found).unwrap_or(SessionId(Uuid::nil())))
}
