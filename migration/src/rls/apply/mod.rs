//! Applies row-level security as the schema owner. Steps that require a database administrator are
//! returned as SQL.

mod missing_roles;
mod sql;

use sea_orm_migration::sea_orm::{
    ConnectionTrait, DatabaseConnection, DbErr, RuntimeErr, TransactionTrait, sqlx,
};

use super::{
    catalog::{self, Catalog},
    examine,
    tables::PARTITIONED_BY_MONTH,
    types::{Check, Fault, Roles, quoted},
};
use crate::backend;

#[derive(Debug)]
pub enum ApplyOutcome {
    /// Row-level security is in the expected state.
    Done,
    /// Roles are missing, and the schema owner cannot create them. A database administrator must
    /// run this SQL before the next attempt.
    NeedsAdministrator { sql: String },
    /// Differences that remain and require manual repair.
    Faults(Vec<Fault>),
}

/// Maximum wait for running transactions: while we wait for their table locks, new ones queue
/// behind us.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '10s'";

/// Creates missing roles, and replaces privileges and policies if they differ from the expected
/// state of [`super::examine()`]. `password` is set if the login is created.
pub async fn apply(
    db: &DatabaseConnection,
    roles: &Roles,
    password: Option<&str>,
) -> Result<ApplyOutcome, DbErr> {
    let catalog = catalog::read(db, roles).await?;
    if let Some(fault) = shared_name(&catalog, roles) {
        return Ok(ApplyOutcome::Faults(vec![fault]));
    }
    if let Some(sql) = create_missing_roles(db, &catalog, roles, password).await? {
        return Ok(ApplyOutcome::NeedsAdministrator { sql });
    }
    let transaction = db.begin().await?;
    let catalog = catalog::read(&transaction, roles).await?;
    if examine::compare(&catalog, roles).is_empty() {
        transaction.rollback().await?;
        create_partitions(db, roles).await?;
        return Ok(ApplyOutcome::Done);
    }
    transaction.execute_unprepared(LOCK_TIMEOUT).await?;
    transaction.execute_unprepared(&sql::rls_sql(&catalog, roles)).await?;
    transaction.commit().await?;
    create_partitions(db, roles).await?;
    let remaining = examine::compare(&catalog::read(db, roles).await?, roles);
    Ok(if remaining.is_empty() { ApplyOutcome::Done } else { ApplyOutcome::Faults(remaining) })
}

/// Returns a fault if one role has two of the five purposes.
fn shared_name(catalog: &Catalog, roles: &Roles) -> Option<Fault> {
    let Roles { tenant, platform, audit_owner, login } = roles;
    let owner = &catalog.session.user;
    // The examination reports a login that owns the schema, with its own remedy.
    if login == owner {
        return None;
    }
    let names = [tenant, platform, audit_owner, login, owner];
    let shared = names.iter().enumerate().any(|(index, name)| names[..index].contains(name));
    shared.then(|| {
        Fault::new(
            Check::Roles,
            format!(
                "{tenant}, {platform}, {audit_owner}, {login} and the schema owner, {owner}, must \
                 be five different roles"
            ),
            "set different names in database.tenant_role, database.platform_role, \
             database.audit_owner_role and database.url",
        )
    })
}

/// Creates missing roles and memberships. If the schema owner cannot, returns the SQL for a
/// database administrator.
async fn create_missing_roles(
    db: &DatabaseConnection,
    catalog: &Catalog,
    roles: &Roles,
    password: Option<&str>,
) -> Result<Option<String>, DbErr> {
    let missing = missing_roles::find(catalog, roles);
    for role in &missing {
        match db.execute_unprepared(&role.sql(password)).await {
            // insufficient_privilege
            Err(error) if has_code(&error, "42501") => {
                let statements: Vec<_> =
                    missing.iter().map(missing_roles::Missing::sql_without_password).collect();
                return Ok(Some(statements.join("\n")));
            }
            // duplicate_object, unique_violation: created by a concurrent migration of another
            // database of the cluster.
            Err(error) if has_code(&error, "42710") || has_code(&error, "23505") => {}
            result => result.map(drop)?,
        }
    }
    Ok(None)
}

/// Creates missing partitions as their owner, the audit owner.
async fn create_partitions(db: &DatabaseConnection, roles: &Roles) -> Result<(), DbErr> {
    let transaction = db.begin().await?;
    let role = quoted(&roles.audit_owner);
    transaction.execute_unprepared(&format!("{LOCK_TIMEOUT}; SET LOCAL ROLE {role}")).await?;
    for table in PARTITIONED_BY_MONTH {
        transaction.execute_unprepared(&backend::create_partitions_sql(table)).await?;
    }
    transaction.commit().await
}

/// Reports whether PostgreSQL returned this `SQLSTATE`.
fn has_code(error: &DbErr, code: &str) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) =
        error
    else {
        return false;
    };
    matches!(&**error, sqlx::Error::Database(error) if error.code().as_deref() == Some(code))
}
