//! The conformance suite of the ports, on Postgres.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Arc;

use async_trait::async_trait;
use common::Database;
use pitboss_actors::{
    conformance::{self, Subject},
    ports::{Housekeeping, Ledger, Outbox, PortError},
};
use pitboss_schema::{
    AuditAction, AuditActor, AuditNote, NewProvider, Profile, ProviderSettings, Store, audit,
};
use pitboss_wallet::{Origin, PlayerId, Timestamp};
use uuid::Uuid;

struct Postgres(Store);

#[async_trait]
impl Subject for Postgres {
    fn ledger(&self) -> Arc<dyn Ledger> {
        Arc::new(self.0.clone())
    }

    fn outbox(&self) -> Arc<dyn Outbox> {
        Arc::new(self.0.clone())
    }

    fn housekeeping(&self) -> Arc<dyn Housekeeping> {
        Arc::new(self.0.clone())
    }

    async fn create_player(&self, player: &PlayerId) -> Result<(), PortError> {
        self.0.create_player(player, &Profile::default()).await?;
        Ok(())
    }

    async fn put_provider(&self, origin: &Origin) -> Result<(), PortError> {
        let provider = NewProvider {
            id: origin.provider.clone(),
            dialect: "native".to_owned(),
            name: "Demo".to_owned(),
            policy: (*origin.policy).clone(),
            settings: ProviderSettings::new(),
            secret: Vec::new(),
            allowed_addresses: Vec::new(),
            callback_log: None,
        };
        let note = common::note(AuditAction::ProviderCreated, "provider/demo");
        self.0.create_provider(&provider, 1, &note).await?;
        Ok(())
    }
}

#[tokio::test]
async fn the_ledger_in_postgres_conforms_and_its_audit_is_clean() {
    let database = Database::new("conformance").await;
    let failed = conformance::run(&Postgres(database.store.clone())).await;
    let report: Vec<String> = failed
        .iter()
        .map(|(name, failure)| format!("{name}: {failure}"))
        .collect();
    assert!(report.is_empty(), "{}", report.join("\n"));

    let note = AuditNote {
        id: Uuid::from_u128(1),
        at: Timestamp::from_micros(1),
        action: AuditAction::ServerStarted,
        actor: AuditActor {
            kind: "server",
            id: String::new(),
            person: None,
            address: None,
        },
        subject: "server/x".to_owned(),
        detail: serde_json::Value::Null,
    };
    database.store.note(&note).await.unwrap();
    let report = audit::audit(&database.store, |_| {}).await.unwrap();
    assert!(report.is_clean(), "{report:#?}");
    for check in &report.checks {
        assert!(check.checked > 0, "nothing to check: {check:?}");
    }
}
