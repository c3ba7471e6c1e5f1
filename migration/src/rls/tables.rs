//! Rows, privileges and columns per table and role. A table that is not listed is a fault, so a new
//! table cannot be forgotten.

/// Access rules of a table.
pub struct TableRules {
    pub table: &'static str,
    /// Access of the tenant role to rows of its org; `None` for no access.
    pub tenant: Option<Tenant>,
    /// Privileges of the platform role, on all rows.
    pub platform: &'static [Privilege],
    /// Access of the audit owner, on all rows, for retention and erasure.
    pub audit_owner: AuditOwnerAccess,
}

/// Access of the audit owner to a table.
#[derive(Clone, Copy)]
pub enum AuditOwnerAccess {
    None,
    Grants(&'static [Privilege]),
    /// Ownership: the audit tables belong to a NOLOGIN role.
    Owner,
}

/// Access of the tenant role to a table.
pub struct Tenant {
    pub rows: TenantRows,
    pub privileges: &'static [Privilege],
}

/// Rows that belong to the org of the transaction.
#[derive(Clone, Copy)]
pub enum TenantRows {
    /// Rows whose column of this name holds the org's id.
    OrgColumn(&'static str),
    /// Users that are members of the org, or staff members or targets of impersonations in it.
    OrgUsers,
}

/// A privilege on the listed columns, or on the whole table if none is listed.
#[derive(Clone, Copy)]
pub struct Privilege {
    pub name: &'static str,
    pub columns: &'static [&'static str],
}

const fn whole_table(name: &'static str) -> Privilege {
    Privilege { name, columns: &[] }
}

const SELECT: Privilege = whole_table("SELECT");
const INSERT: Privilege = whole_table("INSERT");
const UPDATE: Privilege = whole_table("UPDATE");
const DELETE: Privilege = whole_table("DELETE");

const fn select(columns: &'static [&'static str]) -> Privilege {
    Privilege { name: "SELECT", columns }
}

const fn update(columns: &'static [&'static str]) -> Privilege {
    Privilege { name: "UPDATE", columns }
}

const fn org_rows(org_column: &'static str, privileges: &'static [Privilege]) -> Tenant {
    Tenant { rows: TenantRows::OrgColumn(org_column), privileges }
}

pub static TABLES: &[TableRules] = &[
    TableRules {
        table: "user",
        tenant: Some(Tenant {
            rows: TenantRows::OrgUsers,
            privileges: &[select(&["id", "email", "name"])],
        }),
        platform: &[SELECT, INSERT, UPDATE],
        audit_owner: AuditOwnerAccess::Grants(&[SELECT]),
    },
    TableRules {
        table: "credential",
        tenant: None,
        platform: &[SELECT, INSERT, UPDATE],
        audit_owner: AuditOwnerAccess::None,
    },
    TableRules {
        table: "session",
        tenant: None,
        platform: &[SELECT, INSERT, UPDATE],
        audit_owner: AuditOwnerAccess::None,
    },
    TableRules {
        table: "refresh_token",
        tenant: None,
        platform: &[SELECT, INSERT, UPDATE],
        audit_owner: AuditOwnerAccess::None,
    },
    TableRules {
        table: "staff",
        tenant: None,
        platform: &[SELECT, INSERT, UPDATE, DELETE],
        audit_owner: AuditOwnerAccess::None,
    },
    TableRules {
        table: "organization",
        tenant: Some(org_rows("id", &[SELECT, update(&["name", "deletion_requested_at"])])),
        platform: &[SELECT, INSERT, UPDATE],
        audit_owner: AuditOwnerAccess::Grants(&[SELECT]),
    },
    TableRules {
        table: "membership",
        tenant: Some(org_rows("org_id", &[SELECT, update(&["role"]), DELETE])),
        platform: &[SELECT, INSERT, UPDATE, DELETE],
        audit_owner: AuditOwnerAccess::Grants(&[SELECT]),
    },
    TableRules {
        table: "org_setting",
        tenant: Some(org_rows(
            "org_id",
            &[SELECT, update(&["color", "logo_url", "support_email", "version"])],
        )),
        platform: &[SELECT, INSERT, UPDATE],
        audit_owner: AuditOwnerAccess::Grants(&[SELECT]),
    },
    TableRules {
        table: "feature_override",
        tenant: Some(org_rows("org_id", &[SELECT])),
        platform: &[SELECT, INSERT, UPDATE, DELETE],
        audit_owner: AuditOwnerAccess::None,
    },
    TableRules {
        table: "usage_point",
        tenant: Some(org_rows("org_id", &[SELECT])),
        platform: &[SELECT, INSERT],
        audit_owner: AuditOwnerAccess::None,
    },
    TableRules {
        table: "impersonation",
        tenant: Some(org_rows("org_id", &[SELECT, update(&["ended_at", "end_cause"])])),
        platform: &[SELECT, INSERT, update(&["ended_at", "end_cause"])],
        audit_owner: AuditOwnerAccess::None,
    },
    TableRules {
        table: "audit_event",
        tenant: Some(org_rows("org_id", &[SELECT, INSERT])),
        platform: &[SELECT, INSERT],
        audit_owner: AuditOwnerAccess::Owner,
    },
    TableRules {
        table: "idempotency_key",
        tenant: Some(org_rows("org_id", &[SELECT, INSERT, UPDATE])),
        platform: &[SELECT, INSERT, UPDATE, DELETE],
        audit_owner: AuditOwnerAccess::None,
    },
    TableRules {
        table: "instance",
        tenant: None,
        platform: &[SELECT, INSERT],
        audit_owner: AuditOwnerAccess::Grants(&[SELECT, INSERT]),
    },
    TableRules {
        table: "audit_queue",
        tenant: Some(org_rows("org_id", &[select(&["org_id", "event_id"]), INSERT])),
        platform: &[SELECT, INSERT, DELETE],
        audit_owner: AuditOwnerAccess::Grants(&[SELECT, INSERT]),
    },
    TableRules {
        table: "retention",
        tenant: Some(org_rows("org_id", &[SELECT])),
        platform: &[SELECT, INSERT, UPDATE],
        audit_owner: AuditOwnerAccess::Grants(&[SELECT]),
    },
    TableRules {
        table: "audit_leaf",
        tenant: Some(org_rows("org_id", &[SELECT])),
        platform: &[SELECT, INSERT],
        audit_owner: AuditOwnerAccess::Owner,
    },
    TableRules {
        table: "audit_node",
        tenant: Some(org_rows("org_id", &[SELECT])),
        platform: &[SELECT, INSERT],
        audit_owner: AuditOwnerAccess::Owner,
    },
    TableRules {
        table: "audit_checkpoint",
        tenant: Some(org_rows("org_id", &[SELECT])),
        platform: &[SELECT, INSERT],
        audit_owner: AuditOwnerAccess::Owner,
    },
];

