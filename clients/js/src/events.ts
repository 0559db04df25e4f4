// Made by `npm run generate` from the contract of a server, /asyncapi.json. Do not change it by hand.

/**
 * What an adjustment is for.
 */
export type AdjustmentCategory = ("goodwill" | "fraud" | "other") | "correction";
/**
 * `wallet.bet_rolled_back`
 */
export type BetRolledBack = Reversal;
/**
 * A currency's code, upper case. Today: AUD, BRL, BTC, CAD, CHF, CZK, DKK, ETH, EUR, GBP, INR, JPY, LTC, MXN, NOK, NZD, PLN, SEK, TRY, USD, USDC, USDT, ZAR. Others may be added.
 */
export type Currency = string;
/**
 * Which way an adjustment goes, as the player sees it.
 */
export type Direction = "credit" | "debit";
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
 * `player.logged_in`
 */
export type LoggedIn = Login;
/**
 * `player.logged_out`
 */
export type LoggedOut = EndedLogin;
/**
 * `player.session_expired`
 */
export type LoginExpired = EndedLogin;
/**
 * An amount in major units of the currency beside it, as exact decimal text: `12.50`, `0.403604`. Never a JSON number.
 */
export type Money = string;
/**
 * A player, by the operator's own id.
 */
export type PlayerId = string;
/**
 * What the player may do. What is owed to him is paid in any of these (T8).
 */
export type PlayerStatus = "active" | "bets_blocked" | "blocked" | "closed";
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
 * Why a session is over.
 */
export type SessionEnd = "ended" | "logged_out" | "replaced" | "blocked" | "expired_idle" | "expired";
/**
 * `game.session_ended`
 */
export type SessionEnded = EndedGameSession;
/**
 * `game.session_expired`
 */
export type SessionExpired = EndedGameSession;
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
  "game.blocked": GameBlocked;
  "game.changed": GameChanged;
  "game.created": GameCreated;
  "game.disabled": GameDisabled;
  "game.enabled": GameEnabled;
  "game.imported": GameImported;
  "game.launched": GameLaunched;
  "game.round_closed": GameRoundClosed;
  "game.round_opened": GameRoundOpened;
  "game.round_voided": GameRoundVoided;
  "game.session_ended": GameSessionEnded;
  "game.session_expired": GameSessionExpired;
  "game.session_started": GameSessionStarted;
  "game.unblocked": GameUnblocked;
  "game.version_changed": GameVersionChanged;
  "key.changed": KeyChanged;
  "key.created": KeyCreated;
  "key.revoked": KeyRevoked;
  "key.rotated": KeyRotated;
  "player.logged_in": PlayerLoggedIn;
  "player.logged_out": PlayerLoggedOut;
  "player.registered": PlayerRegistered;
  "player.session_expired": PlayerSessionExpired;
  "player.status_changed": PlayerStatusChanged;
  "provider.changed": ProviderChanged;
  "provider.closed": ProviderClosed;
  "provider.created": ProviderCreated;
  "provider.disabled": ProviderDisabled;
  "provider.enabled": ProviderEnabled;
  "provider.old_secret_revoked": ProviderOldSecretRevoked;
  "provider.secret_rotated": ProviderSecretRotated;
  "wallet.account_opened": WalletAccountOpened;
  "wallet.adjusted": WalletAdjusted;
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
 * `wallet.adjusted`
 */
export interface Adjusted {
  /**
   * Above 0, either way.
   */
  amount: Money;
  /**
   * The approval by which it was decided.
   */
  approval: ExternalId;
  /**
   * After the adjustment. A debit of more than there was is followed by `wallet.negative_balance`.
   */
  balance: Balance | null;
  /**
   * Who decided it. Absent on the player's own stream.
   */
  by?: MakerChecker | null;
  /**
   * What it is for. Categories may be added.
   */
  category: AdjustmentCategory;
  currency: Currency;
  /**
   * `credit` to the player, or `debit` from him.
   */
  direction: Direction;
  /**
   * Why, in the words of whoever asked for it. Absent on the player's own stream.
   */
  reason?: string | null;
}
/**
 * What a player has in one currency: `{"currency":"EUR","cash":"12.50","bonus":"0.00","total":"12.50"}`.
 */
