// Made by `npm run generate` from the contract of a server, /asyncapi.json. Do not change it by hand.

/**
 * `wallet.bet_rolled_back`
 */
export type BetRolledBack = Reversal;
/**
 * A currency's code, upper case. Today: AUD, BRL, BTC, CAD, CHF, CZK, DKK, ETH, EUR, GBP, INR, JPY, LTC, MXN, NOK, NZD, PLN, SEK, TRY, USD, USDC, USDT, ZAR. Others may be added.
 */
export type Currency = string;
/**
 * Which of the two worlds a record belongs to. Nothing ever crosses (INV-12).
 */
export type Environment = "sandbox" | "live";
/**
 * A transaction id given by the other side (T1): text, any characters, never parsed. U+0000 alone is refused: Postgres cannot keep it in a text, and no provider's format carries it.
 */
export type ExternalId = string;
/**
 * A game, by the id that its provider uses in callbacks.
 */
export type GameId = string;
/**
 * `game.launched`
 */
export type Launched = GameSession;
/**
 * An amount in major units of the currency beside it, as exact decimal text: `12.50`, `0.403604`. Never a JSON number.
 */
export type Money = string;
/**
 * A player, by the operator's own id.
 */
export type PlayerId = string;
/**
 * A provider account: one integration with one game provider.
 */
export type ProviderId = string;
/**
 * `game.round_closed`
 */
export type RoundClosed = Round;
/**
 * A round id given by the provider: text, any characters but U+0000, never parsed.
 */
export type RoundId = string;
/**
 * `game.round_opened`
 */
export type RoundOpened = Round;
/**
 * `open -> closed | voided`, and `interrupted` in between.
 */
export type RoundState = ("open" | "closed") | "interrupted" | "voided";
/**
 * `game.session_ended`
 */
export type SessionEnded = GameSession;
/**
 * Our id of a player's or game's session: `ses_` and the 32 hexadecimal digits of a UUID.
 */
export type SessionId = string;
/**
 * `game.session_started`
 */
export type SessionStarted = GameSession;
/**
 * A moment: RFC 3339 in UTC, with up to six digits of a second.
 */
export type Timestamp = string;
/**
 * Our id of a ledger transaction: `tx_` and the 32 hexadecimal digits of a UUID.
 */
export type TransactionId = string;
/**
 * What a win is paid for. Only an ordinary win belongs to a bet (T8).
 */
export type WinKind = "ordinary" | "free" | "jackpot" | "promo" | "tournament" | "correction";
/**
 * `wallet.win_rolled_back`
 */
export type WinRolledBack = Reversal;

/**
 * All types of events, by name.
 */
export interface EventByType {
  "config.changed": ConfigChanged;
  "game.launched": GameLaunched;
  "game.round_closed": GameRoundClosed;
  "game.round_opened": GameRoundOpened;
  "game.round_voided": GameRoundVoided;
  "game.session_ended": GameSessionEnded;
  "game.session_started": GameSessionStarted;
  "key.changed": KeyChanged;
  "key.created": KeyCreated;
  "key.revoked": KeyRevoked;
  "key.rotated": KeyRotated;
  "wallet.account_opened": WalletAccountOpened;
  "wallet.bet_debited": WalletBetDebited;
  "wallet.bet_rolled_back": WalletBetRolledBack;
  "wallet.deposit_completed": WalletDepositCompleted;
  "wallet.negative_balance": WalletNegativeBalance;
  "wallet.win_credited": WalletWinCredited;
  "wallet.win_rolled_back": WalletWinRolledBack;
}
/**
 * `wallet.account_opened`
 */
export interface AccountOpened {
  /**
   * All of it 0.
   */
  balance: Balance;
  currency: Currency;
}
/**
 * What a player has in one currency: `{"currency":"EUR","cash":"12.50","bonus":"0.00","total":"12.50"}`.
 */
export interface Balance {
  /**
   * Bonus money.
   */
  bonus: Money;
  /**
   * Money that may be withdrawn.
   */
  cash: Money;
  currency: Currency;
  /**
   * Cash and bonus together.
   */
  total: Money;
}
/**
 * `wallet.bet_debited`
 */