/// Table of applied migrations. It has no row-level security: the schema owner writes it, and the
/// platform role reads it.
pub const MIGRATIONS: &str = "seaql_migrations";

/// Append-only tables, each with its primary key. Each has two triggers, `…_no_update_delete` and
/// `…_no_truncate`.
pub static APPEND_ONLY: &[(&str, &[&str])] = &[
    ("audit_event", &["id"]),
    ("audit_leaf", &["org_id", "leaf_index"]),
    ("audit_node", &["org_id", "level", "node_index"]),
    ("audit_checkpoint", &["org_id", "size"]),
];

/// Tables with monthly partitions.
pub static PARTITIONED_BY_MONTH: &[&str] = &["audit_event"];

/// Permitted SECURITY DEFINER functions, each with a reason. Currently none.
pub static SECURITY_DEFINERS: &[(&str, &str)] = &[];

/// Permitted unique keys of tenant tables that do not begin with the org, each with the reason why
/// a conflict with a row of another org may be visible.
pub static UNIQUE_ACROSS_ORGS: &[(&str, &str)] = &[
    ("organization.slug", "slugs are public addresses, and taken slugs may be visible"),
    ("impersonation.id", "tokens name an impersonation without its org; tenants cannot insert"),
    ("audit_event.id", "generated at random by the server, never by the caller"),
    ("audit_queue.event_id", "generated at random by the server, never by the caller"),
];

/// Access rules of the table; `None` for an unknown table.
pub fn rules_of(table: &str) -> Option<&'static TableRules> {
    TABLES.iter().find(|rules| rules.table == table)
}

/// Reports whether the table belongs to the audit owner.
pub fn is_audit_table(table: &str) -> bool {
    rules_of(table).is_some_and(|rules| matches!(rules.audit_owner, AuditOwnerAccess::Owner))
}

impl TenantRows {
    /// Policy condition, written as PostgreSQL prints it, because the same text is applied and
    /// checked.
    pub fn condition(self) -> String {
        const ORG: &str = "(NULLIF(current_setting('postern.org_id'::text, true), ''::text))::uuid";
        let user_exists = |table: &str, alias: &str, user_column: &str| {
            format!(
                "(EXISTS ( SELECT 1 FROM {table} {alias} \
                 WHERE (({alias}.org_id = {ORG}) AND ({alias}.{user_column} = \"user\".id))))"
            )
        };
        match self {
            Self::OrgColumn(column) => format!("({column} = {ORG})"),
            Self::OrgUsers => format!(
                "({} OR {} OR {})",
                user_exists("membership", "m", "user_id"),
                user_exists("impersonation", "i", "staff_user_id"),
                user_exists("impersonation", "i", "target_user_id"),
            ),
        }
    }
}
