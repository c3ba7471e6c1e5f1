//! Monthly partitions, on PostgreSQL only.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{DbBackend, DbErr},
};

/// Number of months after the current one for which partitions are created.
const MONTHS_AHEAD: u8 = 3;

/// Partitions a table on PostgreSQL by month of its ids: a `UUIDv7` begins with the time. Rows of
/// months without a partition go into the partition `…_default`.
pub async fn partition_by_month(manager: &SchemaManager<'_>, table: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let sql = format!(
        r#"CREATE TABLE {table}_months (LIKE "{table}" INCLUDING DEFAULTS INCLUDING CONSTRAINTS)
             PARTITION BY RANGE (id);
           CREATE TABLE {table}_default PARTITION OF {table}_months DEFAULT;
           SET LOCAL row_security = off;
           INSERT INTO {table}_months SELECT * FROM "{table}";
           DROP TABLE "{table}";
           ALTER TABLE {table}_months RENAME TO "{table}";
           ALTER TABLE "{table}" ADD PRIMARY KEY (id), ALTER salts SET NOT NULL"#
    );
    manager.get_connection().execute_unprepared(&sql).await.map(drop)
}

/// SQL that creates the missing partitions of a table for the current month and the next
/// [`MONTHS_AHEAD`]. A month with rows in the partition `…_default` gets none: its rows stay there.
pub fn create_partitions_sql(table: &str) -> String {
    format!(
        r"DO $$ DECLARE month timestamp; part text; bounds uuid[]; BEGIN
             FOR ahead IN 0..{MONTHS_AHEAD} LOOP
               month := date_trunc('month', now() AT TIME ZONE 'UTC')
                 + make_interval(months => ahead);
               part := '{table}_' || to_char(month, 'YYYY_MM');
               CONTINUE WHEN to_regclass(quote_ident(part)) IS NOT NULL;
               bounds := ARRAY(
                 SELECT (lpad(to_hex((extract(epoch FROM edge) * 1000)::bigint), 12, '0')
                         || repeat('0', 20))::uuid
                 FROM unnest(ARRAY[month, month + interval '1 month']) AS edge);
               BEGIN
                 EXECUTE format(
                   'CREATE TABLE %I PARTITION OF {table} FOR VALUES FROM (%L) TO (%L)',
                   part, bounds[1], bounds[2]);
                 EXECUTE format('CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON %I
                   FOR EACH STATEMENT EXECUTE FUNCTION postern_append_only()', part);
               EXCEPTION WHEN check_violation THEN NULL;
               END;
             END LOOP;
           END $$"
    )
}
