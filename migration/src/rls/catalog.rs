//! What PostgreSQL's catalogue says, read as it is. Every role may read these tables; which schema it is, only who may use it sees.

use sea_orm_migration::sea_orm::{
    self, ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement,
};

use super::Roles;

/// All that the wall is made of, as found.
pub struct Found {
    pub session: Session,
    pub roles: Vec<Role>,
    pub memberships: Vec<Membership>,
    pub relations: Vec<Relation>,
    pub partitions: Vec<Partition>,
    pub policies: Vec<Policy>,
    pub grants: Vec<Grant>,
    pub triggers: Vec<Trigger>,
    pub security_definers: Vec<SecurityDefinerFunction>,
    pub references: Vec<Reference>,
    pub unique_keys: Vec<UniqueKey>,
    pub org_columns: Vec<OrgColumn>,
    pub anomalies: Vec<Anomaly>,
    pub schema_privileges: Vec<SchemaPrivileges>,
}

#[derive(FromQueryResult)]
pub struct Session {
    /// Who is really signed in: a pooler or a map of names in between may make somebody else of the one in the address.
    pub user: String,
    pub superuser: bool,
    pub database: String,
    /// None where the session may not use the schema.
    pub schema: Option<String>,
}

#[derive(FromQueryResult)]
pub struct Role {
    pub name: String,
    /// What it is beside its grants, in the words of `CREATE ROLE`, separated by commas.
    pub attributes: String,
}

/// `member` belongs to `role`. Before PostgreSQL 16 what that means hangs on the member, from then on on each membership.
#[derive(FromQueryResult)]
pub struct Membership {
    pub role: String,
    pub member: String,
    /// It may become the role.
    pub set_option: bool,
    /// It has the role's rights without becoming it.
    pub inherits: bool,
    /// It may make others members.
    pub admin_option: bool,
}

#[derive(FromQueryResult)]
pub struct Relation {
    pub name: String,
    /// As in `pg_class.relkind`.
    pub kind: String,
    pub owner: String,
    pub rls_enabled: bool,
    pub rls_forced: bool,
    pub security_invoker: bool,
}

/// A part of a table that is cut by month.
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
    /// As in `pg_policy.polcmd`.
    pub command: String,
    pub roles: String,
    pub using: Option<String>,
    pub check: Option<String>,
}

#[derive(FromQueryResult)]
pub struct Grant {
    pub table: String,
    pub column: Option<String>,
    pub grantee: String,
    pub privilege: String,
    pub grantable: bool,
}

#[derive(FromQueryResult)]
pub struct Trigger {
    pub table: String,
    pub name: String,
    pub enabled: String,
    /// As in `pg_trigger.tgtype`.
    pub kind: i16,
    /// It has no condition, and is of no columns in particular.
    pub plain: bool,
    pub source: String,
}

#[derive(FromQueryResult)]
pub struct SecurityDefinerFunction {
    pub name: String,
}

/// A foreign key; columns are separated by commas.
#[derive(FromQueryResult)]
pub struct Reference {
    pub name: String,
    pub from_table: String,
    pub from_columns: String,
    pub to_table: String,
    pub to_columns: String,
}

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

/// Something that changes what a table, a key or a role of ours means.
#[derive(FromQueryResult)]
pub struct Anomaly {
    pub detail: String,
    pub remedy: String,
}

/// What a role may do with schema and database, separated by commas.
#[derive(FromQueryResult)]
pub struct SchemaPrivileges {
    pub role: String,
    pub privileges: String,
}

const ROLES: &str = "
    SELECT rolname::text AS name,
           concat_ws(', ', CASE WHEN rolsuper THEN 'SUPERUSER' END, CASE WHEN rolbypassrls THEN 'BYPASSRLS' END,
                     CASE WHEN rolcreaterole THEN 'CREATEROLE' END, CASE WHEN rolcreatedb THEN 'CREATEDB' END,
                     CASE WHEN rolreplication THEN 'REPLICATION' END, CASE WHEN rolinherit THEN 'INHERIT' END,
                     CASE WHEN rolcanlogin THEN 'LOGIN' END) AS attributes
    FROM pg_roles WHERE rolname IN ($1, $2, $3, $4)";

const SESSION: &str = r#"SELECT session_user::text AS "user",
    (SELECT rolsuper FROM pg_roles WHERE rolname = session_user) AS superuser, current_database()::text AS database, current_schema()::text AS schema"#;