export interface BetDebited {
  amount: Money;
  /**
   * After the movement.
   */
  balance: Balance | null;
  currency: Currency;
  /**
   * The provider's id of the free round that the bet belongs to.
   */
  free_round?: ExternalId | null;
  funding: Funding;
  game: GameId;
  /**
   * The part of the bet that goes to a jackpot, as the provider told.
   */
  jackpot_contribution?: Money | null;
  /**
   * The round was closed before; absent when it was not.
   */
  late?: boolean;
  provider: ProviderId;
  /**
   * The provider's own id of the transaction that moved the money.
   */
  provider_transaction_id: ExternalId;
  round: RoundId;
}
/**
 * `wallet.deposit_completed`
 */
export interface DepositCompleted {
  amount: Money;
  /**
   * After the deposit.
   */
  balance: Balance | null;
  currency: Currency;
  /**
   * The operator's own id of the deposit.
   */
  reference: ExternalId;
}
/**
 * Where the money of a bet came from, or where a win went.
 */
export interface Funding {
  bonus: Money;
  cash: Money;
}
/**
 * A player's session in a game.
 */
export interface GameSession {
  currency: Currency;
  /**
   * When it ends by itself.
   */
  expires_at: Timestamp;
  game: GameId | null;
  provider: ProviderId | null;
  session: SessionId;
}
/**
 * `wallet.negative_balance`
 */
export interface NegativeBalance {
  /**
   * What the correction found missing.
   */
  amount: Money;
  /**
   * After the correction.
   */
  balance: Balance;
  currency: Currency;
  /**
   * All that the player owes now.
   */
  owed: Money;
}
/**
 * What a correction takes back.
 */
export interface Reversal {
  amount: Money;
  /**
   * After the movement.
   */
  balance: Balance | null;
  currency: Currency;
  funding: Funding;
  game: GameId;
  /**
   * The round was closed before; absent when it was not.
   */
  late?: boolean;
  provider: ProviderId;
  /**
   * The provider's own id of the transaction that moved the money.
   */
  provider_transaction_id: ExternalId;
  /**
   * Our id of the transaction that is taken back.
   */
  reverses: TransactionId;
  round: RoundId;
  /**
   * The provider's id of the transaction that is taken back.
   */
  target_transaction_id: ExternalId;
}
/**
 * A round, with what is still open in it.
 */
export interface Round {
  /**
   * Bets that stand.
   */
  bets: number;
  /**
   * Since when it takes no more bets; absent while it is open.
   */
  closed_at?: Timestamp | null;
  currency: Currency;
  game: GameId;
  /**
   * The stake while the round is open, then 0.
   */
  held: Money;
  opened_at: Timestamp;
  provider: ProviderId;
  round: RoundId;
  /**
   * Sum of the bets that stand.
   */
  stake: Money;
  state: RoundState;
  /**
   * Wins that stand.
   */
  wins: number;
  /**
   * Sum of the wins that stand.
   */
  won: Money;
}
/**
 * `game.round_voided`
 */
export interface RoundVoided {
  /**
   * After everything was taken back.
   */
  balance: Balance | null;
  /**
   * Bets that stand.
   */
  bets: number;
  /**
   * Since when it takes no more bets; absent while it is open.
   */
  closed_at?: Timestamp | null;
  currency: Currency;
  game: GameId;
  /**
   * The stake while the round is open, then 0.
   */
  held: Money;
  opened_at: Timestamp;
  provider: ProviderId;
  /**
   * Why, in the words of whoever voided it.
   */
  reason: string;
  round: RoundId;
  /**
   * Sum of the bets that stand.
   */
  stake: Money;
  state: RoundState;
  /**
   * Wins that stand.
   */
  wins: number;
  /**
   * Sum of the wins that stand.
   */
  won: Money;
}
/**
 * Who did it.
 */
export interface SystemEventActor {
  /**
   * Where the request came from.
   */
  address: string | null;
  /**
   * Which of them: a key's id, a provider's, a player's.
   */
  id: string;
  /**
   * `operator`, `command_line`, `server`, `provider` or `player`; others may be added.
   */
  kind: string;
  /**
   * Whom an operator key is for.
   */
  person: string | null;
}
/**
 * An entry of the audit log.
 */
export interface SystemEventData {
  actor: SystemEventActor;
  /**
   * What it was before and what it is now, and why.
   */
  detail: {
    [k: string]: unknown;
  };
  /**
   * Its number there.
   */
  entry: number;
  /**
   * What it was done to, such as `key/01a2...`.
   */
  subject: string;
}
/**
 * A wallet, each kind of money apart.
 */
