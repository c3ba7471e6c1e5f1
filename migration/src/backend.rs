//! All that differs between SQLite and PostgreSQL in the schema.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{
        DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, Statement, TransactionTrait,
    },
};

/// The key of the advisory lock that migrations are applied under; any number, but always the same.
const MIGRATING: i64 = 0x0050_6f73_7465_726e;

/// A turn at migrating, held until [`MigrationLock::end`].
pub struct MigrationLock(Option<DatabaseTransaction>);

/// Waits for other processes that are migrating the same database. A SQLite file is one process's own: nobody waits.
pub async fn acquire_migration_lock(db: &DatabaseConnection) -> Result<MigrationLock, DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(MigrationLock(None));
    }
    let lock = db.begin().await?;
    let wait = Statement::from_sql_and_values(
        DbBackend::Postgres,
        "SELECT pg_advisory_xact_lock($1)",
        [MIGRATING.into()],
    );
    lock.execute_raw(wait).await?;
    Ok(MigrationLock(Some(lock)))
}

impl MigrationLock {
    pub async fn release(self) -> Result<(), DbErr> {
        match self.0 {
            Some(lock) => lock.commit().await,
            None => Ok(()),
        }
    }
}

/// Is there a table of this name?
pub async fn has_table(db: &impl ConnectionTrait, name: &str) -> Result<bool, DbErr> {
    let backend = db.get_database_backend();
    let sql = match backend {
        DbBackend::Postgres => {
            "SELECT 1 FROM pg_class WHERE relname = $1 AND relnamespace = current_schema()::regnamespace"
        }
        _ => "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1",
    };
    Ok(db
        .query_one_raw(Statement::from_sql_and_values(backend, sql, [name.into()]))
        .await?
        .is_some())
}

/// What the trigger function of append-only tables says on PostgreSQL. Their owner, whom nobody signs in as, may remove what the law
/// says has to go; nobody else changes anything, and nobody at all empties a table.
pub const APPEND_ONLY_BODY: &str = "BEGIN \
     IF TG_LEVEL = 'ROW' AND current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) THEN \
     IF TG_OP = 'DELETE' THEN RETURN OLD; ELSE RETURN NEW; END IF; END IF; \
     RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege'; END";

/// Makes a table that rows can be added to and that nobody changes: UPDATE, DELETE and TRUNCATE are refused by triggers.
///
/// What a superuser can still do is why the record is a Merkle log as well; `postern-tests` tries the rest as raw SQL.
pub async fn append_only(
    manager: &SchemaManager<'_>,
    table: &str,
    key: &[&str],
) -> Result<(), DbErr> {
    let sql = match manager.get_database_backend() {
        DbBackend::Postgres => append_only_triggers(table),
        DbBackend::Sqlite => sqlite_triggers(table, key).map(|(_, sql)| sql).join(";\n"),
        other => return Err(DbErr::Migration(format!("{other:?} is not supported"))),
    };
    manager.get_connection().execute_unprepared(&sql).await.map(drop)
}

/// Takes the triggers of an append-only table away, until [`append_only`] puts them up again in the same transaction.
pub async fn drop_append_only(
    manager: &SchemaManager<'_>,
    table: &str,
    key: &[&str],
) -> Result<(), DbErr> {
    let sql = match manager.get_database_backend() {
        DbBackend::Postgres => {
            format!(
                "DROP TRIGGER IF EXISTS {table}_no_update_delete ON \"{table}\"; DROP TRIGGER IF EXISTS {table}_no_truncate ON \"{table}\""
            )
        }
        _ => without_sqlite_triggers(table, key),
    };
    manager.get_connection().execute_unprepared(&sql).await.map(drop)
}

/// SQL that makes the triggers of an append-only table on PostgreSQL anew.
pub fn append_only_triggers(table: &str) -> String {
    format!(
        r#"CREATE OR REPLACE FUNCTION postern_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
           {APPEND_ONLY_BODY} $$;
           DROP TRIGGER IF EXISTS {table}_no_update_delete ON "{table}";
           CREATE TRIGGER {table}_no_update_delete BEFORE UPDATE OR DELETE ON "{table}"
             FOR EACH ROW EXECUTE FUNCTION postern_append_only();
        "#
    ) + &truncate_trigger(table, table)
}

/// SQL for the trigger that keeps a table, or a part of one, from being emptied: unlike that on rows it is not handed down to parts.
pub fn truncate_trigger(table: &str, part: &str) -> String {
    format!(
        r#"DROP TRIGGER IF EXISTS {table}_no_truncate ON "{part}";
           CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON "{part}"
             FOR EACH STATEMENT EXECUTE FUNCTION postern_append_only();
        "#
    )
}

/// The triggers of an append-only table on SQLite, each with its name.
///
/// INSERT OR REPLACE deletes without firing a delete trigger, so a second row of the same key is refused as well.
fn sqlite_triggers(table: &str, key: &[&str]) -> [(String, String); 3] {
    let refused = format!("SELECT RAISE(ABORT, '{table} is append-only'); END");
    let trigger = |name: &str, when: &str| {
        let name = format!("{table}_{name}");
        let sql = format!("CREATE TRIGGER {name} {when} BEGIN {refused}");
        (name, sql)
    };
    let same = key
        .iter()
        .map(|column| format!("{column} = NEW.{column}"))
        .collect::<Vec<_>>()
        .join(" AND ");
    [
        trigger("no_update", &format!("BEFORE UPDATE ON \"{table}\"")),
        trigger("no_delete", &format!("BEFORE DELETE ON \"{table}\"")),
        trigger(
            "no_replace",
            &format!(
                "BEFORE INSERT ON \"{table}\" WHEN EXISTS (SELECT 1 FROM \"{table}\" WHERE {same})"
            ),
        ),
    ]
}

