//! Indexes for a text search that ignores case by its pattern instead of by folding the column,
//! which depends on the locale of the database.

use sea_orm_migration::prelude::*;

use crate::backend::index_unfolded_text;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, columns) in [("user", ["email", "name"]), ("organization", ["slug", "name"])] {
            index_unfolded_text(manager, table, &columns).await?;
        }
        Ok(())
    }
}
