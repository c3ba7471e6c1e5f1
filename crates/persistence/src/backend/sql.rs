//! SQL in the dialects of the two backends.

use sea_orm::{
    DbBackend, Statement, Value,
    sea_query::{
        Alias, BinOper, CommonTableExpression, Expr, ExprTrait, InsertStatement, Query, WithClause,
    },
};

use postern_migration::TICKET_KEY;

use crate::entity::audit_event;

/// A statement with parameters `$1`, `$2`, …, which both databases accept.
pub fn statement(
    backend: DbBackend,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Statement {
    Statement::from_sql_and_values(backend, sql, values)
}

/// SQL for two columns that set the transaction's tenant context to the org with id `org`; to no
/// org if that is null. Takes effect with the next statement: PostgreSQL checks privileges when a
/// statement begins.
pub fn set_tenant_role_sql(role: &str, org: &str) -> String {
    format!(
        "set_config('role', '{role}', true) AS tenant_role, \
         set_config('postern.org_id', coalesce({org}::text, ''), true) AS tenant_org"
    )
}

/// SQL that share-locks what an impersonation depends on: session `$1` and its user, user `$2`, the
/// org with this key `$3`, and the membership. None on SQLite, where a writer has the whole
/// database.
pub fn lock_impersonation_parties_sql(backend: DbBackend, org_key: &str) -> Option<String> {
    // In the order in which other transactions lock these tables.
    (backend == DbBackend::Postgres).then(|| {
        format!(
            r#"WITH u AS (
                   SELECT id FROM "user"
                   WHERE id = $2 OR id = (SELECT user_id FROM session WHERE id = $1)
                   ORDER BY id FOR SHARE
               ), s AS (SELECT id FROM session WHERE id = $1 FOR SHARE),
               o AS (SELECT id FROM organization WHERE {org_key} = $3 FOR SHARE),
               m AS (
                   SELECT m.id FROM membership m JOIN organization o ON o.id = m.org_id
                   WHERE m.user_id = $2 AND o.{org_key} = $3 FOR SHARE OF m
               )
               SELECT (SELECT count(*) FROM u) + (SELECT count(*) FROM s)
                   + (SELECT count(*) FROM o) + (SELECT count(*) FROM m) AS locked"#
        )
    })
}

/// Condition that the ticket reference of an event is `ticket`, in any case: on PostgreSQL with the
/// generated column, because row-level security is applied before functions such as `lower()`.
pub fn is_ticket(backend: DbBackend, ticket: &str) -> Expr {
    if backend == DbBackend::Postgres {
        Expr::col((audit_event::Entity, Alias::new(TICKET_KEY))).eq(ticket.to_ascii_lowercase())
    } else {
        let column = Expr::col((audit_event::Entity, audit_event::Column::TicketRef));
        is_ticket_in(backend, column, ticket)
    }
}

/// Condition that a column is the ticket reference `ticket`, in any case. References are ASCII:
/// the locale of the database must not fold them.
pub fn is_ticket_in(backend: DbBackend, column: Expr, ticket: &str) -> Expr {
    match backend {
        DbBackend::Postgres => {
            Expr::cust_with_expr("lower($1 COLLATE \"C\")", column).eq(ticket.to_ascii_lowercase())
        }
        _ => column.binary(BinOper::Custom("COLLATE NOCASE ="), ticket),
    }
}

/// SQL for a UUIDv7 (RFC 9562) from a time in milliseconds since 1970, a kind of row and a number,
/// for rows that the database generates.
pub fn uuid_v7_sql(backend: DbBackend, kind: u8, milliseconds: &str, number: &str) -> String {
    match backend {
        DbBackend::Postgres => {
            format!(
                "(lpad(to_hex({milliseconds}), 12, '0') || '70{kind:02x}8' \
                  || lpad(to_hex({number}), 15, '0'))::uuid"
            )
        }
        _ => format!("unhex(printf('%012x70{kind:02x}8%015x', {milliseconds}, {number}))"),
    }
}

/// SQL for the 16 bytes of such an id, where unique bytes are needed.
pub fn uuid_bytes_sql(backend: DbBackend, id: &str) -> String {
    match backend {
        DbBackend::Postgres => format!("uuid_send({id})"),
        _ => id.to_owned(),
    }
}

/// SQL for a stored timestamp from milliseconds since 1970.
pub fn timestamp_sql(backend: DbBackend, milliseconds: &str) -> String {
    match backend {
        DbBackend::Postgres => format!("to_timestamp({milliseconds} / 1000.0)"),
        _ => format!("strftime('%Y-%m-%dT%H:%M:%f+00:00', {milliseconds} / 1000.0, 'unixepoch')"),
    }
}

