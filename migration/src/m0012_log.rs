//! The transparency log: salts that open the commitments of each event, the queue of events without
//! a leaf, and the Merkle trees, one for each org and one for the platform under the nil id.
//!
//! Every eighth level of a tree is stored, so that a tile of C2SP `tlog-tiles` is 256 rows of one
//! table.

use sea_orm_migration::{prelude::*, schema::*};

use crate::backend::{self, append_only};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Bytes of salt per event: 16 for each of seven parts.
const SALTS: usize = 112;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        backend::disable_force_rls(manager, "audit_event").await?;
        backend::drop_append_only(manager, "audit_event", &["id"]).await?;
        let mut salts = binary_null("salts");
        salts.check(Expr::cust(format!("length(salts) = {SALTS}")));
        for column in [salts, json_binary_null("erased_fields")] {
            manager
                .alter_table(Table::alter().table("audit_event").add_column(column).take())
                .await?;
        }
        let salts = backend::random_bytes(manager.get_database_backend(), SALTS);
        manager
            .get_connection()
            .execute_unprepared(&format!("UPDATE audit_event SET salts = {salts}"))
            .await?;
        backend::partition_by_month(manager, "audit_event").await?;
        indexes(manager).await?;
        append_only(manager, "audit_event", &["id"]).await?;
        queue(manager).await?;
        leaves(manager).await?;
        nodes(manager).await?;
        checkpoints(manager).await
    }
}

/// Recreates the indexes, which PostgreSQL loses when the table is partitioned.
async fn indexes(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let on = |name: &str, columns: &[&'static str]| {
        let mut index = Index::create().name(name).table("audit_event").if_not_exists().take();
        for column in columns {
            index.col(*column);
        }
        index
    };
    let is_set = |column: &'static str| Expr::col(column).is_not_null();
    let failed = || Expr::col("action").eq(Expr::cust("'auth.login_failed'"));
    let mut all = vec![
        on("audit_event_of_org", &["org_id", "id"]),
        on("audit_event_of_org_by_action", &["org_id", "action", "id"]),
        on("audit_event_of_actor", &["actor_id", "id"]),
        on("audit_event_by_actor_email", &["actor_email", "id"]),
        on("audit_event_by_target_label", &["target_label", "id"]),
        // Sign-in failures are counted by account and by address before each sign-in.
        on("audit_event_failed_account", &["actor_email", "occurred_at"])
            .and_where(failed())
            .take(),
        on("audit_event_failed_address", &["ip", "occurred_at"]).and_where(failed()).take(),
        on("audit_event_by_outcome", &["outcome", "id"])
            .and_where(Expr::col("outcome").ne(Expr::cust("'succeeded'")))
            .take(),
    ];
    // Null in many events.
    for column in [
        "on_behalf_of_id",
        "on_behalf_of_email",
        "ticket_ref",
        "impersonation_id",
        "ip",
        "target_id",
    ] {
        all.push(
            on(&format!("audit_event_by_{column}"), &[column, "id"])
                .and_where(is_set(column))
                .take(),
        );
    }
    for index in all {
        manager.create_index(index).await?;
    }
    Ok(())
}

/// Written in the transaction of each event, and deleted by the sequencer when it adds the leaf.
async fn queue(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("audit_queue")
                .col(uuid("org_id"))
                .col(pk_uuid("event_id"))
                .col(binary("leaf"))
                // The key is not in the database: access to the database alone cannot queue an
                // entry that passes as genuine.
                .col(binary("mac"))
                .take(),
        )
        .await
}

async fn leaves(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("audit_leaf")
                .col(uuid("org_id"))
                .col(big_integer("leaf_index"))
                .col(uuid("event_id"))
                .col(binary("hash"))
                .primary_key(Index::create().col("org_id").col("leaf_index"))
                .index(
                    Index::create()
                        .name("audit_leaf_of_event")
                        .unique()
                        .col("org_id")
                        .col("event_id"),
                )
                .take(),
        )
        .await?;
    append_only(manager, "audit_leaf", &["org_id", "leaf_index"]).await
}

async fn nodes(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("audit_node")
                .col(uuid("org_id"))
                // In tiles: a node of level 1 covers 256 leaves, one of level 2 covers 65,536.
                .col(small_integer("level"))
                .col(big_integer("node_index"))
                .col(binary("hash"))
                .primary_key(Index::create().col("org_id").col("level").col("node_index"))
                .take(),
        )
        .await?;
    append_only(manager, "audit_node", &["org_id", "level", "node_index"]).await
}

async fn checkpoints(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("audit_checkpoint")
                .col(uuid("org_id"))
                .col(big_integer("size"))
                // The signed note.
                .col(text("note"))
                // Roots of the perfect subtrees, largest first: sufficient to append.
                .col(binary("frontier"))
                .col(timestamp_with_time_zone("created_at"))
                .primary_key(Index::create().col("org_id").col("size"))
                .take(),
        )
        .await?;
    append_only(manager, "audit_checkpoint", &["org_id", "size"]).await
}
