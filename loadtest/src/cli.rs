//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, builder::RangedU64ValueParser, value_parser};

use crate::faults::Scenario;

/// Load driver, baselines and their audit for a running Pitboss sandbox.
#[derive(Debug, Parser)]
#[command(
    name = "loadtest",
    version,
    after_help = "Exit codes: 0 as it should be; 1 a breach, or a figure below its bound; 2 could not be run; 130 interrupted."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Bets over HTTP, each a signed native callback, then the audit of the ledger.
    ///
    /// Without --rate a closed loop: every connection sends its next bet when the last is answered, which shows
    /// what the server can do but hides stalls. With --rate an open loop: a bet is due at its time, and its
    /// latency counts from then, so that a stall is charged to every bet that it kept waiting.
    ///
    /// A bet without an answer, or answered 429 or 5xx, is sent again with the same id, as providers do.
    /// Afterwards every acknowledged bet must be in the ledger exactly once with its amount, every other at
    /// most once, and every balance must be the sum of its postings and must have fallen by what was bet.
    Bets(BetsCommand),
    /// The textbook transaction on the same Postgres, without HTTP: what the server is compared with.
    ///
    /// BEGIN; SELECT the wallet FOR UPDATE; INSERT into the ledger; UPDATE the wallet; INSERT into the outbox;
    /// COMMIT. Prepared statements, one transaction after the other on each connection, in a database of its own
    /// that is dropped afterwards. Refuses to run when fsync or synchronous_commit is off.
    Baseline(BaselineCommand),
    /// Baseline and bets in turn, on one Postgres, and their ratio.
    ///
    /// Without --connection it starts a sandbox of its own (`pitboss sandbox`, from this program's folder) and
    /// stops it afterwards. The ratio is that of the medians.
    Compare(CompareCommand),
    /// Everything that can go wrong, under load, on a casino of its own; then nothing lost and nothing doubled.
    ///
    /// Starts Postgres, nats-server and servers with a relay on every line, and runs scenario after scenario:
    /// servers killed, Postgres crashed, replies cut, delays, NATS killed and emptied, two servers, a full disk,
    /// clocks that jump, all at once. Providers' clients send each request until it is answered; each answer must
    /// be the one right one. Streams come back after every break. Afterwards every player's ledger, balance,
    /// stream and events on JetStream must be exactly what was told, and the audit must be clean. The run prints
    /// its seed: the same seed gives the same schedule of faults and the same requests.
    Faults(FaultsCommand),
    /// Wallets over REST at a steady rate, and pages of the list of players, the first and one that lies deep.
    ///
    /// Each wallet is due at its time, and its latency counts from then. Players are created when they do not exist.
    Reads(ReadsCommand),
    /// Memory of an idle player's actor.
    ///
    /// Starts a sandbox of its own, creates players with a deposit and a game session each, and waits until all
    /// events are on the bus. Then it starts the server anew, so that nothing is left of that work but the
    /// players in the database, and warms up with a balance callback for each of 1,000 other players. From there
    /// it sends one balance callback for each player, which loads him into an actor, and reads the server's
    /// resident memory (VmRSS) before, half-way and after. Bytes per actor is the growth divided by the growth
    /// of the metric pitboss_actors_alive{actor="player"}, so neither the evicted nor the foreign are counted.
    Memory(MemoryCommand),
    /// Many idle WebSockets, events to some of them, a storm of reconnects, and a client that stops reading.
    ///
    /// Starts a sandbox of its own, creates a player with a login for each socket, and starts the server anew.
    /// Resident memory (VmRSS) is read before and after the sockets are opened, each with its player's actor. Then
    /// bets are placed at a steady rate for some of the players, two events each, and every event is timed from its
    /// own time, which is taken before its commit, to its arrival. Then all clients leave and come back within
    /// --storm-s. Last, one client stops reading while its player bets on.
    Sockets(SocketsCommand),
}

#[derive(Debug, Args)]
pub struct BetsCommand {
    #[command(flatten)]
    pub target: TargetOption,
    #[command(flatten)]
    pub options: BetsOptions,
    #[command(flatten)]
    pub json: JsonOption,
}

#[derive(Debug, Args)]
pub struct ReadsCommand {
    #[command(flatten)]
    pub target: TargetOption,
    #[command(flatten)]
    pub options: ReadsOptions,
    #[command(flatten)]
    pub json: JsonOption,
}

