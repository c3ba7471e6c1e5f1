//! PostgreSQL extensions. Managed databases install some into the schema. Their objects are not
//! ours: the examination leaves them out, and checks what the tenant role can reach through them.

use sea_orm_migration::sea_orm::{ConnectionTrait, DbErr};

use super::catalog;

/// Extensions that give access to no rows of other orgs, apart from the checked cases.
const KNOWN: [&str; 25] = [
    "btree_gin",
    "btree_gist",
    "citext",
    "cube",
    "dblink",
    "earthdistance",
    "file_fdw",
    "fuzzystrmatch",
    "hstore",
    "intarray",
    "isn",
    "ltree",
    "pageinspect",
    "pg_buffercache",
    "pg_prewarm",
    "pg_stat_statements",
    "pg_trgm",
    "pgcrypto",
    "pgrowlocks",
    "pgstattuple",
    "plpgsql",
    "postgres_fdw",
    "tablefunc",
    "unaccent",
    "uuid-ossp",
];

/// Notes on installed extensions that are not known, for an administrator to assess.
pub async fn notes(db: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    let extensions = catalog::extensions(db).await?;
    let unknown =
        extensions.into_iter().filter(|extension| !KNOWN.contains(&extension.name.as_str()));
    let note = |extension: catalog::Extension| {
        format!(
            "unknown extension {} {} in the schema {}: check what the tenant role can reach \
             through its functions, tables and views",
            extension.name, extension.version, extension.schema
        )
    };
    Ok(unknown.map(note).collect())
}
