//! Monthly partitions of the audit log, on PostgreSQL only.

use sea_orm::DbBackend;

/// SQL that creates and drops the monthly partitions of the audit log.
pub struct PartitionSql {
    /// Creates the partitions of the coming months.
    pub create: String,
    /// Lists the partitions of past months, as `month`.
    pub list_past: &'static str,
    /// Selects one event of the partition, if there is any.
    pub find_event: fn(&str) -> String,
    /// Locks the audit log, the table before its partition, as readers do. Fails after 5 seconds,
    /// to limit the time that readers wait.
    pub lock: &'static str,
    pub drop: fn(&str) -> String,
}

/// None on SQLite, which has no partitions.
pub fn partition_sql(backend: DbBackend) -> Option<PartitionSql> {
    (backend == DbBackend::Postgres).then(|| PartitionSql {
        create: postern_migration::create_partitions_sql("audit_event"),
        list_past: "SELECT c.relname::text AS month
               FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
               WHERE i.inhparent = 'audit_event'::regclass
                 AND c.relname ~ '^audit_event_[0-9]{4}_[0-9]{2}$'
                 AND c.relname < 'audit_event_' || to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM')
               ORDER BY 1",
        find_event: |month| format!("SELECT 1 AS event FROM {month} LIMIT 1"),
        lock: "SET LOCAL lock_timeout = '5s'; LOCK TABLE audit_event IN ACCESS EXCLUSIVE MODE",
        drop: |month| format!("DROP TABLE {month}"),
    })
}
