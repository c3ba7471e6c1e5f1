//! Catalog queries. `$1` to `$4` are the tenant, platform, audit owner and login roles. Objects of
//! extensions are not part of the schema: see `extension_queries.rs`.

/// SQL condition for an object that no extension contains: its catalog, and its `oid`.
macro_rules! is_in_no_extension {
    ($catalog:literal, $($oid:literal),+) => {
        concat!(
            "NOT EXISTS (SELECT 1 FROM pg_depend e WHERE e.classid = '",
            $catalog,
            "'::regclass AND e.objid = ",
            $($oid,)+
            " AND e.deptype = 'e')"
        )
    };
}

/// SQL condition for a relation of the schema.
macro_rules! is_ours {
    ($relation:literal) => {
        concat!(
            $relation,
            ".relnamespace = current_schema()::regnamespace AND ",
            is_in_no_extension!("pg_class", $relation, ".oid")
        )
    };
}

pub(super) use {is_in_no_extension, is_ours};

pub const SESSION: &str = r#"
    SELECT session_user::text AS "user",
           (SELECT rolsuper FROM pg_roles WHERE rolname = session_user) AS superuser,
           current_database()::text AS database, current_schema()::text AS schema"#;

pub const ROLES: &str = "
    SELECT rolname::text AS name,
           concat_ws(', ', CASE WHEN rolsuper THEN 'SUPERUSER' END,
                     CASE WHEN rolbypassrls THEN 'BYPASSRLS' END,
                     CASE WHEN rolcreaterole THEN 'CREATEROLE' END,
                     CASE WHEN rolcreatedb THEN 'CREATEDB' END,
                     CASE WHEN rolreplication THEN 'REPLICATION' END,
                     CASE WHEN rolinherit THEN 'INHERIT' END,
                     CASE WHEN rolcanlogin THEN 'LOGIN' END) AS attributes
    FROM pg_roles WHERE rolname IN ($1, $2, $3, $4)";

pub const MEMBERSHIPS: &str = "
    SELECT r.rolname::text AS role, m.rolname::text AS member, g.admin_option AS admin_option,
           coalesce((to_jsonb(g) ->> 'set_option')::boolean, true) AS set_option,
           coalesce((to_jsonb(g) ->> 'inherit_option')::boolean, m.rolinherit) AS inherits
    FROM pg_auth_members g
    JOIN pg_roles r ON r.oid = g.roleid JOIN pg_roles m ON m.oid = g.member
    WHERE m.rolname IN ($1, $2, $3, $4) OR r.rolname IN ($1, $2, $3)";

pub const RELATIONS: &str = concat!(
    "
    SELECT c.relname::text AS name, c.relkind::text AS kind,
           pg_get_userbyid(c.relowner)::text AS owner,
           c.relrowsecurity AS rls_enabled, c.relforcerowsecurity AS rls_forced,
           coalesce(c.reloptions::text LIKE '%security_invoker=true%'
                    OR c.reloptions::text LIKE '%security_invoker=on%', false)
             AS security_invoker
    FROM pg_class c
    WHERE ",
    is_ours!("c"),
    "
      AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND NOT c.relispartition
    ORDER BY 1"
);

pub const PARTITIONS: &str = concat!(
    r#"
    SELECT c.relname::text AS name, p.relname::text AS "table",
           pg_get_userbyid(c.relowner)::text AS owner
    FROM pg_inherits i
    JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
    WHERE c.relispartition AND c.relkind IN ('r', 'p', 'f')
      AND "#,
    is_ours!("p")
);

pub const POLICIES: &str = concat!(
    r#"
    SELECT c.relname::text AS "table", p.polname::text AS name, p.polpermissive AS permissive,
           p.polcmd::text AS command,
           coalesce((SELECT string_agg(coalesce(r.rolname::text, 'PUBLIC'), ',' ORDER BY r.rolname)
                     FROM unnest(p.polroles) AS role_oid
                     LEFT JOIN pg_roles r ON r.oid = role_oid), '') AS roles,
           pg_get_expr(p.polqual, p.polrelid) AS "using",
           pg_get_expr(p.polwithcheck, p.polrelid) AS "check"
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
    WHERE "#,
    is_ours!("c"),
    r#"
    ORDER BY 1, 2"#
);

pub const GRANTS: &str = concat!(
    r#"
    SELECT c.relname::text AS "table", NULL::text AS "column",
           coalesce(r.rolname::text, 'PUBLIC') AS grantee,
           a.privilege_type::text AS privilege, a.is_grantable AS grantable
    FROM pg_class c, aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
    WHERE "#,
    is_ours!("c"),
    r#" AND a.grantee <> c.relowner
    UNION ALL
    SELECT c.relname::text, t.attname::text, coalesce(r.rolname::text, 'PUBLIC'),
           a.privilege_type::text, a.is_grantable
    FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid, aclexplode(t.attacl) a
    LEFT JOIN pg_roles r ON r.oid = a.grantee
    WHERE "#,
    is_ours!("c")
);

pub const TRIGGERS: &str = concat!(
    r#"
    SELECT c.relname::text AS "table", t.tgname::text AS name, t.tgenabled::text AS enabled,
           t.tgtype AS kind,
           t.tgqual IS NULL AND t.tgattr = ''::int2vector AS unconditional, f.prosrc AS source
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc f ON f.oid = t.tgfoid
    WHERE NOT t.tgisinternal AND "#,
    is_ours!("c")
);

pub const SECURITY_DEFINERS: &str = concat!(
    "
    SELECT proname::text AS name FROM pg_proc
    WHERE pronamespace = current_schema()::regnamespace AND prosecdef AND ",
    is_in_no_extension!("pg_proc", "pg_proc.oid")
);

