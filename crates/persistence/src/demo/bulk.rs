//! Bulk demo data, to test a full database. The database generates the rows, some hundred orgs per
//! statement, with ids and times as if the orgs had been created one after another over a year.

use std::sync::Arc;

use chrono::{TimeDelta, Timelike};
use postern_domain::{clock::RequestContext, credential::PasswordHash};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Value};
use secrecy::ExposeSecret;

use super::{bulk_sql::OrgBatch, error::DemoError, marker::is_marked};
use crate::{
    backend::{Mode, statement},
    entity::organization,
    event_writer,
    store::Store,
    tx::Tx,
};

/// Amount of bulk data.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub orgs: u32,
    /// Members per org, at least 1.
    pub members: u32,
    /// Approximate total of all orgs, which have equal shares.
    pub events: u32,
}

/// Approximate number of rows per statement.
const ROWS_AT_ONCE: u32 = 10_000;

/// Adds `company-1` and the following orgs to the demo database, and fails if they exist.
/// `progress` receives the number of orgs added so far.
pub async fn fill(
    store: &Arc<Store>,
    size: Size,
    hash: impl Future<Output = PasswordHash>,
    context: &RequestContext,
    progress: impl Fn(u32),
) -> Result<(), DemoError> {
    if !is_marked(&Tx::begin(store, Mode::Read).await?).await? {
        return Err(DemoError::NotADemo);
    }
    let first = organization::Entity::find().filter(organization::Column::Slug.eq("company-1"));
    if first.one(&Tx::begin(store, Mode::Read).await?).await?.is_some() {
        return Err(DemoError::FilledAlready);
    }
    let hash = hash.await;
    let events_each = size.events.div_ceil(size.orgs.max(1));
    let at_once = (ROWS_AT_ONCE / events_each.max(size.members).max(1)).clamp(1, 1_000);
    let begun = (context.now - TimeDelta::days(365))
        .with_nanosecond(0)
        .unwrap_or(context.now)
        .timestamp_millis();
    // One year divided among all orgs and their events.
    let step = TimeDelta::days(365).num_milliseconds()
        / i64::from(size.orgs.max(1))
        / i64::from(events_each.max(1) + 1);
    let mut first = 1;
    while first <= size.orgs {
        let last = size.orgs.min(first + at_once - 1);
        let batch =
            OrgBatch { first, last, members: size.members, events: events_each, begun, step };
        insert(store, &batch, &hash).await?;
        progress(last);
        first = last + 1;
    }
    Ok(())
}

/// Inserts a batch and queues its events, in one transaction.
async fn insert(
    store: &Arc<Store>,
    batch: &OrgBatch,
    hash: &PasswordHash,
) -> Result<(), DemoError> {
    let tx = Tx::begin(store, Mode::Write).await?;
    let backend = tx.get_database_backend();
    for sql in batch.statements(backend) {
        let values =
            if sql.contains("$1") { vec![Value::from(hash.expose_secret())] } else { Vec::new() };
        tx.execute_raw(statement(backend, &sql, values)).await?;
    }
    for n in batch.first..=batch.last {
        let org = organization::Entity::find()
            .filter(organization::Column::Slug.eq(format!("company-{n}")))
            .one(&tx)
            .await?;
        event_writer::backfill_org(&tx, org.ok_or(DemoError::NotADemo)?.id).await?;
    }
    tx.commit().await?;
    Ok(())
}