#[derive(Debug, Clone, Args)]
pub struct ReadsOptions {
    /// Wallets per second.
    #[arg(long, value_name = "N", default_value_t = 1_000.0, value_parser = positive)]
    pub rate: f64,
    /// Connections: the most reads in flight.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = value_parser!(u32).range(1..=10_000))]
    pub connections: u32,
    /// Measured time.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = at_least_one())]
    pub duration_s: u64,
    /// Players to read of; created when they do not exist (load-000000 and on).
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub players: u32,
    /// Pages of 50 before the deep one; fewer when the list ends before.
    #[arg(long, value_name = "N", default_value_t = 150, value_parser = value_parser!(u32).range(1..=100_000))]
    pub pages: u32,
    /// More than this at the 99th percentile of wallets is a breach.
    #[arg(long, value_name = "MS", default_value_t = 20.0, value_parser = positive)]
    pub p99_max_ms: f64,
}

#[derive(Debug, Args)]
pub struct TargetOption {
    /// The running sandbox's connection file.
    #[arg(long, value_name = "FILE", default_value = ".sandbox/connection.json")]
    pub connection: PathBuf,
}

#[derive(Debug, Args)]
pub struct JsonOption {
    /// Write the result as JSON too.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
pub struct BetsOptions {
    /// Bets per second of an open loop [default: a closed loop]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub rate: Option<f64>,
    /// Connections of a closed loop, or the most bets in flight of an open one [default: 64; 256 with --rate]
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=10_000))]
    pub connections: Option<u32>,
    /// Measured time.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = at_least_one())]
    pub duration_s: u64,
    /// Time before it that is not measured (its bets are audited too).
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub warm_up_s: u64,
    /// Players to choose from; created when they do not exist (load-000000 and on).
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub players: u32,
    /// Bets of a player that share a round.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u32).range(1..))]
    pub bets_per_round: u32,
    /// The last bet of a round closes it; otherwise rounds stay open.
    #[arg(long, conflicts_with = "overlap")]
    pub close_rounds: bool,
    /// A player may have several bets in flight.
    #[arg(long)]
    pub overlap: bool,
    /// The provider account that bets [default: the first native one]
    #[arg(long, value_name = "ID")]
    pub provider: Option<String>,
    /// The game that is played [default: the account's first]
    #[arg(long, value_name = "ID")]
    pub game: Option<String>,
    /// How long to wait for the answer to one request.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = at_least_one())]
    pub timeout_ms: u64,
    /// How often a bet is sent at most, with pauses that grow to one second.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = value_parser!(u32).range(1..))]
    pub tries: u32,
    /// Determines amounts and the order of players [default: the time]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Do not look into Postgres at all.
    #[arg(long)]
    pub no_audit: bool,
}

#[derive(Debug, Args)]
pub struct BaselineCommand {
    #[command(flatten)]
    pub target: TargetOption,
    #[command(flatten)]
    pub options: BaselineOptions,
    #[command(flatten)]
    pub json: JsonOption,
}

#[derive(Debug, Clone, Args)]
pub struct BaselineOptions {
    /// Connections to Postgres, each with one transaction at a time.
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = value_parser!(u32).range(1..=1000))]
    pub connections: u32,
    /// Measured time.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = at_least_one())]
    pub duration_s: u64,
    /// Time before it that is not measured.
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub warm_up_s: u64,
    /// Wallets to choose from.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = value_parser!(u32).range(1..=10_000_000))]
    pub players: u32,
    /// Send statements that do not need each other's results together: 2 round trips instead of 6. Few
    /// programs do; for those who want to know what it brings.
    #[arg(long)]
    pub pipelined: bool,
    /// Threads of this program that drive the connections.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u16).range(1..=64))]
    pub threads: u16,
}

#[derive(Debug, Args)]
pub struct CompareCommand {
    /// A running sandbox's connection file [default: start a sandbox]
    #[arg(long, value_name = "FILE")]
    pub connection: Option<PathBuf>,
    #[command(flatten)]
    pub sandbox: SandboxOptions,
    /// Measured time of each run.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = at_least_one())]
    pub duration_s: u64,
    /// Time before each that is not measured.
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub warm_up_s: u64,
    /// Pairs of runs.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = value_parser!(u32).range(1..=100))]
    pub repeat: u32,
    /// Players of both.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub players: u32,
    /// Connections of the bets' closed loop.
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = value_parser!(u32).range(1..=10_000))]
    pub connections: u32,
    /// Connections of the baseline.
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = value_parser!(u32).range(1..=1000))]
    pub baseline_connections: u32,
    /// Exit 1 when bets over HTTP are not so many times the baseline.
    #[arg(long, value_name = "RATIO", default_value_t = 2.0, value_parser = positive)]
    pub at_least: f64,
    #[command(flatten)]
    pub json: JsonOption,
}

