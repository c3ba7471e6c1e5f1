//! Which role may do what with which table. A table that is not here is a fault: nobody can forget a new one.

/// What the wall says of a table.
pub struct Fenced {
    pub table: &'static str,
    /// What the tenant's role may do with the rows of its org; none where it has no business at all.
    pub tenant: Option<Tenant>,
    /// What the platform's role may do with all rows.
    pub platform: &'static [Right],
    /// What the record's keeper may do with all rows, who removes what has to go.
    pub keeper: Keeper,
}

/// What the keeper is to a table.
#[derive(Clone, Copy)]
pub enum Keeper {
    /// Nobody.
    Stranger,
    /// Somebody with some rights.
    Guest(&'static [Right]),
    /// Its owner: the tables of the record belong to a role that nobody signs in as.
    Owner,
}

pub struct Tenant {
    pub rows: Rows,
    pub may: &'static [Right],
}

/// Which rows belong to the org of the transaction.
#[derive(Clone, Copy)]
pub enum Rows {
    /// Those whose column of this name is the org's id.
    Of(&'static str),
    /// The people who are members of the org, or have been impersonated in it or impersonated somebody there.
    People,
}

/// A privilege, on the whole table or on some columns.
#[derive(Clone, Copy)]
pub struct Right {
    pub privilege: &'static str,
    pub columns: &'static [&'static str],
}

const fn all(privilege: &'static str) -> Right {
    Right { privilege, columns: &[] }
}

const SELECT: Right = all("SELECT");
const INSERT: Right = all("INSERT");
const UPDATE: Right = all("UPDATE");
const DELETE: Right = all("DELETE");

const fn select(columns: &'static [&'static str]) -> Right {
    Right { privilege: "SELECT", columns }
}

const fn update(columns: &'static [&'static str]) -> Right {
    Right { privilege: "UPDATE", columns }
}

const fn of(rows: &'static str, may: &'static [Right]) -> Tenant {
    Tenant { rows: Rows::Of(rows), may }
}

pub static TABLES: &[Fenced] = &[
    Fenced {
        table: "user",
        tenant: Some(Tenant { rows: Rows::People, may: &[select(&["id", "email", "name"])] }),
        platform: &[SELECT, INSERT, UPDATE],
        keeper: Keeper::Guest(&[SELECT]),
    },
    Fenced {
        table: "credential",
        tenant: None,
        platform: &[SELECT, INSERT, UPDATE],
        keeper: Keeper::Stranger,
    },
    Fenced {
        table: "session",
        tenant: None,
        platform: &[SELECT, INSERT, UPDATE],
        keeper: Keeper::Stranger,
    },
    Fenced {
        table: "refresh_token",
        tenant: None,
        platform: &[SELECT, INSERT, UPDATE],
        keeper: Keeper::Stranger,
    },
    Fenced {
        table: "staff",
        tenant: None,
        platform: &[SELECT, INSERT, UPDATE, DELETE],
        keeper: Keeper::Stranger,
    },
    Fenced {
        table: "organization",
        tenant: Some(of("id", &[SELECT, update(&["name", "deletion_requested_at"])])),
        platform: &[SELECT, INSERT, UPDATE],
        keeper: Keeper::Guest(&[SELECT]),
    },
    Fenced {
        table: "membership",
        tenant: Some(of("org_id", &[SELECT, update(&["role"]), DELETE])),
        platform: &[SELECT, INSERT, UPDATE, DELETE],
        keeper: Keeper::Guest(&[SELECT]),
    },
    Fenced {
        table: "org_setting",
        tenant: Some(of(
            "org_id",
            &[SELECT, update(&["colour", "logo_url", "support_email", "version"])],
        )),
        platform: &[SELECT, INSERT, UPDATE],
        keeper: Keeper::Guest(&[SELECT]),
    },
    Fenced {
        table: "feature_override",
        tenant: Some(of("org_id", &[SELECT])),
        platform: &[SELECT, INSERT, UPDATE, DELETE],
        keeper: Keeper::Stranger,
    },
    Fenced {
        table: "usage_point",
        tenant: Some(of("org_id", &[SELECT])),
        platform: &[SELECT, INSERT],
        keeper: Keeper::Stranger,
    },
    Fenced {
        table: "impersonation",
        tenant: Some(of("org_id", &[SELECT, update(&["ended_at"])])),
        platform: &[SELECT, INSERT, update(&["ended_at"])],
        keeper: Keeper::Stranger,
    },
    Fenced {
        table: "audit_event",
        tenant: Some(of("org_id", &[SELECT, INSERT])),
        platform: &[SELECT, INSERT],
        keeper: Keeper::Owner,
    },
    Fenced {
        table: "idempotency_key",
        tenant: Some(of("org_id", &[SELECT, INSERT, UPDATE])),
        platform: &[SELECT, INSERT, UPDATE, DELETE],
        keeper: Keeper::Stranger,
    },
    Fenced {
        table: "instance",
        tenant: None,
        platform: &[SELECT, INSERT],
        keeper: Keeper::Guest(&[SELECT, INSERT]),
    },
    Fenced {
        table: "audit_queue",
        tenant: Some(of("org_id", &[select(&["org_id", "event_id"]), INSERT])),
        platform: &[SELECT, INSERT, DELETE],
        keeper: Keeper::Guest(&[SELECT, INSERT]),
    },
    Fenced {
        table: "retention",
        tenant: Some(of("org_id", &[SELECT])),
        platform: &[SELECT, INSERT, UPDATE],
        keeper: Keeper::Guest(&[SELECT]),
    },
    Fenced {
        table: "audit_leaf",
        tenant: Some(of("org_id", &[SELECT])),
        platform: &[SELECT, INSERT],
        keeper: Keeper::Owner,
    },
    Fenced {
        table: "audit_node",
        tenant: Some(of("org_id", &[SELECT])),
        platform: &[SELECT, INSERT],
        keeper: Keeper::Owner,
    },
    Fenced {
        table: "audit_checkpoint",
        tenant: Some(of("org_id", &[SELECT])),
        platform: &[SELECT, INSERT],
        keeper: Keeper::Owner,
    },
];

