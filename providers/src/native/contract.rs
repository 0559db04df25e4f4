//! What each action takes and answers, as schemas.
//!
//! The types of requests here are never made: `request` reads bodies by hand, so that every complaint names its field.
//! A test sends the examples of the manual, which are validated against these schemas, through the reader.

#![allow(dead_code, reason = "read by the derive alone")]

use pitboss_wallet::{Currency, ExternalId, GameId, Money, PlayerId, RoundId, SessionId, WinKind};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::{MAX_ACTIONS, answer};

/// One action of the protocol.
pub struct Action {
    pub name: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// A body, as the manual has it.
    pub example: &'static str,
    request: fn(&mut SchemaGenerator) -> Schema,
}

impl Action {
    pub fn request(&self, generator: &mut SchemaGenerator) -> Schema {
        (self.request)(generator)
    }

    pub fn answer(&self, generator: &mut SchemaGenerator) -> Schema {
        answer::schema(self.name, generator)
    }
}

/// Every action.
pub const ACTIONS: &[Action] = &[
    Action {
        name: "authenticate",
        summary: "Exchanges a launch token for a session, once",
        example: r#"{"token":"the token from the launch URL"}"#,
        request: schema_of::<Authenticate>,
    },
    Action {
        name: "balance",
        summary: "Tells a player's balance",
        example: r#"{"player":"alice","currency":"EUR"}"#,
        request: schema_of::<Balance>,
    },
    Action {
        name: "bet",
        summary: "Takes an amount from the player",
        example: r#"{"transaction_id":"b-1001","player":"alice","session":"ses_0192f3a0c0de7000800000000000a11c","game":"dice","round":"r-77","amount":"2.50","currency":"EUR"}"#,
        request: schema_of::<Bet>,
    },
    Action {
        name: "win",
        summary: "Pays an amount to the player",
        example: r#"{"transaction_id":"w-1001","player":"alice","game":"dice","round":"r-77","amount":"4.95","currency":"EUR","bet_transaction_id":"b-1001","round_closed":true}"#,
        request: schema_of::<Win>,
    },
    Action {
        name: "bet_win",
        summary: "Carries out bets and wins of one round, in order, all or nothing",
        example: r#"{"player":"alice","session":"ses_0192f3a0c0de7000800000000000a11c","game":"slot","round":"r-78","currency":"EUR","actions":[{"type":"bet","transaction_id":"b-1002","amount":"1.00"},{"type":"win","transaction_id":"w-1002","amount":"0.40"}],"round_closed":true}"#,
        request: schema_of::<BetWin>,
    },
    Action {
        name: "rollback",
        summary: "Takes a bet or a win back, whole",
        example: r#"{"transaction_id":"rb-1","player":"alice","target_transaction_id":"b-1003","round":"r-79"}"#,
        request: schema_of::<Rollback>,
    },
    Action {
        name: "close_round",
        summary: "Ends a round",
        example: r#"{"player":"alice","game":"dice","round":"r-79"}"#,
        request: schema_of::<CloseRound>,
    },
];

fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

#[derive(JsonSchema)]
#[schemars(rename = "CallbackAuthenticateRequest")]
struct Authenticate {
    /// Of the launch URL.
    #[schemars(length(min = 1))]
    token: String,
}

#[derive(JsonSchema)]
#[schemars(rename = "CallbackBalanceRequest")]
struct Balance {
    player: PlayerId,
    currency: Currency,
}

#[derive(JsonSchema)]
#[schemars(rename = "CallbackBetRequest")]
struct Bet {
    transaction_id: ExternalId,
    player: PlayerId,
    /// As `authenticate` answered it; it must be live.
    session: SessionId,
    game: GameId,
    /// The first bet of a round opens it.
    round: RoundId,
    amount: Money,
    currency: Currency,
    /// No more bets after this one.
    round_closed: Option<bool>,
    /// The free round that this bet is; its amount is `0`.
    free_round: Option<ExternalId>,
    /// The part of the amount that goes to a jackpot.
    jackpot_contribution: Option<Money>,
}

#[derive(JsonSchema)]
#[schemars(rename = "CallbackWinRequest")]
struct Win {
    transaction_id: ExternalId,
    player: PlayerId,
    game: GameId,
    round: RoundId,
    /// `0` is a loss that is told.
    amount: Money,
    currency: Currency,
    /// The bet that it settles; it must be known.
    bet_transaction_id: Option<ExternalId>,
    kind: Option<WinKind>,
    /// No more bets after this one.
    round_closed: Option<bool>,
}

#[derive(JsonSchema)]
#[schemars(rename = "CallbackBetWinRequest")]
struct BetWin {
    player: PlayerId,
    /// As `authenticate` answered it; it must be live.
    session: SessionId,
    game: GameId,
    round: RoundId,
    currency: Currency,
    #[schemars(length(min = 1, max = MAX_ACTIONS))]
    actions: Vec<Step>,
    /// No more bets after these.
    round_closed: Option<bool>,
}

#[derive(JsonSchema)]
#[schemars(rename = "CallbackBetWinStep")]
struct Step {
    r#type: StepKind,
    transaction_id: ExternalId,
    amount: Money,
}

#[derive(JsonSchema)]
#[schemars(rename = "CallbackBetWinStepType", rename_all = "snake_case")]
enum StepKind {
    Bet,
    Win,
}

#[derive(JsonSchema)]
#[schemars(rename = "CallbackRollbackRequest")]
struct Rollback {
    transaction_id: ExternalId,
    player: PlayerId,
    /// Need not be known: it is blocked then.
    target_transaction_id: ExternalId,
    /// For information: the target's own round counts.
    round: Option<RoundId>,
}

#[derive(JsonSchema)]
#[schemars(rename = "CallbackCloseRoundRequest")]
struct CloseRound {
    player: PlayerId,
    game: GameId,
    round: RoundId,
}
