//! Putting the wall up: by whom it may be, as far as they may, and as SQL for somebody else where they may not.

use sea_orm_migration::sea_orm::{
    ConnectionTrait, DatabaseConnection, DbErr, RuntimeErr, TransactionTrait, sqlx,
};

use super::{
    Fault, Roles, catalog, examine, quoted,
    tables::{APPEND_ONLY, AuditOwnerAccess, MIGRATIONS, PARTITIONED_BY_MONTH, Privilege, TABLES},
};
use crate::backend::{self, append_only_triggers, truncate_trigger};

/// What came of it.
#[derive(Debug)]
pub enum ApplyOutcome {
    /// The wall stands.
    Done,
    /// Roles are missing, and who runs this may not make them. A database administrator is to run this, and then this again.
    NeedsAdministrator { sql: String },
    /// What is still not as it has to be, and cannot be mended from here.
    Faults(Vec<Fault>),
}

/// How long to wait for requests that are using a table: they would wait behind us.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '10s'";

/// Makes the roles that are missing, and brings grants and policies into the state that [`super::examine()`] asks for. What is
/// as it has to be is not touched. `password` is for the login, if it has to be made.
pub async fn apply(
    db: &DatabaseConnection,
    roles: &Roles,
    password: Option<&str>,
) -> Result<ApplyOutcome, DbErr> {
    let found = catalog::read(db, roles).await?;
    let Roles { tenant, platform, audit_owner, login } = roles;
    let all = [tenant, platform, audit_owner, login, &found.session.user];
    let twice = all.iter().enumerate().any(|(n, role)| all[..n].contains(role));
    // Where the login is the owner, the examination says so, and what to do.
    if twice && *login != found.session.user {
        let detail = format!(
            "{tenant}, {platform}, {audit_owner}, {login} and the owner, {}, have to be five roles",
            found.session.user
        );
        return Ok(ApplyOutcome::Faults(vec![Fault {
            check: "roles",
            detail,
            remedy: "give them other names in the configuration".to_owned(),
        }]));
    }
    let missing = missing_roles(&found, roles);
    for role in &missing {
        match db.execute_unprepared(&role.sql(password)).await {
            Err(error) if has_code(&error, "42501") => {
                return Ok(ApplyOutcome::NeedsAdministrator {
                    sql: missing.iter().map(Missing::told).collect::<Vec<_>>().join("\n"),
                });
            }
            // Another process has made it, for another database of the cluster (duplicate_object, unique_violation).
            Err(error) if has_code(&error, "42710") || has_code(&error, "23505") => {}
            made => made.map(drop)?,
        }
    }
    let transaction = db.begin().await?;
    let found = catalog::read(&transaction, roles).await?;
    if examine::compare(&found, roles).is_empty() {
        transaction.rollback().await?;
        months(db, roles).await?;
        return Ok(ApplyOutcome::Done);
    }
    transaction.execute_unprepared(LOCK_TIMEOUT).await?;
    transaction.execute_unprepared(&rls_sql(&found, roles)).await?;
    transaction.commit().await?;
    months(db, roles).await?;
    let left = examine::compare(&catalog::read(db, roles).await?, roles);
    Ok(if left.is_empty() { ApplyOutcome::Done } else { ApplyOutcome::Faults(left) })
}

/// Makes the parts of the tables that are cut by month, as the audit_owner, to whom they belong.
pub async fn months(db: &DatabaseConnection, roles: &Roles) -> Result<(), DbErr> {
    let transaction = db.begin().await?;
    transaction
        .execute_unprepared(&format!(
            "{LOCK_TIMEOUT}; SET LOCAL ROLE {}",
            quoted(&roles.audit_owner)
        ))
        .await?;
    for table in PARTITIONED_BY_MONTH {
        transaction.execute_unprepared(&backend::months(table)).await?;
    }
    transaction.commit().await
}

/// A role, or a membership, that is not there.
enum Missing<'a> {
    Role(&'a str),
    Login(&'a str),
    Membership { role: &'a str, member: &'a str },
}

impl Missing<'_> {
    fn sql(&self, password: Option<&str>) -> String {
        match (self, password) {
            (Self::Login(_), Some(password)) => {
                format!("{} PASSWORD '{}'", self.statement(), password.replace('\'', "''"))
            }
            _ => self.statement(),
        }
    }

    /// For the eyes of an administrator: without a password.
    fn told(&self) -> String {
        match self {
            Self::Login(name) => {
                format!("{};  -- and then give it one: \\password {name}", self.statement())
            }
            _ => format!("{};", self.statement()),
        }
    }

    fn statement(&self) -> String {
        match self {
            Self::Role(name) => format!("CREATE ROLE {} NOLOGIN NOINHERIT", quoted(name)),
            Self::Login(name) => format!("CREATE ROLE {} LOGIN NOINHERIT", quoted(name)),
            Self::Membership { role, member } => {
                format!("GRANT {} TO {}", quoted(role), quoted(member))
            }
        }
    }
}

