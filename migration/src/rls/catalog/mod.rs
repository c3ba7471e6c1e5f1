//! The parts of PostgreSQL's catalog that row-level security depends on. Every role can read them,
//! except that the name of the current schema requires USAGE on it.

mod extension_queries;
mod queries;

use sea_orm_migration::sea_orm::{
    self, ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement,
};

use super::{tables::MIGRATIONS, types::Roles};

pub struct Catalog {
    pub session: Session,
    pub roles: Vec<Role>,
    pub memberships: Vec<Membership>,
    pub relations: Vec<Relation>,
    pub partitions: Vec<Partition>,
    pub policies: Vec<Policy>,
    pub grants: Vec<Grant>,
    pub triggers: Vec<Trigger>,
    pub security_definers: Vec<SecurityDefinerFunction>,
    pub foreign_keys: Vec<ForeignKey>,
    pub unique_keys: Vec<UniqueKey>,
    pub org_columns: Vec<OrgColumn>,
    pub anomalies: Vec<Anomaly>,
    /// Access of the tenant role through extensions.
    pub reachable: Vec<Anomaly>,
    pub schema_privileges: Vec<SchemaPrivileges>,
}

#[derive(FromQueryResult)]
pub struct Session {
    /// Session user. A pooler or `pg_ident.conf` can make it differ from the user in the URL.
    pub user: String,
    pub superuser: bool,
    pub database: String,
    /// `None` if the session has no USAGE on the schema.
    pub schema: Option<String>,
}

#[derive(FromQueryResult)]
pub struct Role {
    pub name: String,
    /// Attributes as in `CREATE ROLE`, separated by commas.
    pub attributes: String,
}

/// Membership of `member` in `role`. Before PostgreSQL 16, all memberships have the SET option and
/// INHERIT is an attribute of the member; since then, each membership has its own options.
#[derive(FromQueryResult)]
pub struct Membership {
    pub role: String,
    pub member: String,
    /// The member can SET ROLE to the role.
    pub set_option: bool,
    /// The member has the role's privileges without SET ROLE.
    pub inherits: bool,
    /// The member can grant membership to others.
    pub admin_option: bool,
}

#[derive(FromQueryResult)]
pub struct Relation {
    pub name: String,
    /// `pg_class.relkind`.
    pub kind: String,
    pub owner: String,
    pub rls_enabled: bool,
    pub rls_forced: bool,
    pub security_invoker: bool,
}

#[derive(FromQueryResult)]
pub struct Partition {
    pub name: String,
    pub table: String,
    pub owner: String,
}

#[derive(FromQueryResult)]
pub struct Policy {
    pub table: String,
    pub name: String,
    pub permissive: bool,
    /// `pg_policy.polcmd`.
    pub command: String,
    /// Role names, separated by commas.
    pub roles: String,
    pub using: Option<String>,
    pub check: Option<String>,
}

#[derive(FromQueryResult)]
pub struct Grant {
    pub table: String,
    /// `None` for a privilege on the whole table.
    pub column: Option<String>,
    pub grantee: String,
    pub privilege: String,
    /// Granted WITH GRANT OPTION.
    pub grantable: bool,
}

#[derive(FromQueryResult)]
pub struct Trigger {
    pub table: String,
    pub name: String,
    /// `pg_trigger.tgenabled`.
    pub enabled: String,
    /// `pg_trigger.tgtype`.
    pub kind: i16,
    /// Has neither a WHEN condition nor a column list.
    pub unconditional: bool,
    /// Body of the trigger function.
    pub source: String,
}

#[derive(FromQueryResult)]
pub struct SecurityDefinerFunction {
    pub name: String,
}

/// A foreign key. Columns are separated by commas.
#[derive(FromQueryResult)]
pub struct ForeignKey {
    pub name: String,
    pub from_table: String,
    pub from_columns: String,
    pub to_table: String,
    pub to_columns: String,
}