export interface Balance {
  /**
   * Bonus money, and what was won with it.
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
 * The person, and the operator key by which he acted.
 */
export interface By {
  /**
   * The id of the operator key.
   */
  key: string;
  /**
   * Whom the key is for.
   */
  person: string;
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
 * A player's session in a game that is over.
 */
export interface EndedGameSession {
  currency: Currency;
  /**
   * When it ends if the player does nothing more in it.
   */
  expires_at: Timestamp;
  game: GameId | null;
  /**
   * The login that it was launched from; absent when the launch named none.
   */
  login?: SessionId | null;
  provider: ProviderId | null;
  /**
   * Why it is over. Reasons may be added.
   */
  reason: SessionEnd;
  session: SessionId;
}
/**
 * A player's login that is over.
 */
export interface EndedLogin {
  currency: Currency;
  /**
   * When it ends if the player does nothing more.
   */
  expires_at: Timestamp;
  /**
   * Why it is over. Reasons may be added.
   */
  reason: SessionEnd;
  session: SessionId;
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
   * When it ends if the player does nothing more in it.
   */
  expires_at: Timestamp;
  game: GameId | null;
  /**
   * The login that it was launched from; absent when the launch named none.
   */
  login?: SessionId | null;
  provider: ProviderId | null;
  session: SessionId;
}
/**
 * A player's login.
 */
export interface Login {
  currency: Currency;
  /**
   * When it ends if the player does nothing more.
   */
  expires_at: Timestamp;
  session: SessionId;
}
/**
 * Who asked for something that needs two persons, and who approved it.
 */
export interface MakerChecker {
  /**
   * Absent where the operator lets one person decide.
   */
  checker?: By | null;
  maker: By;
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
 * `player.registered`
 */
export interface Registered {
  /**
   * ISO 3166-1 alpha-2; absent where the operator told none.
   */
  country?: string | null;
  /**
   * A language tag, such as `de` or `pt-BR`; absent where the operator told none.
   */
  language?: string | null;
  /**
   * A test account: no report counts it.
   */
  test: boolean;
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
   * Who decided it, where people did. Absent on the player's own stream.
   */
  by?: MakerChecker | null;
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
   * Why, in the words of whoever voided it. Absent on the player's own stream.
   */
  reason?: string | null;
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
 * `player.status_changed`
 */
export interface StatusChanged {
  /**
   * Who changed it. Absent on the player's own stream.
   */
  by?: By | null;
  /**
   * What he might do before; the same when it was told again.
   */
  from: PlayerStatus;
  /**
   * Why, in the words of whoever changed it. Absent on the player's own stream.
   */
  reason?: string | null;
  /**
   * What the player may do now. Statuses may be added.
   */
  status: PlayerStatus;
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
   * Bonus money, without what was won with it.
   */
  bonus: Money;
  /**
   * The player's own money.
   */
  cash: Money;
  currency: Currency;
  /**
   * Stakes in rounds that are open; not part of the total.
   */
  held_in_rounds: Money;
  /**
   * What the player owes, as a positive amount.
   */
  owed: Money;
  /**
   * What was won with bonus money and is not the player's own yet.
   */
  restricted_winnings: Money;
  /**
   * Cash, bonus and restricted winnings together.
   */
  total: Money;
  /**
   * Cash, less what the player owes.
   */
  withdrawable: Money;
  /**
   * What a withdrawal that is not paid yet holds; not part of the total.
   */
  withdrawal_hold: Money;
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
 * A player may no longer bet on a game, a category or a provider's games.
 */
export interface GameBlocked {
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
  type: "game.blocked";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * Something of a game was changed besides its switch and its version.
 */
export interface GameChanged {
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
  type: "game.changed";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * A game was put into the catalogue.
 */
export interface GameCreated {
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
  type: "game.created";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * A game was disabled.
 */
export interface GameDisabled {
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
  type: "game.disabled";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * A game was enabled.
 */
export interface GameEnabled {
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
  type: "game.enabled";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * Games were put into the catalogue, or changed, many at once.
 */
export interface GameImported {
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
  type: "game.imported";
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
 * A game session was ended before its time.
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
 * The time of a game session is over.
 */
export interface GameSessionExpired {
  data: SessionExpired;
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
  type: "game.session_expired";
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
 * A player may bet again on what was blocked.
 */
export interface GameUnblocked {
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
  type: "game.unblocked";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * A game has another version or checksum: to a regulator it is another game.
 */
export interface GameVersionChanged {
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
  type: "game.version_changed";
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
 * The player logged in.
 */
export interface PlayerLoggedIn {
  data: LoggedIn;
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
  type: "player.logged_in";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * A login was ended before its time.
 */
export interface PlayerLoggedOut {
  data: LoggedOut;
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
  type: "player.logged_out";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * There is a new player.
 */
export interface PlayerRegistered {
  data: Registered;
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
  type: "player.registered";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * The time of a login is over.
 */
export interface PlayerSessionExpired {
  data: LoginExpired;
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
  type: "player.session_expired";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * The player was blocked, or let in again, or his account was closed.
 */
export interface PlayerStatusChanged {
  data: StatusChanged;
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
  type: "player.status_changed";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * A provider account's name, policy, addresses or log were changed.
 */
export interface ProviderChanged {
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
  type: "provider.changed";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * A provider account takes no more requests.
 */
export interface ProviderClosed {
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
  type: "provider.closed";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * A provider account was made.
 */
export interface ProviderCreated {
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
  type: "provider.created";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * A provider account takes no more bets.
 */
export interface ProviderDisabled {
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
  type: "provider.disabled";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * A provider account takes bets again.
 */
export interface ProviderEnabled {
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
  type: "provider.enabled";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * A provider account's old callback secret was ended before its time.
 */
export interface ProviderOldSecretRevoked {
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
  type: "provider.old_secret_revoked";
  /**
   * Of this type's contract: see the rule for adding fields.
   */
  version: 1;
}
/**
 * A provider account got a new callback secret.
 */
export interface ProviderSecretRotated {
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
  type: "provider.secret_rotated";
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
 * Money was given or taken by hand, as two persons decided.
 */
export interface WalletAdjusted {
  data: Adjusted;
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
  type: "wallet.adjusted";
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
  "game.blocked",
  "game.changed",
  "game.created",
  "game.disabled",
  "game.enabled",
  "game.imported",
  "game.launched",
  "game.round_closed",
  "game.round_opened",
  "game.round_voided",
  "game.session_ended",
  "game.session_expired",
  "game.session_started",
  "game.unblocked",
  "game.version_changed",
  "key.changed",
  "key.created",
  "key.revoked",
  "key.rotated",
  "player.logged_in",
  "player.logged_out",
  "player.registered",
  "player.session_expired",
  "player.status_changed",
  "provider.changed",
  "provider.closed",
  "provider.created",
  "provider.disabled",
  "provider.enabled",
  "provider.old_secret_revoked",
  "provider.secret_rotated",
  "wallet.account_opened",
  "wallet.adjusted",
  "wallet.bet_debited",
  "wallet.bet_rolled_back",
  "wallet.deposit_completed",
  "wallet.negative_balance",
  "wallet.win_credited",
  "wallet.win_rolled_back"
];