fn missing_roles<'a>(
    found: &'a catalog::Found,
    Roles { tenant, platform, audit_owner, login }: &'a Roles,
) -> Vec<Missing<'a>> {
    let there = |name: &str| found.roles.iter().any(|role| role.name == name);
    let superuser =
        found.roles.iter().any(|role| role.name == *login && role.attributes.contains("SUPERUSER"));
    let mut missing: Vec<_> = [tenant, platform, audit_owner]
        .into_iter()
        .filter(|name| !there(name))
        .map(|name| Missing::Role(name))
        .collect();
    if !there(login) {
        missing.push(Missing::Login(login));
    }
    let is_member = |member: &str, role: &str| {
        found.memberships.iter().any(|one| one.member == member && one.role == role)
    };
    for role in [tenant, platform] {
        if !is_member(login, role) && !superuser {
            missing.push(Missing::Membership { role, member: login });
        }
    }
    let owner = &found.session.user;
    if !is_member(owner, audit_owner) && !found.session.superuser {
        missing.push(Missing::Membership { role: audit_owner, member: owner });
    }
    missing
}

/// Grants and policies, from nothing: whatever was there before is taken away first.
fn rls_sql(
    found: &catalog::Found,
    Roles { tenant, platform, audit_owner, login }: &Roles,
) -> String {
    let owner = &found.session.user;
    // Where the server's login is the owner, the examination will say so; its own rights cannot be taken from it.
    let kept = |name: &str| {
        TABLES.iter().any(|rules| {
            rules.table == name && matches!(rules.audit_owner, AuditOwnerAccess::Owner)
        })
    };
    let (audit_owner_quoted, others) = (
        quoted(audit_owner),
        [tenant, platform, login]
            .into_iter()
            .filter(|role| *role != owner)
            .map(|role| quoted(role))
            .collect::<Vec<_>>()
            .join(", "),
    );
    let everybody = format!("PUBLIC, {others}");
    let (tenant, platform) = (quoted(tenant), quoted(platform));
    let (schema, database) = (
        quoted(found.session.schema.as_deref().unwrap_or("public")),
        quoted(&found.session.database),
    );
    let mut sql = format!(
        "REVOKE CREATE, TEMPORARY ON DATABASE {database} FROM {everybody};
         REVOKE CREATE ON SCHEMA {schema} FROM {everybody};
         GRANT USAGE ON SCHEMA {schema} TO {others};
         GRANT USAGE, CREATE ON SCHEMA {schema} TO {audit_owner_quoted};\n"
    );
    let partitions = found
        .partitions
        .iter()
        .filter(|part| kept(&part.table))
        .map(|part| (&part.name, &part.owner));
    let tables = found
        .relations
        .iter()
        .filter(|relation| kept(&relation.name))
        .map(|relation| (&relation.name, &relation.owner));
    for (name, _) in partitions.chain(tables).filter(|(_, owner)| *owner != audit_owner) {
        sql += &format!("ALTER TABLE {} OWNER TO {audit_owner_quoted};\n", quoted(name));
    }
    // What somebody else has put here is theirs to take away; the examination names it.
    for relation in
        found.relations.iter().filter(|relation| relation.owner == *owner || kept(&relation.name))
    {
        let from = if kept(&relation.name) {
            everybody.clone()
        } else {
            format!("{everybody}, {audit_owner_quoted}")
        };
        sql += &format!("REVOKE ALL ON {} FROM {from};\n", quoted(&relation.name));
    }
    sql += &format!("GRANT SELECT ON {MIGRATIONS} TO {platform};\n");
    for (table, _) in APPEND_ONLY {
        sql += &append_only_triggers(table);
    }
    for part in found.partitions.iter().filter(|part| kept(&part.table)) {
        sql += &truncate_trigger(&part.table, &part.name);
    }
    for policy in &found.policies {
        sql += &format!("DROP POLICY {} ON {};\n", quoted(&policy.name), quoted(&policy.table));
    }
    for rules in TABLES {
        let table = quoted(rules.table);
        sql += &format!(
            "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
             GRANT {} ON {table} TO {platform};
             CREATE POLICY platform ON {table} TO {platform} USING (true) WITH CHECK (true);\n",
            privilege_list(rules.platform)
        );
        if let AuditOwnerAccess::Grants(may) = rules.audit_owner {
            sql += &format!("GRANT {} ON {table} TO {audit_owner_quoted};\n", privilege_list(may));
        }
        if !matches!(rules.audit_owner, AuditOwnerAccess::None) {
            sql += &format!(
                "CREATE POLICY audit_owner ON {table} TO {audit_owner_quoted} USING (true) WITH CHECK (true);\n"
            );
        }
        if let Some(tenant_rules) = &rules.tenant {
            let condition = tenant_rules.rows.condition();
            sql += &format!(
                "GRANT {} ON {table} TO {tenant};
                 CREATE POLICY tenant ON {table} TO {tenant} USING {condition} WITH CHECK {condition};\n",
                privilege_list(tenant_rules.privileges)
            );
        }
    }
    sql
}

fn privilege_list(privileges: &[Privilege]) -> String {
    let told = privileges.iter().map(|privilege| match privilege.columns {
        [] => privilege.privilege.to_owned(),
        columns => format!("{} ({})", privilege.privilege, columns.join(", ")),
    });
    told.collect::<Vec<_>>().join(", ")
}

/// Is it this error of PostgreSQL's (`SQLSTATE`)?
fn has_code(error: &DbErr, code: &str) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) =
        error
    else {
        return false;
    };
    matches!(&**error, sqlx::Error::Database(error) if error.code().as_deref() == Some(code))
}