/// A unique index. Columns are separated by commas; `?` is an expression.
#[derive(FromQueryResult)]
pub struct UniqueKey {
    pub table: String,
    pub columns: String,
}

#[derive(FromQueryResult)]
pub struct OrgColumn {
    pub table: String,
    pub has_default: bool,
}

/// An unexpected object or setting that changes the effect of tables, keys or roles.
#[derive(FromQueryResult)]
pub struct Anomaly {
    pub detail: String,
    pub remedy: String,
}

/// An installed extension.
#[derive(FromQueryResult)]
pub struct Extension {
    pub name: String,
    pub version: String,
    pub schema: String,
}

/// Privileges of a role on the schema and the database, separated by commas.
#[derive(FromQueryResult)]
pub struct SchemaPrivileges {
    pub role: String,
    pub privileges: String,
}

impl Role {
    pub fn is_superuser(&self) -> bool {
        self.attributes.contains("SUPERUSER")
    }

    pub fn attributes_or_none(&self) -> &str {
        if self.attributes.is_empty() { "(none)" } else { &self.attributes }
    }
}

impl Catalog {
    pub fn role(&self, name: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.name == name)
    }

    pub fn is_superuser(&self, name: &str) -> bool {
        self.role(name).is_some_and(Role::is_superuser)
    }

    pub fn membership(&self, member: &str, role: &str) -> Option<&Membership> {
        self.memberships
            .iter()
            .find(|membership| membership.member == member && membership.role == role)
    }

    /// Owner of the table of migrations; `None` before the first migration.
    pub fn schema_owner(&self) -> Option<&str> {
        let migrations = self.relations.iter().find(|relation| relation.name == MIGRATIONS)?;
        Some(&migrations.owner)
    }
}

pub async fn read(db: &impl ConnectionTrait, roles: &Roles) -> Result<Catalog, DbErr> {
    let Roles { tenant, platform, audit_owner, login } = roles;
    let names = || [tenant, platform, audit_owner, login].map(|name| name.as_str().into()).to_vec();
    let session = rows(db, queries::SESSION, Vec::new())
        .await?
        .pop()
        .ok_or_else(|| DbErr::RecordNotFound("session".to_owned()))?;
    Ok(Catalog {
        session,
        roles: rows(db, queries::ROLES, names()).await?,
        memberships: rows(db, queries::MEMBERSHIPS, names()).await?,
        relations: rows(db, queries::RELATIONS, Vec::new()).await?,
        partitions: rows(db, queries::PARTITIONS, Vec::new()).await?,
        policies: rows(db, queries::POLICIES, Vec::new()).await?,
        grants: rows(db, queries::GRANTS, Vec::new()).await?,
        triggers: rows(db, queries::TRIGGERS, Vec::new()).await?,
        security_definers: rows(db, queries::SECURITY_DEFINERS, Vec::new()).await?,
        foreign_keys: rows(db, queries::FOREIGN_KEYS, Vec::new()).await?,
        unique_keys: rows(db, queries::UNIQUE_KEYS, Vec::new()).await?,
        org_columns: rows(db, queries::ORG_COLUMNS, Vec::new()).await?,
        anomalies: rows(db, queries::ANOMALIES, names()).await?,
        reachable: rows(db, extension_queries::REACHABLE, names()).await?,
        schema_privileges: rows(db, queries::SCHEMA_PRIVILEGES, names()).await?,
    })
}

pub async fn extensions(db: &impl ConnectionTrait) -> Result<Vec<Extension>, DbErr> {
    rows(db, extension_queries::EXTENSIONS, Vec::new()).await
}

async fn rows<T: FromQueryResult>(
    db: &impl ConnectionTrait,
    sql: &str,
    values: Vec<sea_orm::Value>,
) -> Result<Vec<T>, DbErr> {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let rows = db.query_all_raw(statement).await?;
    rows.iter().map(|row| T::from_query_result(row, "")).collect()
}
