//! Rounds: searched, shown with all that happened in them, and those that are not finished.

use pitboss_wallet::{
    Currency, Fingerprint, GameId, PlayerId, ProviderId, RoundId, RoundState, SessionId, Timestamp,
};
use uuid::Uuid;

use super::{Found, count, floor_number, found, ids_of};
use crate::{
    RoundRow, Store, StoreError, TransactionRow,
    document::{id, named},
    history::{round, transaction},
    moment::Moment,
    store::get,
};

/// What is wanted of the rounds that are looked at. Every field that is set must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoundSearch {
    pub provider: Option<ProviderId>,
    pub game: Option<GameId>,
    pub currency: Option<Currency>,
    pub state: Option<RoundState>,
    /// Opened from this time on.
    pub from: Option<Timestamp>,
    /// Opened before this time.
    pub to: Option<Timestamp>,
}

/// What names a round among all players'.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundKeyRow {
    pub player: PlayerId,
    pub provider: ProviderId,
    /// The game, where the provider's round ids are unique within a game only.
    pub scope: Option<GameId>,
    pub round: RoundId,
}

impl RoundKeyRow {
    fn scope(&self) -> &str {
        self.scope.as_ref().map_or("", GameId::as_str)
    }

    /// The external id of the round's close, as the wallet files it.
    fn close_id(&self) -> String {
        match &self.scope {
            None => self.round.as_str().to_owned(),
            Some(game) => Fingerprint::of(&[game.as_str(), self.round.as_str()]).to_string(),
        }
    }
}

/// A game session in which a round may have been played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayedSession {
    pub id: SessionId,
    pub game: Option<GameId>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

/// Behind which open round a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfinishedPlace {
    pub opened_at: Timestamp,
    pub player: PlayerId,
    pub number: i64,
}

/// Open rounds of an age.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgeOfRounds {
    pub currency: Currency,
    /// Set when they were told apart by it.
    pub provider: Option<ProviderId>,
    pub game: Option<GameId>,
    /// `under_1h`, `under_24h`, `under_7d` or `older`.
    pub age: String,
    pub rounds: i64,
    /// Ledger units.
    pub held: i128,
    pub oldest: Timestamp,
}

