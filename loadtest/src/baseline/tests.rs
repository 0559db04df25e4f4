//! The baseline on a real Postgres.

use pitboss_services::{Postgres, PostgresOptions, ScratchDir};

use super::*;

fn target(postgres: &Postgres) -> Target {
    Target {
        api: String::new(),
        admin: String::new(),
        stream: String::new(),
        postgres: postgres.url("casino"),
        operator_key: String::new(),
        providers: Vec::new(),
        pids: Pids {
            server: std::process::id(),
            postgres: postgres.pid(),
            nats: std::process::id(),
        },
    }
}

/// Not an async test: the baseline has a runtime of its own.
#[test]
fn both_forms_commit_what_they_count_and_leave_no_database_behind() {
    let scratch = ScratchDir::new("loadtest-baseline").unwrap();
    let services = runtime::threaded(1).unwrap();
    let mut postgres = services.block_on(async {
        let options = PostgresOptions::for_tests(scratch.join("postgres"));
        let postgres = Postgres::start(options).await.unwrap();
        postgres.create_database("casino").await.unwrap();
        let config = database::config(&postgres.url("casino")).unwrap();
        let client = database::connect(&config).await.unwrap();
        // What `quiet` asks for: the outbox of the server that runs beside the baseline.
        let lanes = "CREATE TABLE lane (id smallint, seq bigint);
            CREATE TABLE lane_publisher (lane smallint, published bigint)";
        client.batch_execute(lanes).await.unwrap();
        postgres
    });
    for pipelined in [false, true] {
        let options = BaselineOptions {
            connections: 4,
            duration_s: 1,
            warm_up_s: 0,
            players: 50,
            pipelined,
            threads: 1,
        };
        let report = run(&target(&postgres), &options).unwrap();
        assert!(report.agrees, "{report}");
        assert!(report.committed_measured > 10, "{report}");
        assert_eq!(report.latency.count, report.committed_measured);
    }
    let left: i64 = services.block_on(async {
        let config = database::config(&postgres.url("casino")).unwrap();
        let client = database::connect(&config).await.unwrap();
        let query = "SELECT count(*) FROM pg_database WHERE datname LIKE 'pitboss_loadtest%'";
        client.query_one(query, &[]).await.unwrap().get(0)
    });
    assert_eq!(left, 0);
    services.block_on(postgres.stop());
}

#[test]
fn a_database_that_is_not_durable_is_refused() {
    let scratch = ScratchDir::new("loadtest-durable").unwrap();
    let services = runtime::threaded(1).unwrap();
    services.block_on(async {
        let options = PostgresOptions::for_tests(scratch.join("postgres"))
            .setting("synchronous_commit", "off");
        let mut postgres = Postgres::start(options).await.unwrap();
        let config = database::config(&postgres.url("postgres")).unwrap();
        let client = database::connect(&config).await.unwrap();
        let error = database::durability(&client).await.unwrap_err().to_string();
        assert!(error.contains("would be durable"), "{error}");
        postgres.stop().await;
    });
}