/// Statement that queues and inserts an event, in one round trip. On PostgreSQL it returns the
/// transaction's id as `xid`.
pub fn insert_event_sql(
    backend: DbBackend,
    queued: InsertStatement,
    event: InsertStatement,
) -> Statement {
    if backend == DbBackend::Postgres {
        let mut with = WithClause::new();
        for (name, insert) in [("queued", queued), ("event", event)] {
            let mut table = CommonTableExpression::new();
            table.table_name(name).query(insert);
            with.cte(table);
        }
        let xid = Expr::cust("pg_current_xact_id()::text");
        return backend.build(&Query::select().expr_as(xid, "xid").to_owned().with(with));
    }
    let (queued, event) = (backend.build(&queued), backend.build(&event));
    let values = [queued.values, event.values].into_iter().flatten().flat_map(|values| values.0);
    Statement::from_sql_and_values(backend, format!("{}; {}", queued.sql, event.sql), values)
}

/// SQL for the status of the transaction `$1`, and whether the event `$2`, if any, exists. None on
/// SQLite, which keeps no record of it.
pub fn commit_outcome_sql(backend: DbBackend) -> Option<&'static str> {
    (backend == DbBackend::Postgres).then_some(
        "SELECT pg_xact_status($1::text::xid8) AS status, \
         ($2::uuid IS NULL OR EXISTS (SELECT 1 FROM audit_event WHERE id = $2)) AS has_event",
    )
}

/// SQL that allows audit events to be removed until [`create_triggers_sql`]. None on PostgreSQL,
/// where the audit owner may remove them.
pub fn drop_triggers_sql(backend: DbBackend) -> Option<String> {
    (backend != DbBackend::Postgres)
        .then(|| postern_migration::drop_sqlite_triggers_sql("audit_event", &["id"]))
}

/// SQL that makes audit events append-only again.
pub fn create_triggers_sql(backend: DbBackend) -> Option<String> {
    (backend != DbBackend::Postgres)
        .then(|| postern_migration::create_sqlite_triggers_sql("audit_event", &["id"]))
}

/// SQL that tries to take the sequencer's lock until the transaction ends; `taken` is true on
/// success. None on SQLite, where there is one process.
pub const fn try_sequencer_lock_sql(backend: DbBackend) -> Option<&'static str> {
    match backend {
        DbBackend::Postgres => {
            Some("SELECT pg_try_advisory_xact_lock(x'0050756d706564'::bigint) AS taken")
        }
        _ => None,
    }
}

/// SQL that notifies listeners, on all machines, of new log entries when the transaction commits.
/// The payload lists org ids; it is empty if there are too many.
pub const fn notify_sql(backend: DbBackend) -> Option<&'static str> {
    match backend {
        DbBackend::Postgres => Some("SELECT pg_notify('postern_log', $1)"),
        _ => None,
    }
}

/// SQL that tries to take the lock `$3` until the transaction ends; true on success. Always true
/// on SQLite, where a writer has the whole database.
pub const fn try_lock_sql(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Postgres => "pg_try_advisory_xact_lock($3)",
        _ => "($3 IS NOT NULL)",
    }
}

/// SQL for the database's time. None on SQLite, which uses the server's clock.
pub const fn server_time_sql(backend: DbBackend) -> Option<&'static str> {
    match backend {
        DbBackend::Postgres => Some("SELECT clock_timestamp() AS now"),
        _ => None,
    }
}

/// SQL for the transaction's id, null if it has written nothing. None on SQLite.
pub fn transaction_id_sql(backend: DbBackend) -> Option<&'static str> {
    (backend == DbBackend::Postgres)
        .then_some("SELECT pg_current_xact_id_if_assigned()::text AS xid")
}

/// SQL for whether the database rejects writes. None on SQLite.
pub fn is_read_only_sql(backend: DbBackend) -> Option<&'static str> {
    (backend == DbBackend::Postgres)
        .then_some("SELECT current_setting('transaction_read_only') = 'on' AS is_read_only")
}

/// SQL that waits for the lock `$1`. None on SQLite, where a writer has the whole database.
pub const fn lock_sql(backend: DbBackend) -> Option<&'static str> {
    match backend {
        DbBackend::Postgres => Some("SELECT pg_advisory_xact_lock($1)"),
        _ => None,
    }
}
