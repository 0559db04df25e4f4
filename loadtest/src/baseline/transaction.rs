//! The textbook transaction of one bet.

use tokio_postgres::{Client, Error, Statement, types::ToSql};

const LOCK_WALLET: &str = "SELECT balance FROM wallet WHERE player_id = $1 FOR UPDATE";
const INSERT_LEDGER: &str =
    "INSERT INTO ledger (player_id, provider_id, external_id, round_id, amount, balance_after)
     VALUES ($1, 'demo', $2, $3, $4, $5)";
const UPDATE_WALLET: &str =
    "UPDATE wallet SET balance = $2, version = version + 1 WHERE player_id = $1";
const INSERT_OUTBOX: &str =
    "INSERT INTO outbox (player_id, subject, body) VALUES ($1, 'wallet.bet_debited', $2)";

pub struct Bet<'a> {
    pub player: i64,
    pub external_id: &'a str,
    pub round: &'a str,
    pub amount: i64,
}

/// A connection with its statements prepared.
pub struct Teller {
    client: Client,
    lock_wallet: Statement,
    insert_ledger: Statement,
    update_wallet: Statement,
    insert_outbox: Statement,
    body: String,
}

impl Teller {
    pub async fn new(client: Client) -> Result<Self, Error> {
        Ok(Self {
            lock_wallet: client.prepare(LOCK_WALLET).await?,
            insert_ledger: client.prepare(INSERT_LEDGER).await?,
            update_wallet: client.prepare(UPDATE_WALLET).await?,
            insert_outbox: client.prepare(INSERT_OUTBOX).await?,
            client,
            body: String::with_capacity(512),
        })
    }

    /// One statement after the other, as programs are written: 6 round trips. `false`: too little money.
    pub async fn bet(&mut self, bet: &Bet<'_>) -> Result<bool, Error> {
        let transaction = self.client.transaction().await?;
        let row = transaction
            .query_one(&self.lock_wallet, &[&bet.player])
            .await?;
        let balance = row.try_get::<_, i64>(0)? - bet.amount;
        if balance < 0 {
            transaction.rollback().await?;
            return Ok(false);
        }
        transaction
            .execute(
                &self.insert_ledger,
                &[
                    &bet.player,
                    &bet.external_id,
                    &bet.round,
                    &bet.amount,
                    &balance,
                ],
            )
            .await?;
        transaction
            .execute(&self.update_wallet, &[&bet.player, &balance])
            .await?;
        write_event(&mut self.body, bet, balance);
        transaction
            .execute(&self.insert_outbox, &[&bet.player, &self.body])
            .await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// The same, with everything sent at once that does not wait for the balance: 2 round trips. Futures of
    /// one client that are polled together are sent in their order without waiting for each other.
    pub async fn bet_pipelined(&mut self, bet: &Bet<'_>) -> Result<bool, Error> {
        let client = &self.client;
        let wallet: Parameters<'_, 1> = [&bet.player];
        let ((), row) = tokio::try_join!(
            biased;
            client.batch_execute("BEGIN"),
            client.query_one(&self.lock_wallet, &wallet)
        )?;
        let balance = row.try_get::<_, i64>(0)? - bet.amount;
        if balance < 0 {
            client.batch_execute("ROLLBACK").await?;
            return Ok(false);
        }
        write_event(&mut self.body, bet, balance);
        let ledger: Parameters<'_, 5> = [
            &bet.player,
            &bet.external_id,
            &bet.round,
            &bet.amount,
            &balance,
        ];
        let wallet: Parameters<'_, 2> = [&bet.player, &balance];
        let outbox: Parameters<'_, 2> = [&bet.player, &self.body];
        tokio::try_join!(
            biased;
            client.execute(&self.insert_ledger, &ledger),
            client.execute(&self.update_wallet, &wallet),
            client.execute(&self.insert_outbox, &outbox),
            client.batch_execute("COMMIT")
        )?;
        Ok(true)
    }
}

type Parameters<'a, const N: usize> = [&'a (dyn ToSql + Sync); N];

/// About as long as the server's own events.
fn write_event(body: &mut String, bet: &Bet<'_>, balance: i64) {
    use std::fmt::Write;
    body.clear();
    // Writing to a String cannot fail.
    let _ = write!(
        body,
        "{{\"type\":\"wallet.bet_debited\",\"environment\":\"sandbox\",\"player\":\"load-{:06}\",\
         \"data\":{{\"provider\":\"demo\",\"external_id\":\"{}\",\"game\":\"dice\",\"round\":\"{}\",\
         \"amount\":{},\"currency\":\"EUR\",\"balance\":{{\"cash\":{balance},\"bonus\":0,\"total\":{balance}}}}}}}",
        bet.player, bet.external_id, bet.round, bet.amount
    );
}