const MEMBERSHIPS: &str = "
    SELECT r.rolname::text AS role, m.rolname::text AS member, g.admin_option AS admin_option,
           coalesce((to_jsonb(g) ->> 'set_option')::boolean, true) AS set_option,
           coalesce((to_jsonb(g) ->> 'inherit_option')::boolean, m.rolinherit) AS inherits
    FROM pg_auth_members g JOIN pg_roles r ON r.oid = g.roleid JOIN pg_roles m ON m.oid = g.member
    WHERE m.rolname IN ($1, $2, $3, $4) OR r.rolname IN ($1, $2, $3)";

const RELATIONS: &str = "
    SELECT c.relname::text AS name, c.relkind::text AS kind, pg_get_userbyid(c.relowner)::text AS owner,
           c.relrowsecurity AS rls_enabled, c.relforcerowsecurity AS rls_forced,
           coalesce(c.reloptions::text LIKE '%security_invoker=true%' OR c.reloptions::text LIKE '%security_invoker=on%', false)
             AS security_invoker
    FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND NOT c.relispartition
    ORDER BY 1";

const PARTITIONS: &str = r#"
    SELECT c.relname::text AS name, p.relname::text AS "table", pg_get_userbyid(c.relowner)::text AS owner
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
    WHERE c.relispartition AND c.relkind IN ('r', 'p', 'f') AND p.relnamespace = current_schema()::regnamespace"#;

const POLICIES: &str = r#"
    SELECT c.relname::text AS "table", p.polname::text AS name, p.polpermissive AS permissive, p.polcmd::text AS command,
           coalesce((SELECT string_agg(coalesce(r.rolname::text, 'PUBLIC'), ',' ORDER BY r.rolname)
                     FROM unnest(p.polroles) AS one LEFT JOIN pg_roles r ON r.oid = one), '') AS roles,
           pg_get_expr(p.polqual, p.polrelid) AS "using", pg_get_expr(p.polwithcheck, p.polrelid) AS "check"
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE c.relnamespace = current_schema()::regnamespace
    ORDER BY 1, 2"#;

const GRANTS: &str = r#"
    SELECT c.relname::text AS "table", NULL::text AS "column", coalesce(r.rolname::text, 'PUBLIC') AS grantee,
           a.privilege_type::text AS privilege, a.is_grantable AS grantable
    FROM pg_class c, aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
    WHERE c.relnamespace = current_schema()::regnamespace AND a.grantee <> c.relowner
    UNION ALL
    SELECT c.relname::text, t.attname::text, coalesce(r.rolname::text, 'PUBLIC'), a.privilege_type::text, a.is_grantable
    FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid, aclexplode(t.attacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
    WHERE c.relnamespace = current_schema()::regnamespace"#;

const TRIGGERS: &str = r#"
    SELECT c.relname::text AS "table", t.tgname::text AS name, t.tgenabled::text AS enabled, t.tgtype AS kind,
           t.tgqual IS NULL AND t.tgattr = ''::int2vector AS plain, f.prosrc AS source
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc f ON f.oid = t.tgfoid
    WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace"#;

const SECURITY_DEFINERS: &str = "SELECT proname::text AS name FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND prosecdef";

const REFERENCES: &str = "
    SELECT k.conname::text AS name, f.relname::text AS from_table, t.relname::text AS to_table,
           (SELECT string_agg(a.attname::text, ',' ORDER BY n.ord) FROM unnest(k.conkey) WITH ORDINALITY AS n(num, ord)
            JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = n.num) AS from_columns,
           (SELECT string_agg(a.attname::text, ',' ORDER BY n.ord) FROM unnest(k.confkey) WITH ORDINALITY AS n(num, ord)
            JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = n.num) AS to_columns
    FROM pg_constraint k JOIN pg_class f ON f.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid
    WHERE k.contype = 'f' AND f.relnamespace = current_schema()::regnamespace";

const UNIQUE_KEYS: &str = r#"
    SELECT c.relname::text AS "table",
           (SELECT string_agg(coalesce(a.attname::text, '?'), ',' ORDER BY n.ord) FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS n(num, ord)
            LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = n.num) AS columns
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    WHERE i.indisunique AND NOT c.relispartition AND c.relnamespace = current_schema()::regnamespace"#;

const ORG_COLUMNS: &str = r#"
    SELECT c.relname::text AS "table", a.atthasdef AS has_default FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE a.attname = 'org_id' AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = current_schema()::regnamespace"#;

/// Schemas of the system's own are left out.
const ANOMALIES: &str = "
    SELECT 'the table ' || c.relname || ' inherits, or is inherited from: what is read of one is read of the other' AS detail,
           'ALTER TABLE ... NO INHERIT' AS remedy
    FROM pg_inherits i JOIN pg_class c ON c.oid IN (i.inhrelid, i.inhparent)
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND NOT EXISTS (SELECT 1 FROM pg_partitioned_table p WHERE p.partrelid = c.oid)
    UNION ALL
    SELECT 'the rule ' || r.rulename || ' does something else than what ' || c.relname || ' is asked for', 'DROP RULE'
    FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND r.rulename <> '_RETURN'
    UNION ALL
    SELECT 'the exclusion constraint ' || k.conname || ' of ' || c.relname || ' could tell one org of another', 'drop it'
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE k.contype = 'x' AND c.relnamespace = current_schema()::regnamespace
    UNION ALL
    SELECT 'the view ' || n.nspname || '.' || c.relname || ' reads with the rights of its owner', 'set security_invoker, or drop it'
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('v', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname <> current_schema()
      AND NOT coalesce(c.reloptions::text ~ 'security_invoker=(true|on)', false)
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
    UNION ALL
    SELECT 'the function ' || n.nspname || '.' || f.proname || ' runs with the rights of its owner (SECURITY DEFINER)', 'drop it, or SECURITY INVOKER'
    FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
    WHERE f.prosecdef AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname <> current_schema()
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = f.oid AND d.deptype = 'e')
    UNION ALL
    SELECT r.rolname || ' owns the schema or the database', 'give it to the owner of the tables'
    FROM pg_roles r WHERE r.rolname IN ($1, $2, $3, $4)
      AND (r.oid = (SELECT nspowner FROM pg_namespace WHERE nspname = current_schema())
        OR r.oid = (SELECT datdba FROM pg_database WHERE datname = current_database()))
    UNION ALL
    SELECT r.rolname || ' has settings of its own: ' || array_to_string(s.setconfig, ', '), 'ALTER ROLE ... RESET ALL'
    FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole
    WHERE r.rolname IN ($1, $2, $3, $4) AND s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))";