pub const FOREIGN_KEYS: &str = concat!(
    "
    SELECT k.conname::text AS name, f.relname::text AS from_table, t.relname::text AS to_table,
           (SELECT string_agg(a.attname::text, ',' ORDER BY n.ord)
            FROM unnest(k.conkey) WITH ORDINALITY AS n(num, ord)
            JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = n.num) AS from_columns,
           (SELECT string_agg(a.attname::text, ',' ORDER BY n.ord)
            FROM unnest(k.confkey) WITH ORDINALITY AS n(num, ord)
            JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = n.num) AS to_columns
    FROM pg_constraint k
    JOIN pg_class f ON f.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid
    WHERE k.contype = 'f' AND ",
    is_ours!("f")
);

pub const UNIQUE_KEYS: &str = concat!(
    r#"
    SELECT c.relname::text AS "table",
           (SELECT string_agg(coalesce(a.attname::text, '?'), ',' ORDER BY n.ord)
            FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS n(num, ord)
            LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = n.num) AS columns
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    WHERE i.indisunique AND NOT c.relispartition
      AND "#,
    is_ours!("c")
);

pub const ORG_COLUMNS: &str = concat!(
    r#"
    SELECT c.relname::text AS "table", a.atthasdef AS has_default
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE a.attname = 'org_id' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND "#,
    is_ours!("c")
);

/// Table inheritance, rules, exclusion constraints, views and functions in other schemas, ownership
/// of the schema or database, and role settings. System schemas and extensions are exempt.
pub const ANOMALIES: &str = concat!(
    "
    SELECT 'the table ' || c.relname || ' is part of an inheritance hierarchy:'
             || ' a query of the parent returns the rows of its children' AS detail,
           'ALTER TABLE ' || i.inhrelid::regclass::text
             || ' NO INHERIT ' || i.inhparent::regclass::text AS remedy
    FROM pg_inherits i JOIN pg_class c ON c.oid IN (i.inhrelid, i.inhparent)
    WHERE ",
    is_ours!("c"),
    " AND c.relkind IN ('r', 'p')
      AND NOT c.relispartition
      AND NOT EXISTS (SELECT 1 FROM pg_partitioned_table p WHERE p.partrelid = c.oid)
    UNION ALL
    SELECT 'the rule ' || r.rulename || ' rewrites statements on ' || c.relname,
           format('DROP RULE %I ON %I', r.rulename, c.relname)
    FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
    WHERE ",
    is_ours!("c"),
    " AND c.relkind IN ('r', 'p')
      AND r.rulename <> '_RETURN'
    UNION ALL
    SELECT 'the exclusion constraint ' || k.conname || ' on ' || c.relname
             || ' can reveal values of other orgs',
           format('ALTER TABLE %I DROP CONSTRAINT %I', c.relname, k.conname)
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE k.contype = 'x' AND ",
    is_ours!("c"),
    "
    UNION ALL
    SELECT 'the view ' || n.nspname || '.' || c.relname || ' runs with its owner''s privileges',
           CASE c.relkind
             WHEN 'm' THEN format('DROP MATERIALIZED VIEW %I.%I', n.nspname, c.relname)
             ELSE format('ALTER VIEW %1$I.%2$I SET (security_invoker = true), or'
                         ' DROP VIEW %1$I.%2$I', n.nspname, c.relname)
           END
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('v', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND n.nspname <> current_schema()
      AND NOT coalesce(c.reloptions::text ~ 'security_invoker=(true|on)', false)
      AND ",
    is_in_no_extension!("pg_class", "c.oid"),
    "
    UNION ALL
    SELECT 'the function ' || n.nspname || '.' || f.proname
             || ' runs with its owner''s privileges (SECURITY DEFINER)',
           format('ALTER ROUTINE %1$s SECURITY INVOKER, or DROP ROUTINE %1$s',
                  f.oid::regprocedure)
    FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
    WHERE f.prosecdef AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND n.nspname <> current_schema()
      AND ",
    is_in_no_extension!("pg_proc", "f.oid"),
    "
    UNION ALL
    SELECT r.rolname || ' owns the schema or the database',
           'transfer it to the owner of the tables with ALTER SCHEMA or ALTER DATABASE ... OWNER TO'
    FROM pg_roles r WHERE r.rolname IN ($1, $2, $3, $4)
      AND (r.oid = (SELECT nspowner FROM pg_namespace WHERE nspname = current_schema())
        OR r.oid = (SELECT datdba FROM pg_database WHERE datname = current_database()))
    UNION ALL
    SELECT r.rolname || ' has role settings: ' || array_to_string(s.setconfig, ', '),
           format('ALTER ROLE %I ', r.rolname)
             || CASE s.setdatabase WHEN 0 THEN ''
                ELSE format('IN DATABASE %I ', current_database()) END
             || 'RESET ALL'
    FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole
    WHERE r.rolname IN ($1, $2, $3, $4)
      AND s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))"
);

pub const SCHEMA_PRIVILEGES: &str = "
    SELECT rolname::text AS role,
           concat_ws(', ',
             CASE WHEN has_schema_privilege(oid, current_schema(), 'USAGE')
               THEN 'USAGE on the schema' END,
             CASE WHEN has_schema_privilege(oid, current_schema(), 'CREATE')
               THEN 'CREATE on the schema' END,
             CASE WHEN has_database_privilege(oid, current_database(), 'TEMPORARY')
               THEN 'TEMPORARY on the database' END,
             CASE WHEN has_database_privilege(oid, current_database(), 'CREATE')
               THEN 'CREATE on the database' END) AS privileges
    FROM pg_roles WHERE rolname IN ($1, $2, $3, $4)";
