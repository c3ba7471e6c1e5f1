//! SQL that replaces all privileges, policies and append-only triggers with those of `tables.rs`.

use crate::{
    backend::{append_only_triggers, truncate_trigger},
    rls::{
        catalog::Catalog,
        tables::{
            APPEND_ONLY, AuditOwnerAccess, MIGRATIONS, Privilege, TABLES, TableRules,
            is_audit_table,
        },
        types::{Roles, quoted},
    },
};

/// Quoted role names.
struct QuotedRoles {
    tenant: String,
    platform: String,
    audit_owner: String,
    /// The tenant and platform roles and the login, without the schema owner, separated by commas.
    server: String,
}

impl QuotedRoles {
    fn new(Roles { tenant, platform, audit_owner, login }: &Roles, owner: &str) -> Self {
        // A login that owns the schema keeps the owner's privileges. The examination reports it.
        let server: Vec<_> = [tenant, platform, login]
            .into_iter()
            .filter(|role| *role != owner)
            .map(|role| quoted(role))
            .collect();
        Self {
            tenant: quoted(tenant),
            platform: quoted(platform),
            audit_owner: quoted(audit_owner),
            server: server.join(", "),
        }
    }
}

pub fn rls_sql(catalog: &Catalog, roles: &Roles) -> String {
    let quoted_roles = QuotedRoles::new(roles, &catalog.session.user);
    let mut sql = schema_sql(catalog, &quoted_roles);
    sql += &ownership_sql(catalog, &roles.audit_owner);
    sql += &revoke_sql(catalog, &quoted_roles);
    sql += &format!("GRANT SELECT ON {MIGRATIONS} TO {};\n", quoted_roles.platform);
    sql += &triggers_sql(catalog);
    for policy in &catalog.policies {
        sql += &format!("DROP POLICY {} ON {};\n", quoted(&policy.name), quoted(&policy.table));
    }
    for rules in TABLES {
        sql += &table_sql(rules, &quoted_roles);
    }
    sql
}

/// Privileges on the database and the schema.
fn schema_sql(catalog: &Catalog, QuotedRoles { audit_owner, server, .. }: &QuotedRoles) -> String {
    let database = quoted(&catalog.session.database);
    let schema = quoted(catalog.session.schema.as_deref().unwrap_or("public"));
    format!(
        "REVOKE CREATE, TEMPORARY ON DATABASE {database} FROM PUBLIC, {server};
         REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC, {server};
         GRANT USAGE ON SCHEMA {schema} TO {server};
         GRANT USAGE, CREATE ON SCHEMA {schema} TO {audit_owner};\n"
    )
}

/// Transfer of audit tables and their partitions to the audit owner.
fn ownership_sql(catalog: &Catalog, audit_owner: &str) -> String {
    let partitions = catalog
        .partitions
        .iter()
        .filter(|partition| is_audit_table(&partition.table))
        .map(|partition| (&partition.name, &partition.owner));
    let tables = catalog
        .relations
        .iter()
        .filter(|relation| is_audit_table(&relation.name))
        .map(|relation| (&relation.name, &relation.owner));
    let mut sql = String::new();
    for (name, _) in partitions.chain(tables).filter(|(_, owner)| *owner != audit_owner) {
        sql += &format!("ALTER TABLE {} OWNER TO {};\n", quoted(name), quoted(audit_owner));
    }
    sql
}

/// Revocation of all privileges on tables.
fn revoke_sql(catalog: &Catalog, QuotedRoles { audit_owner, server, .. }: &QuotedRoles) -> String {
    let owner = &catalog.session.user;
    let mut sql = String::new();
    for relation in &catalog.relations {
        let name = quoted(&relation.name);
        if is_audit_table(&relation.name) {
            sql += &format!("REVOKE ALL ON {name} FROM PUBLIC, {server};\n");
        } else if relation.owner == *owner {
            sql += &format!("REVOKE ALL ON {name} FROM PUBLIC, {server}, {audit_owner};\n");
        }
        // The schema owner cannot revoke on relations of others. The examination reports them.
    }
    sql
}

fn triggers_sql(catalog: &Catalog) -> String {
    let tables = APPEND_ONLY.iter().map(|(table, _)| append_only_triggers(table));
    let partitions = catalog
        .partitions
        .iter()
        .filter(|partition| is_audit_table(&partition.table))
        .map(|partition| truncate_trigger(&partition.table, &partition.name));
    tables.chain(partitions).collect()
}

/// Row-level security, privileges and policies of one table.
fn table_sql(
    rules: &TableRules,
    QuotedRoles { tenant, platform, audit_owner, .. }: &QuotedRoles,
) -> String {
    let table = quoted(rules.table);
    let mut sql = format!(
        "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
         GRANT {} ON {table} TO {platform};
         CREATE POLICY platform ON {table} TO {platform} USING (true) WITH CHECK (true);\n",
        privilege_list(rules.platform)
    );
    if let AuditOwnerAccess::Grants(privileges) = rules.audit_owner {
        sql += &format!("GRANT {} ON {table} TO {audit_owner};\n", privilege_list(privileges));
    }
    if !matches!(rules.audit_owner, AuditOwnerAccess::None) {
        sql += &format!(
            "CREATE POLICY audit_owner ON {table} TO {audit_owner}
             USING (true) WITH CHECK (true);\n"
        );
    }
    if let Some(access) = &rules.tenant {
        let condition = access.rows.condition();
        sql += &format!(
            "GRANT {} ON {table} TO {tenant};
             CREATE POLICY tenant ON {table} TO {tenant}
             USING {condition} WITH CHECK {condition};\n",
            privilege_list(access.privileges)
        );
    }
    sql
}

fn privilege_list(privileges: &[Privilege]) -> String {
    let privileges = privileges.iter().map(|privilege| match privilege.columns {
        [] => privilege.name.to_owned(),
        columns => format!("{} ({})", privilege.name, columns.join(", ")),
    });
    privileges.collect::<Vec<_>>().join(", ")
}