impl Store {
    /// Rounds of all players, opened by transactions with ids below `before`; `scan` transactions are looked at.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn search_rounds(
        &self,
        search: &RoundSearch,
        before: Option<Uuid>,
        limit: usize,
        scan: usize,
    ) -> Result<Found<RoundRow, Uuid>, StoreError> {
        let (least, most) = ids_of(search.from, search.to);
        let below = before.map_or(most, |before| before.min(most));
        let (floor, looked_at_to) = self.floor(below, least, scan).await?;
        let rows = self
            .rows(
                "search rounds",
                include_str!("../../queries/rounds_newest.sql"),
                &[
                    &below,
                    &floor,
                    &search.provider.as_ref().map(ProviderId::as_str),
                    &search.game.as_ref().map(GameId::as_str),
                    &search.currency.map(Currency::code),
                    &search.state.map(RoundState::as_str),
                    &search.from.map(Moment),
                    &search.to.map(Moment),
                    &count(limit),
                ],
            )
            .await?;
        let with_id = |row| Ok((round(row)?, get::<Uuid>(row, "opened_by")?));
        let rows = rows.iter().map(with_id);
        let rows: Vec<(RoundRow, Uuid)> = rows.collect::<Result<_, StoreError>>()?;
        let Found { rows, next } = found(rows, limit, |(_, id)| *id, looked_at_to);
        let rows = rows.into_iter().map(|(round, _)| round).collect();
        Ok(Found { rows, next })
    }

    /// Rounds of a player, opened by his transactions with numbers below `before`. `None`: there is no such player.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn search_player_rounds(
        &self,
        player: &PlayerId,
        search: &RoundSearch,
        before: Option<i64>,
        limit: usize,
        scan: usize,
    ) -> Result<Option<Found<RoundRow, i64>>, StoreError> {
        let numbers = self.numbers_of(player, search.from, search.to, before);
        let Some((first, below)) = numbers.await? else {
            return Ok(None);
        };
        let open = search.state.is_none_or(RoundState::is_open);
        let ended = search.state.is_none_or(|state| !state.is_open());
        let is_all = RoundSearch {
            from: None,
            to: None,
            ..search.clone()
        } == RoundSearch::default();
        // Of the open ones a player has few.
        let floor = floor_number(!is_all && ended, first, below, scan);
        let rows = self
            .rows(
                "search a player's rounds",
                include_str!("../../queries/rounds_of_player.sql"),
                &[
                    &player.as_str(),
                    &below,
                    &floor,
                    &open,
                    &ended,
                    &search.provider.as_ref().map(ProviderId::as_str),
                    &search.game.as_ref().map(GameId::as_str),
                    &search.currency.map(Currency::code),
                    &search.state.map(RoundState::as_str),
                    &search.from.map(Moment),
                    &search.to.map(Moment),
                    &count(limit),
                ],
            )
            .await?;
        let rows = rows.iter().map(round).collect::<Result<_, _>>()?;
        let looked_at_to = (floor > first).then_some(floor);
        let number = |row: &RoundRow| row.number;
        Ok(Some(found(rows, limit, number, looked_at_to)))
    }

    /// The round of this name.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn round(&self, key: &RoundKeyRow) -> Result<Option<RoundRow>, StoreError> {
        let sql = include_str!("../../queries/round_by_key.sql");
        let row = self
            .row(
                "read a round",
                sql,
                &[
                    &key.player.as_str(),
                    &key.provider.as_str(),
                    &key.scope(),
                    &key.round.as_str(),
                ],
            )
            .await?;
        row.as_ref().map(round).transpose()
    }

    /// What happened in a round, newest first, of the player's transactions below number `before`.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn round_transactions(
        &self,
        key: &RoundKeyRow,
        before: i64,
        limit: usize,
    ) -> Result<Vec<TransactionRow>, StoreError> {
        let sql = include_str!("../../queries/round_transactions.sql");
        let rows = self
            .rows(
                "read a round's transactions",
                sql,
                &[
                    &key.player.as_str(),
                    &key.provider.as_str(),
                    &key.scope(),
                    &key.round.as_str(),
                    &key.close_id(),
                    &before,
                    &count(limit),
                ],
            )
            .await?;
        rows.iter().map(transaction).collect()
    }

    /// The events that tell of a round, decided in this time, of the player's first `scan` decisions in it; none when
    /// they are no longer kept.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn round_events(
        &self,
        key: &RoundKeyRow,
        (opened, touched): (Timestamp, Timestamp),
        scan: usize,
    ) -> Result<Vec<String>, StoreError> {
        let sql = include_str!("../../queries/round_events.sql");
        let rows = self
            .rows(
                "read a round's events",
                sql,
                &[
                    &key.player.as_str(),
                    &Moment(opened),
                    &key.provider.as_str(),
                    &key.round.as_str(),
                    &Moment(touched),
                    &count(scan),
                ],
            )
            .await?;
        rows.iter().map(|row| get(row, "body")).collect()
    }

    /// The newest game sessions in which a round that was open in this time may have been played. No session of a
    /// player lives longer than `life_s`.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn round_sessions(
        &self,
        key: &RoundKeyRow,
        (opened, ended): (Timestamp, Timestamp),
        life_s: i64,
        limit: usize,
    ) -> Result<Vec<PlayedSession>, StoreError> {
        let (first, before) = ids_of(Some(opened.plus_seconds(-life_s)), Some(ended));
        let sql = include_str!("../../queries/round_sessions.sql");
        let rows = self
            .rows(
                "read a round's sessions",
                sql,
                &[
                    &key.player.as_str(),
                    &key.provider.as_str(),
                    &Moment(opened),
                    &Moment(ended),
                    &first,
                    &before,
                    &count(limit),
                ],
            )
            .await?;
        let session = |row| {
            let game: Option<&str> = get(row, "game_id")?;
            Ok(PlayedSession {
                id: SessionId(get(row, "id")?),
                game: id(game.map(GameId::new).transpose())?,
                created_at: get::<Moment>(row, "created_at")?.0,
                expires_at: get::<Moment>(row, "expires_at")?.0,
                ended_at: get::<Option<Moment>>(row, "ended_at")?.map(|at| at.0),
            })
        };
        rows.iter().map(session).collect()
    }

    /// Rounds that are open and were opened by this time, oldest first.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn unfinished_rounds(
        &self,
        opened_by: Timestamp,
        provider: Option<&ProviderId>,
        currency: Option<Currency>,
        after: Option<&UnfinishedPlace>,
        limit: usize,
    ) -> Result<Vec<RoundRow>, StoreError> {
        let sql = include_str!("../../queries/unfinished_rounds.sql");
        let rows = self
            .rows(
                "list unfinished rounds",
                sql,
                &[
                    &Moment(opened_by),
                    &provider.map(ProviderId::as_str),
                    &currency.map(Currency::code),
                    &after.map(|after| Moment(after.opened_at)),
                    &after.map(|after| after.player.as_str()),
                    &after.map(|after| after.number),
                    &count(limit),
                ],
            )
            .await?;
        rows.iter().map(round).collect()
    }

    /// How many rounds are open at this moment, and what they hold, by age and currency.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn unfinished_ages(
        &self,
        at: Timestamp,
        provider: Option<&ProviderId>,
        currency: Option<Currency>,
    ) -> Result<Vec<AgeOfRounds>, StoreError> {
        let sql = include_str!("../../queries/unfinished_ages.sql");
        let rows = self
            .rows(
                "add unfinished rounds up",
                sql,
                &[
                    &Moment(at),
                    &provider.map(ProviderId::as_str),
                    &currency.map(Currency::code),
                    &false,
                    &true,
                ],
            )
            .await?;
        rows.iter().map(age_of_rounds).collect()
    }
}

pub(crate) fn age_of_rounds(row: &tokio_postgres::Row) -> Result<AgeOfRounds, StoreError> {
    let optional = |column: &str| get::<Option<&str>>(row, column);
    Ok(AgeOfRounds {
        currency: named("currency", get(row, "currency")?, Currency::from_code)?,
        provider: id(optional("provider_id")?.map(ProviderId::new).transpose())?,
        game: id(optional("game_id")?.map(GameId::new).transpose())?,
        age: get(row, "age")?,
        rounds: get(row, "rounds")?,
        held: get::<&str>(row, "held")?
            .parse()
            .map_err(StoreError::corrupt)?,
        oldest: get::<Moment>(row, "oldest")?.0,
    })
}
