//! Networks of clients, by which failed sign-ins are counted.

use sea_orm_migration::{prelude::*, schema::*};

use crate::backend::disable_force_rls;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["session", "audit_event"] {
            let column = string_len_null("client_network", 49);
            manager.alter_table(Table::alter().table(table).add_column(column).take()).await?;
        }
        // The network of an IPv4 address is the address.
        disable_force_rls(manager, "session").await?;
        manager
            .get_connection()
            .execute_unprepared("UPDATE session SET client_network = ip WHERE ip NOT LIKE '%:%'")
            .await?;
        manager.drop_index(Index::drop().name("audit_event_failed_address").to_owned()).await?;
        manager
            .create_index(
                Index::create()
                    .name("audit_event_failed_network")
                    .table("audit_event")
                    .col("client_network")
                    .col("occurred_at")
                    .and_where(Expr::col("action").eq(Expr::cust("'auth.login_failed'")))
                    .take(),
            )
            .await
    }
}
