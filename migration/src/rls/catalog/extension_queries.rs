//! Queries about extensions. Their objects are not part of the schema, but the tenant role (`$1`)
//! must not reach rows of other orgs, other databases, files or programs through them.

use super::queries::{is_in_no_extension, is_ours};

/// Installed extensions.
pub const EXTENSIONS: &str = "
    SELECT x.extname::text AS name, x.extversion AS version, n.nspname::text AS schema
    FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace
    ORDER BY 1";

/// SQL condition for a function `f` that the tenant role `t` can call. Trigger functions cannot be
/// called.
macro_rules! is_callable {
    () => {
        "has_schema_privilege(t.oid, f.pronamespace, 'USAGE')
         AND has_function_privilege(t.oid, f.oid, 'EXECUTE')
         AND f.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)"
    };
}

/// SQL joins from an extension `x` to the functions `f` in it.
macro_rules! functions_of_extension {
    () => {
        "JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = x.oid
           AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
         JOIN pg_proc f ON f.oid = d.objid"
    };
}

/// Remedies of functions that the tenant role must not call.
macro_rules! revoke_execute {
    () => {
        "format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC, %I', f.oid::regprocedure, t.rolname)"
    };
}

/// Access of the tenant role through extensions, and objects that extensions usually create.
pub const REACHABLE: &str = concat!(
    "
    SELECT t.rolname || ' can execute ' || f.oid::regprocedure || ' of the extension '
             || x.extname || ', which runs with its owner''s privileges (SECURITY DEFINER)'
             AS detail,
           ",
    revoke_execute!(),
    " || format(', or move the extension to a schema on which %I has no USAGE', t.rolname)
             AS remedy
    FROM pg_roles t CROSS JOIN pg_extension x ",
    functions_of_extension!(),
    "
    WHERE t.rolname = $1 AND f.prosecdef AND ",
    is_callable!(),
    "
    UNION ALL
    SELECT DISTINCT t.rolname || ' can use the extension ' || x.extname || ', which ' || k.effect,
           format('move it to a schema on which %1$I has no USAGE (ALTER EXTENSION %2$I SET'
                  ' SCHEMA ...), or DROP EXTENSION %2$I', t.rolname, x.extname)
    FROM (VALUES ('adminpack', 'writes files of the database server'),
                 ('aws_lambda', 'calls other services'),
                 ('aws_s3', 'reads and writes files elsewhere'),
                 ('azure_ai', 'calls other services'),
                 ('azure_storage', 'reads and writes files elsewhere'),
                 ('dblink', 'connects to databases'),
                 ('google_ml_integration', 'calls other services'),
                 ('http', 'calls other services'),
                 ('pg_background', 'runs SQL in other sessions'),
                 ('pg_cron', 'runs SQL in other sessions'),
                 ('pg_net', 'calls other services')) AS k (name, effect)
    JOIN pg_extension x ON x.extname = k.name CROSS JOIN pg_roles t ",
    functions_of_extension!(),
    "
    WHERE t.rolname = $1 AND ",
    is_callable!(),
    "
    UNION ALL
    SELECT t.rolname || ' can execute ' || f.oid::regprocedure
             || ', written in the untrusted language ' || l.lanname,
           ",
    revoke_execute!(),
    "
    FROM pg_roles t CROSS JOIN pg_proc f JOIN pg_language l ON l.oid = f.prolang
    WHERE t.rolname = $1 AND l.lanispl AND NOT l.lanpltrusted AND ",
    is_callable!(),
    "
    UNION ALL
    SELECT t.rolname || ' can execute ' || f.oid::regprocedure
             || ', which accesses files of the database server',
           ",
    revoke_execute!(),
    "
    FROM pg_roles t CROSS JOIN pg_proc f
    WHERE t.rolname = $1 AND f.pronamespace = 'pg_catalog'::regnamespace
      AND f.proname IN ('lo_import', 'lo_export', 'pg_read_file', 'pg_read_binary_file',
                        'pg_ls_dir', 'pg_stat_file')
      AND ",
    is_callable!(),
    "
    UNION ALL
    SELECT t.rolname || ' can use the foreign server ' || s.srvname,
           format('REVOKE USAGE ON FOREIGN SERVER %I FROM PUBLIC, %I', s.srvname, t.rolname)
    FROM pg_roles t CROSS JOIN pg_foreign_server s
    WHERE t.rolname = $1 AND has_server_privilege(t.oid, s.oid, 'USAGE')
    UNION ALL
    SELECT t.rolname || ' can create servers of the foreign data wrapper ' || w.fdwname,
           format('REVOKE USAGE ON FOREIGN DATA WRAPPER %I FROM PUBLIC, %I', w.fdwname, t.rolname)
    FROM pg_roles t CROSS JOIN pg_foreign_data_wrapper w
    WHERE t.rolname = $1 AND has_foreign_data_wrapper_privilege(t.oid, w.oid, 'USAGE')
    UNION ALL
    SELECT t.rolname || ' can read the foreign table ' || c.oid::regclass,
           format('REVOKE ALL ON %s FROM PUBLIC, %I', c.oid::regclass, t.rolname)
    FROM pg_roles t CROSS JOIN pg_class c
    WHERE t.rolname = $1 AND c.relkind = 'f' AND c.relnamespace <> current_schema()::regnamespace
      AND has_schema_privilege(t.oid, c.relnamespace, 'USAGE')
      AND has_any_column_privilege(t.oid, c.oid, 'SELECT')
    UNION ALL
    SELECT r.rolname || ' owns the extension ' || x.extname || ' and can add objects to it',
           format('DROP EXTENSION %1$I, and let the schema owner create it', x.extname)
    FROM pg_extension x JOIN pg_roles r ON r.oid = x.extowner
    WHERE r.rolname IN ($1, $2, $3, $4)
    UNION ALL
    SELECT DISTINCT 'the view ' || v.oid::regclass || ' of the extension ' || x.extname
             || ' reads ' || c.relname || ' with its owner''s privileges',
           format('ALTER EXTENSION %1$I DROP %2$s %3$s; then DROP %2$s %3$s', x.extname,
                  CASE v.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END,
                  v.oid::regclass)
    FROM pg_extension x
    JOIN pg_depend m ON m.refclassid = 'pg_extension'::regclass AND m.refobjid = x.oid
      AND m.classid = 'pg_class'::regclass AND m.deptype = 'e'
    JOIN pg_class v ON v.oid = m.objid AND v.relkind IN ('v', 'm')
    JOIN pg_rewrite w ON w.ev_class = v.oid
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
      AND d.refclassid = 'pg_class'::regclass
    JOIN pg_class c ON c.oid = d.refobjid
    WHERE NOT coalesce(v.reloptions::text ~ 'security_invoker=(true|on)', false) AND ",
    is_ours!("c")
);