#[derive(Debug, Args)]
pub struct FaultsCommand {
    #[command(flatten)]
    pub options: FaultsOptions,
    #[command(flatten)]
    pub json: JsonOption,
}

#[derive(Debug, Clone, Args)]
pub struct FaultsOptions {
    /// Load time of all scenarios together.
    #[arg(long, value_name = "N", conflicts_with = "seconds", value_parser = positive)]
    pub minutes: Option<f64>,
    /// Load time of each scenario.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = at_least_one())]
    pub seconds: u64,
    /// Scenarios to run, in this order [default: all]
    #[arg(long, value_name = "NAME", value_enum, value_delimiter = ',')]
    pub scenario: Vec<Scenario>,
    /// Determines the faults and the requests [default: the time]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Players of each scenario.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = RangedU64ValueParser::<usize>::new().range(1..=10_000))]
    pub players: usize,
    /// Of these players, how many are watched over a WebSocket.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = RangedU64ValueParser::<usize>::new().range(0..=1_000))]
    pub streams: usize,
    /// Requests under way at a time (twins count as one).
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = value_parser!(u32).range(1..=1_000))]
    pub workers: u32,
    /// Keep the servers' logs in this folder.
    #[arg(long, value_name = "DIR")]
    pub logs: Option<PathBuf>,
    /// Requests per second at most.
    #[arg(long, value_name = "N", default_value_t = 1_500.0, value_parser = positive)]
    pub rate: f64,
    /// The server's program [default: pitboss in this program's folder]
    #[arg(long, value_name = "FILE")]
    pub pitboss: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct MemoryCommand {
    #[command(flatten)]
    pub sandbox: SandboxOptions,
    /// Players to load.
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = value_parser!(u32).range(100..=900_000))]
    pub players: u32,
    /// Exit 1 when an idle actor takes more.
    #[arg(long, value_name = "BYTES", default_value_t = 4096, value_parser = at_least_one())]
    pub at_most: u64,
    #[command(flatten)]
    pub json: JsonOption,
}

#[derive(Debug, Args)]
pub struct SocketsCommand {
    #[command(flatten)]
    pub sandbox: SandboxOptions,
    /// WebSockets, each of a player of its own.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = value_parser!(u32).range(100..=50_000))]
    pub sockets: u32,
    /// Of them, how many get events.
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = value_parser!(u32).range(1..=50_000))]
    pub busy: u32,
    /// Events per second, over all of them: two for each bet.
    #[arg(long, value_name = "N", default_value_t = 2_000.0, value_parser = positive)]
    pub events_per_s: f64,
    /// How long.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = at_least_one())]
    pub duration_s: u64,
    /// Within this time all clients come back.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = at_least_one())]
    pub storm_s: u64,
    /// Exit 1 when an idle connection takes more.
    #[arg(long, value_name = "BYTES", default_value_t = 16_384, value_parser = at_least_one())]
    pub at_most: u64,
    #[command(flatten)]
    pub json: JsonOption,
}

#[derive(Debug, Clone, Args)]
pub struct SandboxOptions {
    /// The server's program, for a sandbox that is started here [default: pitboss in this program's folder]
    #[arg(long, value_name = "FILE")]
    pub pitboss: Option<PathBuf>,
    /// The data folder of that sandbox, wiped at the start [default: loadtest-sandbox beside the program]
    ///
    /// On a real disk: in a memory file system fsync costs nothing, and no figure would mean anything.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

fn at_least_one() -> RangedU64ValueParser {
    value_parser!(u64).range(1..)
}

fn positive(text: &str) -> Result<f64, String> {
    text.parse::<f64>()
        .ok()
        .filter(|number| number.is_finite() && *number > 0.0)
        .ok_or_else(|| "is not a number above 0".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn nonsense_is_refused_before_anything_starts() {
        for bad in [
            &["loadtest", "bets", "--rate", "0"][..],
            &["loadtest", "bets", "--rate", "NaN"],
            &["loadtest", "bets", "--connections", "0"],
            &["loadtest", "bets", "--bets-per-round", "0"],
            &["loadtest", "bets", "--close-rounds", "--overlap"],
            &["loadtest", "compare", "--at-least", "-1"],
        ] {
            assert!(Cli::try_parse_from(bad).is_err(), "{bad:?}");
        }
        assert!(Cli::try_parse_from(["loadtest", "bets", "--rate", "500.5"]).is_ok());
    }
}