/// SQL that takes the triggers of an append-only table away on SQLite, where there is no role that they let through.
pub fn without_sqlite_triggers(table: &str, key: &[&str]) -> String {
    sqlite_triggers(table, key)
        .map(|(name, _)| format!("DROP TRIGGER IF EXISTS {name}"))
        .join(";\n")
}

/// SQL that puts them up again.
pub fn with_sqlite_triggers(table: &str, key: &[&str]) -> String {
    sqlite_triggers(table, key).map(|(_, sql)| sql).join(";\n")
}

/// The triggers of append-only tables that are missing or altered on SQLite, by name. (On PostgreSQL the fence asks.)
pub async fn append_only_faults(
    db: &impl ConnectionTrait,
    tables: &[(&str, &[&str])],
) -> Result<Vec<String>, DbErr> {
    let words = |sql: &str| sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut faults = Vec::new();
    for (name, expected) in tables.iter().flat_map(|(table, key)| sqlite_triggers(table, key)) {
        let sql = "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = $1";
        let row = db
            .query_one_raw(Statement::from_sql_and_values(
                DbBackend::Sqlite,
                sql,
                [name.as_str().into()],
            ))
            .await?;
        let found: Option<String> = row.map(|row| row.try_get("", "sql")).transpose()?;
        if found.is_none_or(|found| words(&found) != words(&expected)) {
            faults.push(name);
        }
    }
    Ok(faults)
}

/// SQL for so many random bytes, for a column that rows already have to fill.
pub fn random_bytes(backend: DbBackend, length: usize) -> String {
    match backend {
        // Sixteen at a time, 122 bits of them random: PostgreSQL has no other source without an extension.
        DbBackend::Postgres => {
            vec!["uuid_send(gen_random_uuid())"; length.div_ceil(16)].join(" || ")
        }
        _ => format!("randomblob({length})"),
    }
}

/// Lets the owner, who migrates, see all rows of a table that the wall has been put around: it binds the owner too, and what is not seen is
/// neither filled nor copied. The wall is put up again when the migrations are done.
pub async fn disable_force_rls(manager: &SchemaManager<'_>, table: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let sql = format!(r#"ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY"#);
    manager.get_connection().execute_unprepared(&sql).await.map(drop)
}

/// Cuts a table by month on PostgreSQL, by its ids: a `UUIDv7` begins with the time. What no month has been made for goes into the part
/// `…_default`. A file stays in one piece.
pub async fn partition_by_month(manager: &SchemaManager<'_>, table: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let sql = format!(
        r#"CREATE TABLE {table}_months (LIKE "{table}" INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (id);
           CREATE TABLE {table}_default PARTITION OF {table}_months DEFAULT;
           SET LOCAL row_security = off;
           INSERT INTO {table}_months SELECT * FROM "{table}";
           DROP TABLE "{table}";
           ALTER TABLE {table}_months RENAME TO "{table}";
           ALTER TABLE "{table}" ADD PRIMARY KEY (id), ALTER salts SET NOT NULL"#
    );
    manager.get_connection().execute_unprepared(&sql).await.map(drop)
}

/// How many months there are parts for, beside the present one.
const MONTHS_AHEAD: u8 = 3;

/// SQL that makes the parts of a table for this month and those to come, where they are not there. A month that has rows in the part
/// `…_default` already stays there.
pub fn months(table: &str) -> String {
    format!(
        r"DO $$ DECLARE month timestamp; part text; bounds uuid[]; BEGIN
             FOR ahead IN 0..{MONTHS_AHEAD} LOOP
               month := date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => ahead);
               part := '{table}_' || to_char(month, 'YYYY_MM');
               CONTINUE WHEN to_regclass(quote_ident(part)) IS NOT NULL;
               bounds := ARRAY(SELECT (lpad(to_hex((extract(epoch FROM edge) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
                               FROM unnest(ARRAY[month, month + interval '1 month']) AS edge);
               BEGIN
                 EXECUTE format('CREATE TABLE %I PARTITION OF {table} FOR VALUES FROM (%L) TO (%L)', part, bounds[1], bounds[2]);
                 EXECUTE format('CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON %I
                   FOR EACH STATEMENT EXECUTE FUNCTION postern_append_only()', part);
               EXCEPTION WHEN check_violation THEN NULL;
               END;
             END LOOP;
           END $$"
    )
}

/// Indexes text columns so that a part of them is found, whatever the case, without reading the whole table: by trigrams, where
/// PostgreSQL has its own extension for them and the owner may make it, or somebody has. A file of one process's own is read whole.
pub async fn trigram_index(
    manager: &SchemaManager<'_>,
    table: &str,
    columns: &[&str],
) -> Result<(), DbErr> {
    let db = manager.get_connection();
    if manager.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let holds = async |sql: &str| {
        Ok::<_, DbErr>(
            db.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?.is_some(),
        )
    };
    let may_be_made = "SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm' AND installed_version IS NULL \
                       AND has_database_privilege(current_database(), 'CREATE')";
    if holds(may_be_made).await? {
        db.execute_unprepared("CREATE EXTENSION pg_trgm").await?;
    }
    if !holds(
        "SELECT 1 FROM pg_opclass WHERE opcname = 'gin_trgm_ops' AND pg_opclass_is_visible(oid)",
    )
    .await?
    {
        return Ok(());
    }
    for column in columns {
        let index = format!(
            "CREATE INDEX {table}_part_of_{column} ON \"{table}\" USING gin (lower({column}) gin_trgm_ops)"
        );
        db.execute_unprepared(&index).await?;
    }
    Ok(())
}