const SCHEMA_PRIVILEGES: &str = "
    SELECT rolname::text AS role,
           concat_ws(', ', CASE WHEN has_schema_privilege(oid, current_schema(), 'USAGE') THEN 'use the schema' END,
                     CASE WHEN has_schema_privilege(oid, current_schema(), 'CREATE') THEN 'make tables' END,
                     CASE WHEN has_database_privilege(oid, current_database(), 'TEMPORARY') THEN 'make temporary tables' END,
                     CASE WHEN has_database_privilege(oid, current_database(), 'CREATE') THEN 'make schemas' END) AS privileges
    FROM pg_roles WHERE rolname IN ($1, $2, $3, $4)";

pub async fn read(db: &impl ConnectionTrait, roles: &Roles) -> Result<Found, DbErr> {
    let Roles { tenant, platform, audit_owner, login } = roles;
    let names = || [tenant, platform, audit_owner, login].map(|name| name.as_str().into()).to_vec();
    let session = rows(db, SESSION, Vec::new())
        .await?
        .pop()
        .ok_or_else(|| DbErr::RecordNotFound("a session".to_owned()))?;
    Ok(Found {
        session,
        roles: rows(db, ROLES, names()).await?,
        memberships: rows(db, MEMBERSHIPS, names()).await?,
        relations: rows(db, RELATIONS, Vec::new()).await?,
        partitions: rows(db, PARTITIONS, Vec::new()).await?,
        policies: rows(db, POLICIES, Vec::new()).await?,
        grants: rows(db, GRANTS, Vec::new()).await?,
        triggers: rows(db, TRIGGERS, Vec::new()).await?,
        security_definers: rows(db, SECURITY_DEFINERS, Vec::new()).await?,
        references: rows(db, REFERENCES, Vec::new()).await?,
        unique_keys: rows(db, UNIQUE_KEYS, Vec::new()).await?,
        org_columns: rows(db, ORG_COLUMNS, Vec::new()).await?,
        anomalies: rows(db, ANOMALIES, names()).await?,
        schema_privileges: rows(db, SCHEMA_PRIVILEGES, names()).await?,
    })
}

async fn rows<T: FromQueryResult>(
    db: &impl ConnectionTrait,
    sql: &str,
    values: Vec<sea_orm::Value>,
) -> Result<Vec<T>, DbErr> {
    let rows =
        db.query_all_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, values)).await?;
    rows.iter().map(|row| T::from_query_result(row, "")).collect()
}