export interface Wallet {
  /**
   * Bonus money.
   */
  bonus: Money;
  /**
   * Money that may be withdrawn.
   */
  cash: Money;
  currency: Currency;
  /**
   * Stakes in rounds that are open.
   */
  held_in_rounds: Money;
  /**
   * What the player owes, as a positive amount.
   */
  owed: Money;
  /**
   * Cash and bonus together.
   */
  total: Money;
}
/**
 * `wallet.win_credited`
 */
export interface WinCredited {
  amount: Money;
  /**
   * After the movement.
   */
  balance: Balance | null;
  /**
   * The provider's id of the bet that won, where it names one.
   */
  bet_transaction_id?: ExternalId | null;
  currency: Currency;
  funding: Funding;
  game: GameId;
  /**
   * What the win is paid for. Kinds may be added.
   */
  kind: WinKind;
  /**
   * The round was closed before; absent when it was not.
   */
  late?: boolean;
  provider: ProviderId;
  /**
   * The provider's own id of the transaction that moved the money.
   */
  provider_transaction_id: ExternalId;
  round: RoundId;
}
/**
 * A server was started with another configuration than the one before.
 */
export interface ConfigChanged {
  data: SystemEventData;
  environment: Environment;
  /**
   * Names the event for ever: drop what comes again under the same id. Also that of the entry in the audit log.
   */
  id: string;
  /**
   * Always `null`.
   */
  player: null;
  /**
   * Counts the events that belong to no player: from 1, without a gap.
   */
  seq: number;
  /**
   * When it was done, by the server's clock.
   */
  time: Timestamp;
  /**
   * Always `null`.
   */
  transaction: null;
  /**
   * What happened; the subject on NATS.
   */
  type: "config.changed";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * The player was given the address of a game.
 */
export interface GameLaunched {
  data: Launched;
  environment: Environment;
  /**
   * Names the event for ever: drop what comes again under the same id.
   */
  id: string;
  player: PlayerId;
  /**
   * Counts this player's events: from 1, without a gap.
   */
  seq: number;
  /**
   * When it was decided, by the server's clock.
   */
  time: Timestamp;
  /**
   * The ledger transaction that it tells of, where it tells of one.
   */
  transaction: TransactionId | null;
  /**
   * What happened; the subject on NATS.
   */
  type: "game.launched";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * The round takes no more bets.
 */
export interface GameRoundClosed {
  data: RoundClosed;
  environment: Environment;
  /**
   * Names the event for ever: drop what comes again under the same id.
   */
  id: string;
  player: PlayerId;
  /**
   * Counts this player's events: from 1, without a gap.
   */
  seq: number;
  /**
   * When it was decided, by the server's clock.
   */
  time: Timestamp;
  /**
   * The ledger transaction that it tells of, where it tells of one.
   */
  transaction: TransactionId | null;
  /**
   * What happened; the subject on NATS.
   */
  type: "game.round_closed";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * A round has its first bet, or a win that came before it.
 */
export interface GameRoundOpened {
  data: RoundOpened;
  environment: Environment;
  /**
   * Names the event for ever: drop what comes again under the same id.
   */
  id: string;
  player: PlayerId;
  /**
   * Counts this player's events: from 1, without a gap.
   */
  seq: number;
  /**
   * When it was decided, by the server's clock.
   */
  time: Timestamp;
  /**
   * The ledger transaction that it tells of, where it tells of one.
   */
  transaction: TransactionId | null;
  /**
   * What happened; the subject on NATS.
   */
  type: "game.round_opened";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * A whole round was taken back.
 */
export interface GameRoundVoided {
  data: RoundVoided;
  environment: Environment;
  /**
   * Names the event for ever: drop what comes again under the same id.
   */
  id: string;
  player: PlayerId;
  /**
   * Counts this player's events: from 1, without a gap.
   */
  seq: number;
  /**
   * When it was decided, by the server's clock.
   */
  time: Timestamp;
  /**
   * The ledger transaction that it tells of, where it tells of one.
   */
  transaction: TransactionId | null;
  /**
   * What happened; the subject on NATS.
   */
  type: "game.round_voided";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * A game session is over before its time.
 */
export interface GameSessionEnded {
  data: SessionEnded;
  environment: Environment;
  /**
   * Names the event for ever: drop what comes again under the same id.
   */
  id: string;
  player: PlayerId;
  /**
   * Counts this player's events: from 1, without a gap.
   */
  seq: number;
  /**
   * When it was decided, by the server's clock.
   */
  time: Timestamp;
  /**
   * The ledger transaction that it tells of, where it tells of one.
   */
  transaction: TransactionId | null;
  /**
   * What happened; the subject on NATS.
   */
  type: "game.session_ended";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * The provider took the launched session over.
 */
export interface GameSessionStarted {
  data: SessionStarted;
  environment: Environment;
  /**
   * Names the event for ever: drop what comes again under the same id.
   */
  id: string;
  player: PlayerId;
  /**
   * Counts this player's events: from 1, without a gap.
   */
  seq: number;
  /**
   * When it was decided, by the server's clock.
   */
  time: Timestamp;
  /**
   * The ledger transaction that it tells of, where it tells of one.
   */
  transaction: TransactionId | null;
  /**
   * What happened; the subject on NATS.
   */
  type: "game.session_started";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * The name, scopes, addresses, rate or expiry of an operator key were changed.
 */
export interface KeyChanged {
  data: SystemEventData;
  environment: Environment;
  /**
   * Names the event for ever: drop what comes again under the same id. Also that of the entry in the audit log.
   */
  id: string;
  /**
   * Always `null`.
   */
  player: null;
  /**
   * Counts the events that belong to no player: from 1, without a gap.
   */
  seq: number;
  /**
   * When it was done, by the server's clock.
   */
  time: Timestamp;
  /**
   * Always `null`.
   */
  transaction: null;
  /**
   * What happened; the subject on NATS.
   */
  type: "key.changed";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * An operator key was made.
 */
export interface KeyCreated {
  data: SystemEventData;
  environment: Environment;
  /**
   * Names the event for ever: drop what comes again under the same id. Also that of the entry in the audit log.
   */
  id: string;
  /**
   * Always `null`.
   */
  player: null;
  /**
   * Counts the events that belong to no player: from 1, without a gap.
   */
  seq: number;
  /**
   * When it was done, by the server's clock.
   */
  time: Timestamp;
  /**
   * Always `null`.
   */
  transaction: null;
  /**
   * What happened; the subject on NATS.
   */
  type: "key.created";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * An operator key was revoked.
 */
export interface KeyRevoked {
  data: SystemEventData;
  environment: Environment;
  /**
   * Names the event for ever: drop what comes again under the same id. Also that of the entry in the audit log.
   */
  id: string;
  /**
   * Always `null`.
   */
  player: null;
  /**
   * Counts the events that belong to no player: from 1, without a gap.
   */
  seq: number;
  /**
   * When it was done, by the server's clock.
   */
  time: Timestamp;
  /**
   * Always `null`.
   */
  transaction: null;
  /**
   * What happened; the subject on NATS.
   */
  type: "key.revoked";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * An operator key was given a new secret.
 */
export interface KeyRotated {
  data: SystemEventData;
  environment: Environment;
  /**
   * Names the event for ever: drop what comes again under the same id. Also that of the entry in the audit log.
   */
  id: string;
  /**
   * Always `null`.
   */
  player: null;
  /**
   * Counts the events that belong to no player: from 1, without a gap.
   */
  seq: number;
  /**
   * When it was done, by the server's clock.
   */
  time: Timestamp;
  /**
   * Always `null`.
   */
  transaction: null;
  /**
   * What happened; the subject on NATS.
   */
  type: "key.rotated";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * The player has a wallet in a new currency.
 */
export interface WalletAccountOpened {
  data: AccountOpened;
  environment: Environment;
  /**
   * Names the event for ever: drop what comes again under the same id.
   */
  id: string;
  player: PlayerId;
  /**
   * Counts this player's events: from 1, without a gap.
   */
  seq: number;
  /**
   * When it was decided, by the server's clock.
   */
  time: Timestamp;
  /**
   * The ledger transaction that it tells of, where it tells of one.
   */
  transaction: TransactionId | null;
  /**
   * What happened; the subject on NATS.
   */
  type: "wallet.account_opened";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * A bet was taken from the player's wallet.
 */
export interface WalletBetDebited {
  data: BetDebited;
  environment: Environment;
  /**
   * Names the event for ever: drop what comes again under the same id.
   */
  id: string;
  player: PlayerId;
  /**
   * Counts this player's events: from 1, without a gap.
   */
  seq: number;
  /**
   * When it was decided, by the server's clock.
   */
  time: Timestamp;
  /**
   * The ledger transaction that it tells of, where it tells of one.
   */
  transaction: TransactionId | null;
  /**
   * What happened; the subject on NATS.
   */
  type: "wallet.bet_debited";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * A bet was given back.
 */
export interface WalletBetRolledBack {
  data: BetRolledBack;
  environment: Environment;
  /**
   * Names the event for ever: drop what comes again under the same id.
   */
  id: string;
  player: PlayerId;
  /**
   * Counts this player's events: from 1, without a gap.
   */
  seq: number;
  /**
   * When it was decided, by the server's clock.
   */
  time: Timestamp;
  /**
   * The ledger transaction that it tells of, where it tells of one.
   */
  transaction: TransactionId | null;
  /**
   * What happened; the subject on NATS.
   */
  type: "wallet.bet_rolled_back";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * A deposit is in the player's wallet.
 */
export interface WalletDepositCompleted {
  data: DepositCompleted;
  environment: Environment;
  /**
   * Names the event for ever: drop what comes again under the same id.
   */
  id: string;
  player: PlayerId;
  /**
   * Counts this player's events: from 1, without a gap.
   */
  seq: number;
  /**
   * When it was decided, by the server's clock.
   */
  time: Timestamp;
  /**
   * The ledger transaction that it tells of, where it tells of one.
   */
  transaction: TransactionId | null;
  /**
   * What happened; the subject on NATS.
   */
  type: "wallet.deposit_completed";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * A correction found too little: the player owes.
 */
export interface WalletNegativeBalance {
  data: NegativeBalance;
  environment: Environment;
  /**
   * Names the event for ever: drop what comes again under the same id.
   */
  id: string;
  player: PlayerId;
  /**
   * Counts this player's events: from 1, without a gap.
   */
  seq: number;
  /**
   * When it was decided, by the server's clock.
   */
  time: Timestamp;
  /**
   * The ledger transaction that it tells of, where it tells of one.
   */
  transaction: TransactionId | null;
  /**
   * What happened; the subject on NATS.
   */
  type: "wallet.negative_balance";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * A win was paid into the player's wallet.
 */
export interface WalletWinCredited {
  data: WinCredited;
  environment: Environment;
  /**
   * Names the event for ever: drop what comes again under the same id.
   */
  id: string;
  player: PlayerId;
  /**
   * Counts this player's events: from 1, without a gap.
   */
  seq: number;
  /**
   * When it was decided, by the server's clock.
   */
  time: Timestamp;
  /**
   * The ledger transaction that it tells of, where it tells of one.
   */
  transaction: TransactionId | null;
  /**
   * What happened; the subject on NATS.
   */
  type: "wallet.win_credited";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * A win was taken back.
 */
export interface WalletWinRolledBack {
  data: WinRolledBack;
  environment: Environment;
  /**
   * Names the event for ever: drop what comes again under the same id.
   */
  id: string;
  player: PlayerId;
  /**
   * Counts this player's events: from 1, without a gap.
   */
  seq: number;
  /**
   * When it was decided, by the server's clock.
   */
  time: Timestamp;
  /**
   * The ledger transaction that it tells of, where it tells of one.
   */
  transaction: TransactionId | null;
  /**
   * What happened; the subject on NATS.
   */
  type: "wallet.win_rolled_back";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}

export type EventType = keyof EventByType;

/** Any event of a player; `type` tells which. */
export type PlayerEvent = EventByType[EventType];

/** The version of the contract that these types are of. */
export const EVENT_VERSION = 1;

export const EVENT_TYPES: readonly EventType[] = [
  "config.changed",
  "game.launched",
  "game.round_closed",
  "game.round_opened",
  "game.round_voided",
  "game.session_ended",
  "game.session_started",
  "key.changed",
  "key.created",
  "key.revoked",
  "key.rotated",
  "wallet.account_opened",
  "wallet.bet_debited",
  "wallet.bet_rolled_back",
  "wallet.deposit_completed",
  "wallet.negative_balance",
  "wallet.win_credited",
  "wallet.win_rolled_back"
];