/// The list of migrations that have been applied. Its owner goes on writing it, so it stands outside the wall; nobody else may.
pub const MIGRATIONS: &str = "seaql_migrations";

/// Tables that nobody changes or empties, each with its key; each has two triggers, `…_keeps_rows` and `…_keeps_all`.
pub static APPEND_ONLY: &[(&str, &[&str])] = &[
    ("audit_event", &["id"]),
    ("audit_leaf", &["org_id", "leaf_index"]),
    ("audit_node", &["org_id", "level", "node_index"]),
    ("audit_checkpoint", &["org_id", "size"]),
];

/// Tables that are cut by month.
pub static BY_MONTH: &[&str] = &["audit_event"];

/// Functions that run with their owner's rights, each with the reason why it must. There are none.
pub static DEFINERS: &[(&str, &str)] = &[];

/// Unique keys of tenants' tables that do not begin with the org, each with the reason why they may say that something is taken elsewhere.
pub static UNIQUE_EVERYWHERE: &[(&str, &str)] = &[
    ("organization.slug", "a slug is an address, and addresses are taken"),
    ("impersonation.id", "a token names its impersonation without its org; no tenant may add one"),
    ("audit_event.id", "ids are made by the server at random, and never by who calls it"),
    ("audit_queue.event_id", "likewise"),
];

impl Rows {
    /// The condition as PostgreSQL prints it back, so that one text both puts it up and checks it.
    pub fn condition(self) -> String {
        const ORG: &str = "(NULLIF(current_setting('postern.org_id'::text, true), ''::text))::uuid";
        match self {
            Self::Of(column) => format!("({column} = {ORG})"),
            Self::People => format!(
                "((EXISTS ( SELECT 1 FROM membership m WHERE ((m.org_id = {ORG}) AND (m.user_id = \"user\".id)))) \
                 OR (EXISTS ( SELECT 1 FROM impersonation i WHERE ((i.org_id = {ORG}) AND (i.staff_user_id = \"user\".id)))) \
                 OR (EXISTS ( SELECT 1 FROM impersonation i WHERE ((i.org_id = {ORG}) AND (i.target_user_id = \"user\".id)))))"
            ),
        }
    }
}
