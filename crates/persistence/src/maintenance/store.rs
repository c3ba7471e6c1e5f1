//! Access to the audit log with the privileges of its owner.

use std::sync::Arc;

use sea_orm::ConnectionTrait;

use crate::{
    backend::{create_triggers_sql, drop_triggers_sql},
    error::StoreError,
    options::Options,
    store::Store,
    tx::Tx,
};

/// A store with the privileges of the audit owner.
pub struct AuditMaintenance {
    pub(super) store: Arc<Store>,
}

impl AuditMaintenance {
    /// Connects; on PostgreSQL as the schema owner, which may assume the audit owner role.
    pub async fn connect(options: &Options) -> Result<Self, StoreError> {
        let store = Store::connect_as_audit_owner(options).await?;
        store.bind_audit_keys().await?;
        Ok(Self { store })
    }

    pub async fn close(self) {
        self.store.close().await;
    }
}

/// Allows the transaction to change and remove audit events, until [`enable_append_only`].
pub async fn disable_append_only(tx: &Tx) -> Result<(), StoreError> {
    if let Some(sql) = drop_triggers_sql(tx.get_database_backend()) {
        tx.execute_unprepared(&sql).await?;
    }
    Ok(())
}

/// Makes audit events append-only again.
pub async fn enable_append_only(tx: &Tx) -> Result<(), StoreError> {
    if let Some(sql) = create_triggers_sql(tx.get_database_backend()) {
        tx.execute_unprepared(&sql).await?;
    }
    Ok(())
}
