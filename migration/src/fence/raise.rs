//! Putting the wall up: by whom it may be, as far as they may, and as SQL for somebody else where they may not.

use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, RuntimeErr, Statement, TransactionTrait, sqlx};

use super::{
    Roles, catalogue, examine,
    tables::{MIGRATIONS, Right, TABLES},
};

/// What came of it.
#[derive(Debug)]
pub enum Raised {
    /// The wall stands.
    Done,
    /// Roles are missing, and who runs this may not make them. A database administrator is to run this, and then this again.
    NeedsAdministrator { sql: String },
}

/// Makes the roles that are missing, and brings grants and policies into the state that [`super::examine()`] asks for. What is
/// as it has to be is not touched. `password` is for the login, if it has to be made.
pub async fn raise(db: &DatabaseConnection, roles: &Roles, password: Option<&str>) -> Result<Raised, DbErr> {
    let found = catalogue::read(db, roles).await?;
    let missing = missing_roles(&found, roles);
    if !missing.is_empty() {
        let made = db.execute_unprepared(&missing.iter().map(|one| one.sql(password)).collect::<String>()).await;
        match made {
            Err(error) if is_forbidden(&error) => {
                return Ok(Raised::NeedsAdministrator { sql: missing.iter().map(Missing::told).collect::<Vec<_>>().join("\n") });
            }
            made => made.map(drop)?,
        }
    }
    let found = catalogue::read(db, roles).await?;
    if examine::compare(&found, roles).is_empty() {
        return Ok(Raised::Done);
    }
    let transaction = db.begin().await?;
    let who = transaction.query_one_raw(Statement::from_string(DbBackend::Postgres, "SELECT current_user::text AS name")).await?;
    let owner: String = who.map(|row| row.try_get("", "name")).transpose()?.unwrap_or_default();
    transaction.execute_unprepared(&wall(&found, roles, &owner)).await?;
    transaction.commit().await?;
    Ok(Raised::Done)
}

/// A role, or a membership, that is not there.
enum Missing<'a> {
    Robe(&'a str),
    Login(&'a str),
    Membership { robe: &'a str, login: &'a str },
}

impl Missing<'_> {
    /// Another process may be doing the same in another database of the cluster.
    fn sql(&self, password: Option<&str>) -> String {
        let mut statement = self.statement();
        if let (Self::Login(_), Some(password)) = (self, password) {
            statement += &format!(" PASSWORD '{}'", password.replace('\'', "''"));
        }
        format!("DO $made$ BEGIN {statement}; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $made$;\n")
    }

    /// For the eyes of an administrator: without a password.
    fn told(&self) -> String {
        match self {
            Self::Login(name) => format!("{};  -- and then give it one: \\password {name}", self.statement()),
            _ => format!("{};", self.statement()),
        }
    }

    fn statement(&self) -> String {
        match self {
            Self::Robe(name) => format!("CREATE ROLE {} NOLOGIN NOINHERIT", quoted(name)),
            Self::Login(name) => format!("CREATE ROLE {} LOGIN NOINHERIT", quoted(name)),
            Self::Membership { robe, login } => format!("GRANT {} TO {}", quoted(robe), quoted(login)),
        }
    }
}

fn missing_roles<'a>(found: &catalogue::Found, Roles { tenant, platform, login }: &'a Roles) -> Vec<Missing<'a>> {
    let there = |name: &str| found.roles.iter().any(|role| role.name == name);
    let superuser = found.roles.iter().any(|role| role.name == *login && role.attributes.contains("SUPERUSER"));
    let mut missing: Vec<_> = [tenant, platform].into_iter().filter(|name| !there(name)).map(|name| Missing::Robe(name)).collect();
    if !there(login) {
        missing.push(Missing::Login(login));
    }
    for robe in [tenant, platform] {
        let member = found.memberships.iter().any(|one| one.member == *login && one.role == *robe);
        if !member && !superuser {
            missing.push(Missing::Membership { robe, login });
        }
    }
    missing
}

/// Grants and policies, from nothing: whatever was there before is taken away first.
fn wall(found: &catalogue::Found, Roles { tenant, platform, login }: &Roles, owner: &str) -> String {
    let (tenant, platform) = (quoted(tenant), quoted(platform));
    // Where the server's login is the owner, the examination will say so; its own rights cannot be taken from it.
    let login = if login == owner { String::new() } else { format!(", {}", quoted(login)) };
    let everybody = format!("PUBLIC, {tenant}, {platform}{login}");
    let mut sql = format!(
        "DO $mine$ BEGIN EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database()); END $mine$;
         DO $mine$ BEGIN EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM {everybody}', current_schema());
                         EXECUTE format('GRANT USAGE ON SCHEMA %I TO {tenant}, {platform}', current_schema()); END $mine$;
         REVOKE ALL ON {MIGRATIONS} FROM {everybody}; GRANT SELECT ON {MIGRATIONS} TO {platform};\n"
    );
    for policy in &found.policies {
        sql += &format!("DROP POLICY {} ON {};\n", quoted(&policy.name), quoted(&policy.table));
    }
    for fenced in TABLES {
        let table = quoted(fenced.table);
        sql += &format!(
            "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
             REVOKE ALL ON {table} FROM {everybody};
             GRANT {} ON {table} TO {platform};
             CREATE POLICY platform ON {table} TO {platform} USING (true) WITH CHECK (true);\n",
            rights(fenced.platform)
        );
        if let Some(rules) = &fenced.tenant {
            let condition = rules.rows.condition();
            sql += &format!(
                "GRANT {} ON {table} TO {tenant};
                 CREATE POLICY tenant ON {table} TO {tenant} USING {condition} WITH CHECK {condition};\n",
                rights(rules.may)
            );
        }
    }
    sql
}

fn rights(rights: &[Right]) -> String {
    let told = rights.iter().map(|right| match right.columns {
        [] => right.privilege.to_owned(),
        columns => format!("{} ({})", right.privilege, columns.join(", ")),
    });
    told.collect::<Vec<_>>().join(", ")
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `insufficient_privilege`.
fn is_forbidden(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) = error else { return false };
    matches!(&**error, sqlx::Error::Database(error) if error.code().as_deref() == Some("42501"))
}
