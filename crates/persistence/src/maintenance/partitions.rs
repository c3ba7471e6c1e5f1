//! Rotation of the monthly partitions of the audit log.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, Statement};

use crate::{
    backend::{Mode, PartitionSql, partition_sql},
    error::StoreError,
    store::Store,
    tx::Tx,
};

/// Creates the partitions of the coming months and drops empty past ones, each in its own
/// transaction. Returns the names of the dropped partitions.
pub async fn rotate(store: &Arc<Store>) -> Result<Vec<String>, StoreError> {
    let Some(sql) = partition_sql(store.pool.backend()) else { return Ok(Vec::new()) };
    let tx = Tx::begin(store, Mode::Write).await?;
    let backend = tx.get_database_backend();
    tx.execute_unprepared(&sql.create).await?;
    tx.commit().await?;
    let tx = Tx::begin(store, Mode::Read).await?;
    let past = tx.query_all_raw(Statement::from_string(backend, sql.list_past)).await?;
    tx.rollback().await?;
    let mut dropped = Vec::new();
    for row in past {
        let month: String = row.try_get("", "month")?;
        if drop_if_empty(store, &sql, &month).await? {
            dropped.push(month);
        }
    }
    Ok(dropped)
}

/// Drops the partition unless it has events. Returns whether it was dropped.
async fn drop_if_empty(
    store: &Arc<Store>,
    sql: &PartitionSql,
    month: &str,
) -> Result<bool, StoreError> {
    let tx = Tx::begin(store, Mode::Write).await?;
    let event = Statement::from_string(tx.get_database_backend(), (sql.find_event)(month));
    // Checked before and under the lock: locking the audit log blocks all readers.
    if tx.query_one_raw(event.clone()).await?.is_some() {
        return Ok(false);
    }
    tx.execute_unprepared(sql.lock).await?;
    if tx.query_one_raw(event).await?.is_some() {
        return Ok(false);
    }
    tx.execute_unprepared(&(sql.drop)(month)).await?;
    tx.commit().await?;
    Ok(true)
}
