//! Which role may do what with which table. A table that is not here is a fault: nobody can forget a new one.

/// What the wall says of a table.
pub struct TableRules {
    pub table: &'static str,
    /// What the tenant's role may do with the rows of its org; none where it has no business at all.
    pub tenant: Option<Tenant>,
    /// What the platform's role may do with all rows.
    pub platform: &'static [Privilege],
    /// What the record's audit_owner may do with all rows, who removes what has to go.
    pub audit_owner: AuditOwnerAccess,
}

/// What the audit_owner is to a table.
#[derive(Clone, Copy)]
pub enum AuditOwnerAccess {
    /// Nobody.
    None,
    /// Somebody with some rights.
    Grants(&'static [Privilege]),
    /// Its owner: the tables of the record belong to a role that nobody signs in as.
    Owner,
}

pub struct Tenant {
    pub rows: TenantRows,
    pub privileges: &'static [Privilege],
}

/// Which rows belong to the org of the transaction.
#[derive(Clone, Copy)]
pub enum TenantRows {
    /// Those whose column of this name is the org's id.
    OrgColumn(&'static str),
    /// The people who are members of the org, or have been impersonated in it or impersonated somebody there.
    OrgUsers,
}

/// A privilege, on the whole table or on some columns.
#[derive(Clone, Copy)]
pub struct Privilege {
    pub privilege: &'static str,
    pub columns: &'static [&'static str],
}

const fn all(privilege: &'static str) -> Privilege {
    Privilege { privilege, columns: &[] }
}

const SELECT: Privilege = all("SELECT");
const INSERT: Privilege = all("INSERT");
const UPDATE: Privilege = all("UPDATE");
const DELETE: Privilege = all("DELETE");

const fn select(columns: &'static [&'static str]) -> Privilege {
    Privilege { privilege: "SELECT", columns }
}

const fn update(columns: &'static [&'static str]) -> Privilege {
    Privilege { privilege: "UPDATE", columns }
}

const fn of(rows: &'static str, privileges: &'static [Privilege]) -> Tenant {
    Tenant { rows: TenantRows::OrgColumn(rows), privileges }
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
        tenant: Some(of("id", &[SELECT, update(&["name", "deletion_requested_at"])])),
        platform: &[SELECT, INSERT, UPDATE],
        audit_owner: AuditOwnerAccess::Grants(&[SELECT]),
    },
    TableRules {
        table: "membership",
        tenant: Some(of("org_id", &[SELECT, update(&["role"]), DELETE])),
        platform: &[SELECT, INSERT, UPDATE, DELETE],
        audit_owner: AuditOwnerAccess::Grants(&[SELECT]),
    },
    TableRules {
        table: "org_setting",
        tenant: Some(of(
            "org_id",
            &[SELECT, update(&["color", "logo_url", "support_email", "version"])],
        )),
        platform: &[SELECT, INSERT, UPDATE],
        audit_owner: AuditOwnerAccess::Grants(&[SELECT]),
    },
    TableRules {
        table: "feature_override",
        tenant: Some(of("org_id", &[SELECT])),
        platform: &[SELECT, INSERT, UPDATE, DELETE],
        audit_owner: AuditOwnerAccess::None,
    },
    TableRules {
        table: "usage_point",
        tenant: Some(of("org_id", &[SELECT])),
        platform: &[SELECT, INSERT],
        audit_owner: AuditOwnerAccess::None,
    },
    TableRules {
        table: "impersonation",
        tenant: Some(of("org_id", &[SELECT, update(&["ended_at"])])),
        platform: &[SELECT, INSERT, update(&["ended_at"])],
        audit_owner: AuditOwnerAccess::None,
    },
    TableRules {
        table: "audit_event",
        tenant: Some(of("org_id", &[SELECT, INSERT])),
        platform: &[SELECT, INSERT],
        audit_owner: AuditOwnerAccess::Owner,
    },
    TableRules {
        table: "idempotency_key",
        tenant: Some(of("org_id", &[SELECT, INSERT, UPDATE])),
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
        tenant: Some(of("org_id", &[select(&["org_id", "event_id"]), INSERT])),
        platform: &[SELECT, INSERT, DELETE],
        audit_owner: AuditOwnerAccess::Grants(&[SELECT, INSERT]),
    },
    TableRules {
        table: "retention",
        tenant: Some(of("org_id", &[SELECT])),
        platform: &[SELECT, INSERT, UPDATE],
        audit_owner: AuditOwnerAccess::Grants(&[SELECT]),
    },
    TableRules {
        table: "audit_leaf",
        tenant: Some(of("org_id", &[SELECT])),
        platform: &[SELECT, INSERT],
        audit_owner: AuditOwnerAccess::Owner,
    },
    TableRules {
        table: "audit_node",
        tenant: Some(of("org_id", &[SELECT])),
        platform: &[SELECT, INSERT],
        audit_owner: AuditOwnerAccess::Owner,
    },
    TableRules {
        table: "audit_checkpoint",
        tenant: Some(of("org_id", &[SELECT])),
        platform: &[SELECT, INSERT],
        audit_owner: AuditOwnerAccess::Owner,
    },
];

/// The list of migrations that have been applied. Its owner goes on writing it, so it stands outside the wall; nobody else may.
pub const MIGRATIONS: &str = "seaql_migrations";

/// Tables that nobody changes or empties, each with its key; each has two triggers, `…_no_update_delete` and `…_no_truncate`.
pub static APPEND_ONLY: &[(&str, &[&str])] = &[
    ("audit_event", &["id"]),
    ("audit_leaf", &["org_id", "leaf_index"]),
    ("audit_node", &["org_id", "level", "node_index"]),
    ("audit_checkpoint", &["org_id", "size"]),
];

/// Tables that are cut by month.
pub static PARTITIONED_BY_MONTH: &[&str] = &["audit_event"];

/// Functions that run with their owner's rights, each with the reason why it must. There are none.
pub static SECURITY_DEFINERS: &[(&str, &str)] = &[];

/// Unique keys of tenants' tables that do not begin with the org, each with the reason why they may say that something is taken elsewhere.
pub static UNIQUE_EVERYWHERE: &[(&str, &str)] = &[
    ("organization.slug", "a slug is an address, and addresses are taken"),
    ("impersonation.id", "a token names its impersonation without its org; no tenant may add one"),
    ("audit_event.id", "ids are made by the server at random, and never by who calls it"),
    ("audit_queue.event_id", "likewise"),
];

impl TenantRows {
    /// The condition as PostgreSQL prints it back, so that one text both puts it up and checks it.
    pub fn condition(self) -> String {
        const ORG: &str = "(NULLIF(current_setting('postern.org_id'::text, true), ''::text))::uuid";
        match self {
            Self::OrgColumn(column) => format!("({column} = {ORG})"),
            Self::OrgUsers => format!(
                "((EXISTS ( SELECT 1 FROM membership m WHERE ((m.org_id = {ORG}) AND (m.user_id = \"user\".id)))) \
                 OR (EXISTS ( SELECT 1 FROM impersonation i WHERE ((i.org_id = {ORG}) AND (i.staff_user_id = \"user\".id)))) \
                 OR (EXISTS ( SELECT 1 FROM impersonation i WHERE ((i.org_id = {ORG}) AND (i.target_user_id = \"user\".id)))))"
            ),
        }
    }
}
