//! Tampering by an administrator with full access to the database: verification detects each
//! change.

mod altered_log;
mod damaged_log;
mod database_rollback;
mod forged_exports;
mod forged_queue_entries;
mod forged_removals;
mod truncated_log;
mod unreadable_event;

use postern_persistence::sequencer::{BatchReport, Sequencer};
use postern_tests::{App, Backend};

/// SQL of acme's id.
const ACME: &str = "(SELECT id FROM organization WHERE slug = 'acme')";

/// SQL of the id of acme's event with index 2.
const EVENT_2: &str = "(SELECT event_id FROM audit_leaf WHERE leaf_index = 2 AND org_id = (SELECT \
                       id FROM organization WHERE slug = 'acme'))";

/// Columns of `audit_event` that a copy of an event shares with the original.
const COPIED_COLUMNS: &str = "occurred_at, org_id, org_slug, actor_type, actor_id, actor_email, \
                              action, outcome, target_type, target_label, summary, metadata, \
                              schema_version, salts";

/// SQL of a new id.
fn new_id(t: &App) -> &'static str {
    match t.backend {
        Backend::Sqlite => "randomblob(16)",
        Backend::Postgres | Backend::PgBouncer => "gen_random_uuid()",
    }
}

/// SQL of 32 zero bytes.
fn zero_hash(t: &App) -> &'static str {
    match t.backend {
        Backend::Sqlite => "zeroblob(32)",
        Backend::Postgres | Backend::PgBouncer => "decode(repeat('00', 32), 'hex')",
    }
}

/// Runs SQL without triggers, as an administrator of the database can.
async fn run_as_administrator(t: &App, sql: &str) {
    t.skip_invariants();
    let sql = match t.backend {
        Backend::Sqlite => {
            let triggers =
                t.db.texts("SELECT name FROM sqlite_master WHERE type = 'trigger'").await;
            triggers.iter().fold(String::new(), |all, name| all + &format!("DROP TRIGGER {name}; "))
                + sql
        }
        Backend::Postgres | Backend::PgBouncer => {
            format!("SET session_replication_role = replica; {sql}; RESET session_replication_role")
        }
    };
    t.db.execute(&sql).await.expect(&sql);
}

/// Runs one batch of a sequencer.
async fn run_batch(t: &App, sequencer: &mut Sequencer) -> BatchReport {
    sequencer
        .run_batch(&t.context())
        .await
        .expect("the sequencer runs")
        .expect("no other sequencer holds the lock")
}
