//! Append-only tables: triggers that reject UPDATE, DELETE and TRUNCATE.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{DbBackend, DbErr, Statement},
};

/// Body of the trigger function of append-only tables on PostgreSQL. Only the table's owner, the
/// NOLOGIN audit owner, can change and delete rows (erasure and retention). TRUNCATE is always
/// rejected.
pub const APPEND_ONLY_BODY: &str = "BEGIN \
     IF TG_LEVEL = 'ROW' AND current_user = \
     (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) THEN \
     IF TG_OP = 'DELETE' THEN RETURN OLD; ELSE RETURN NEW; END IF; END IF; \
     RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = \
     'insufficient_privilege'; END";

/// Makes a table append-only.
///
/// A superuser can still change rows; the transparency log makes that detectable.
/// `tests/suite/audit/append_only.rs` tries to change rows as the other roles.
pub async fn append_only(
    manager: &SchemaManager<'_>,
    table: &str,
    key: &[&str],
) -> Result<(), DbErr> {
    let sql = match manager.get_database_backend() {
        DbBackend::Postgres => append_only_triggers(table),
        DbBackend::Sqlite => create_sqlite_triggers_sql(table, key),
        other => return Err(DbErr::Migration(format!("{other:?} is not supported"))),
    };
    manager.get_connection().execute_unprepared(&sql).await.map(drop)
}

/// Drops the triggers of an append-only table. Call [`append_only`] in the same transaction to
/// create them again.
pub async fn drop_append_only(
    manager: &SchemaManager<'_>,
    table: &str,
    key: &[&str],
) -> Result<(), DbErr> {
    let sql = match manager.get_database_backend() {
        DbBackend::Postgres => {
            format!(
                "DROP TRIGGER IF EXISTS {table}_no_update_delete ON \"{table}\"; \
                 DROP TRIGGER IF EXISTS {table}_no_truncate ON \"{table}\""
            )
        }
        _ => drop_sqlite_triggers_sql(table, key),
    };
    manager.get_connection().execute_unprepared(&sql).await.map(drop)
}

/// SQL that creates or replaces the triggers of an append-only table on PostgreSQL.
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

/// SQL that creates or replaces the TRUNCATE trigger of a table or a partition. Unlike row
/// triggers, it is not inherited by partitions.
pub fn truncate_trigger(table: &str, partition: &str) -> String {
    format!(
        r#"DROP TRIGGER IF EXISTS {table}_no_truncate ON "{partition}";
           CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON "{partition}"
             FOR EACH STATEMENT EXECUTE FUNCTION postern_append_only();
        "#
    )
}

/// Names and SQL of the triggers of an append-only table on SQLite.
///
/// `INSERT OR REPLACE` deletes rows without firing a DELETE trigger, so the third trigger rejects a
/// second row with the same key.
fn sqlite_triggers(table: &str, key: &[&str]) -> [(String, String); 3] {
    let reject = format!("SELECT RAISE(ABORT, '{table} is append-only'); END");
    let trigger = |suffix: &str, event: &str| {
        let name = format!("{table}_{suffix}");
        let sql = format!("CREATE TRIGGER {name} {event} BEGIN {reject}");
        (name, sql)
    };
    let columns_equal: Vec<_> =
        key.iter().map(|column| format!("{column} = NEW.{column}")).collect();
    let same_key = columns_equal.join(" AND ");
    let insert_of_existing_key = format!(
        "BEFORE INSERT ON \"{table}\" WHEN EXISTS (SELECT 1 FROM \"{table}\" WHERE {same_key})"
    );
    [
        trigger("no_update", &format!("BEFORE UPDATE ON \"{table}\"")),
        trigger("no_delete", &format!("BEFORE DELETE ON \"{table}\"")),
        trigger("no_replace", &insert_of_existing_key),
    ]
}

/// SQL that drops the triggers of an append-only table on SQLite, where no role can be exempt from
/// them.
pub fn drop_sqlite_triggers_sql(table: &str, key: &[&str]) -> String {
    sqlite_triggers(table, key)
        .map(|(name, _)| format!("DROP TRIGGER IF EXISTS {name}"))
        .join(";\n")
}

/// SQL that creates the triggers of an append-only table on SQLite.
pub fn create_sqlite_triggers_sql(table: &str, key: &[&str]) -> String {
    sqlite_triggers(table, key).map(|(_, sql)| sql).join(";\n")
}

/// Names of the triggers of append-only tables that are missing or altered on SQLite. On
/// PostgreSQL, `rls::examine` checks them.
pub async fn append_only_faults(
    db: &impl ConnectionTrait,
    tables: &[(&str, &[&str])],
) -> Result<Vec<String>, DbErr> {
    let normalize_spaces = |sql: &str| sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut faults = Vec::new();
    for (name, expected) in tables.iter().flat_map(|(table, key)| sqlite_triggers(table, key)) {
        let statement = Statement::from_sql_and_values(
            DbBackend::Sqlite,
            "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = $1",
            [name.as_str().into()],
        );
        let row = db.query_one_raw(statement).await?;
        let actual: Option<String> = row.map(|row| row.try_get("", "sql")).transpose()?;
        if actual.is_none_or(|actual| normalize_spaces(&actual) != normalize_spaces(&expected)) {
            faults.push(name);
        }
    }
    Ok(faults)
}
