//! `pitboss simulate`: where to play, from the command line, and a test account where none is named.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, builder::PossibleValuesParser};
use pitboss_providers::{DIALECTS, dialect};
use pitboss_wallet::Currency;

use super::{Operator, Place, names, run};
use crate::{
    cli::{EnvironmentName, Exit},
    sandbox::{CONNECTION_FILE, Connection},
};

/// Every case.
const ALL: &str = "all";

#[derive(Args)]
#[command(after_long_help = "\
Against the sandbox of bin/sandbox, in another terminal; the account and its game are made:

    pitboss simulate --dialect hub88

Against a deployment of yours. The key needs the scopes players:*, deposits:write, games:*, sessions:write and
providers:*; without --provider an account of its own is made, which only the environment sandbox allows:

    pitboss simulate --dialect hub88 --api https://casino.example --key sk_test_...
    pitboss simulate --dialect hub88 --api https://casino.example --key sk_test_... \\
        --provider acme --secret-file acme-private.pem --game dice

Exits 0 when every case holds, 1 when an answer differs, and 64 when the command line is wrong.")]
pub struct SimulateArgs {
    /// The wire format to speak.
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(DIALECTS.iter().map(|one| one.name())))]
    dialect: String,
    /// The cases whose name has this in it.
    #[arg(long, value_name = "NAME", default_value = ALL)]
    scenario: String,
    /// Shows the names of the cases, and plays none.
    #[arg(long)]
    list: bool,
    /// One line for each case that holds, instead of one for each step.
    #[arg(long)]
    brief: bool,
    /// Of a running sandbox, written by `pitboss sandbox`. Taken when there is no --api.
    #[arg(long, value_name = "FILE", default_value = CONNECTION_FILE)]
    connection: PathBuf,
    /// The address of another server: https://casino.example
    #[arg(long, value_name = "URL", requires = "key")]
    api: Option<String>,
    /// An operator key of it.
    #[arg(
        long,
        value_name = "KEY",
        env = "PITBOSS_OPERATOR_KEY",
        hide_env_values = true
    )]
    key: Option<String>,
    /// A provider account of the dialect that is there already.
    #[arg(long, value_name = "ID", requires_all = ["secret_file", "game"])]
    provider: Option<String>,
    /// What that provider signs with: his secret, or his private key in PEM.
    #[arg(long, value_name = "FILE", requires = "provider")]
    secret_file: Option<PathBuf>,
    /// A game of that account which can be launched.
    #[arg(long, value_name = "ID", requires = "provider")]
    game: Option<String>,
    /// What is played in.
    #[arg(long, value_name = "CODE", default_value = "EUR", value_parser = currency)]
    currency: Currency,
    #[arg(long, value_enum, default_value = "sandbox")]
    environment: EnvironmentName,
}

fn currency(code: &str) -> Result<Currency, String> {
    Currency::from_code(code).ok_or_else(|| "there is no such currency here".to_owned())
}

/// Plays, and prints what came out.
///
/// # Errors
/// What went wrong, for the person at the terminal.
pub async fn simulate(args: SimulateArgs) -> Result<ExitCode, Exit> {
    let spoken = dialect(&args.dialect);
    let spoken = spoken.ok_or_else(|| Exit::usage("--dialect: there is no such dialect"))?;
    if args.list {
        println!("{}", names(spoken).join("\n"));
        return Ok(ExitCode::SUCCESS);
    }
    let only = Some(args.scenario.as_str()).filter(|name| *name != ALL);
    let known = names(spoken);
    if let Some(only) = only.filter(|only| !known.iter().any(|name| name.contains(only))) {
        let known = known.join("\n    ");
        let text = format!("--scenario {only}: there is no such case; there are\n    {known}");
        return Err(Exit::usage(text));
    }
    let (api, key) = match (args.api, args.key) {
        (Some(api), Some(key)) => (api, key),
        _ => {
            let connection = Connection::read(&args.connection).map_err(Exit::usage)?;
            (connection.api, connection.operator_key)
        }
    };
    let operator = Operator::new(&api, &key)?;
    let place = Place {
        environment: args.environment.into(),
        currency: args.currency,
    };
    let account = match (args.provider, args.secret_file, args.game) {
        (Some(provider), Some(file), Some(game)) => {
            let secret = std::fs::read(&file).map_err(|error| {
                Exit::usage(format!("--secret-file {}: {error}", file.display()))
            })?;
            operator
                .account(spoken, provider, secret.trim_ascii_end(), game)
                .await
        }
        _ => operator.own_account(spoken, place.environment).await,
    };
    let mut report = run(&operator, &place, &account?, spoken, only).await?;
    report.in_full = !args.brief;
    println!("{report}");
    Ok(if report.holds() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
