//! What was found against what has to be.

use std::collections::BTreeSet;

use super::{
    Roles,
    catalog::{Found, Relation},
    quoted,
    tables::{
        APPEND_ONLY, AuditOwnerAccess, MIGRATIONS, Privilege, SECURITY_DEFINERS, TABLES,
        TenantRows, UNIQUE_EVERYWHERE,
    },
};
use crate::backend::APPEND_ONLY_BODY;

/// Something that is not as it has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which check found it: a stable word for machines.
    pub check: &'static str,
    /// What is wrong, and where.
    pub detail: String,
    /// What to do about it.
    pub remedy: String,
}

/// What puts the wall up again.
const RUN_MIGRATE: &str = "run `postern migrate` as the owner of the schema";

struct Faults(Vec<Fault>);

impl Faults {
    fn expect(
        &mut self,
        holds: bool,
        check: &'static str,
        detail: impl FnOnce() -> String,
        remedy: impl Into<String>,
    ) {
        if !holds {
            self.0.push(Fault { check, detail: detail(), remedy: remedy.into() });
        }
    }
}

/// What the server has to find of itself, where it is the server that looks.
pub fn session(found: &Found, Roles { login, .. }: &Roles) -> Vec<Fault> {
    let mut faults = Faults(Vec::new());
    let user = &found.session.user;
    faults.expect(
        user == login,
        "login",
        || format!("database.url signs in as {login}, and the session is {user}'s: a pooler or pg_ident.conf makes somebody else of it"),
        format!("name {user} in database.url, if it is the login that `postern migrate` made; or have it stay {login}"),
    );
    faults.expect(
        found.session.schema.is_some(),
        "login",
        || format!("{login} may not use the schema, or there is none"),
        RUN_MIGRATE,
    );
    faults.0
}

/// What is there against what has to be.
pub fn compare(found: &Found, roles: &Roles) -> Vec<Fault> {
    let mut faults = Faults(Vec::new());
    if found.session.schema.is_none() {
        return faults.0;
    }
    if !found.relations.iter().any(|relation| relation.name == MIGRATIONS) {
        faults.expect(
            false,
            "migrations",
            || "there is no schema in this database yet".to_owned(),
            RUN_MIGRATE,
        );
        return faults.0;
    }
    login(found, roles, &mut faults);
    group_roles(found, roles, &mut faults);
    relations(found, roles, &mut faults);
    policies(found, roles, &mut faults);
    grants(found, roles, &mut faults);
    triggers(found, &mut faults);
    keys(found, &mut faults);
    for anomaly in &found.anomalies {
        faults.expect(false, "anomalies", || anomaly.detail.clone(), anomaly.remedy.as_str());
    }
    faults.0
}

/// Whom the server signs in as: somebody who may do nothing but become one of two others.
fn login(found: &Found, roles: &Roles, faults: &mut Faults) {
    let Roles { tenant, platform, login, .. } = roles;
    let Some(role) = found.roles.iter().find(|role| role.name == *login) else {
        faults.expect(false, "login", || format!("there is no role {login}"), RUN_MIGRATE);
        return;
    };
    let other = "name a login of its own in database.url; `postern migrate` makes it";
    faults.expect(
        role.attributes == "LOGIN",
        "login",
        || format!("the server signs in as {login}, which is {}; it has to be LOGIN alone, or the wall does not bind it", role.attributes),
        format!("{other}, or: ALTER ROLE {} NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION NOINHERIT", quoted(login)),
    );
    let owned = found
        .relations
        .iter()
        .filter(|relation| relation.owner == *login)
        .map(|relation| relation.name.as_str());
    let owned: Vec<&str> = owned.collect();
    faults.expect(
        owned.is_empty(),
        "login",
        || format!("{login} owns {}: an owner can take the wall down", owned.join(", ")),
        other,
    );
    for role_name in [tenant, platform] {
        let membership =
            found.memberships.iter().find(|one| one.member == *login && one.role == *role_name);
        let (set_option, holds_back) = membership
            .map_or((false, true), |one| (one.set_option, !one.inherits && !one.admin_option));
        let grant = format!("GRANT {} TO {}", quoted(role_name), quoted(login));
        let superuser = role.attributes.contains("SUPERUSER");
        faults.expect(
            set_option || superuser,
            "login",
            || format!("{login} may not become {role_name}"),
            grant.clone(),
        );
        faults.expect(
            holds_back,
            "login",
            || {
                format!(
                    "{login} has {role_name}'s rights without becoming it, or may give them to others"
                )
            },
            format!(
                "REVOKE {} FROM {}; {grant}; from PostgreSQL 16 on WITH INHERIT FALSE, SET TRUE",
                quoted(role_name),
                quoted(login)
            ),
        );
    }
    let others = found
        .memberships
        .iter()
        .filter(|one| one.member == *login && one.role != *tenant && one.role != *platform);
    for other in others {
        let remedy = format!("REVOKE {} FROM {}", quoted(&other.role), quoted(login));
        faults.expect(false, "login", || format!("{login} may become {}", other.role), remedy);
    }
    schema_privileges(found, login, "login", faults);
}

/// A role of ours may use the schema, and neither make anything in it nor beside it.
fn schema_privileges(found: &Found, name: &str, check: &'static str, faults: &mut Faults) {
    let may = found
        .schema_privileges
        .iter()
        .find(|privileges| privileges.role == name)
        .map_or("", |privileges| privileges.privileges.as_str());
    let superuser =
        found.roles.iter().any(|role| role.name == name && role.attributes.contains("SUPERUSER"));
    let detail = || {
        format!(
            "{name} may {}; it has to use the schema, and no more",
            if may.is_empty() { "not use the schema" } else { may }
        )
    };
    faults.expect(
        may == "use the schema" || superuser,
        check,
        detail,
        format!("{RUN_MIGRATE}; who owns the database takes back what is granted on it"),
    );
}

/// What the login becomes, and whom the record belongs to.
fn group_roles(
    found: &Found,
    Roles { tenant, platform, audit_owner, login }: &Roles,
    faults: &mut Faults,
) {
    let owner = found
        .relations
        .iter()
        .find(|relation| relation.name == MIGRATIONS)
        .map(|relation| &relation.owner);
    for name in [tenant, platform, audit_owner] {
        let Some(role) = found.roles.iter().find(|role| role.name == *name) else {
            faults.expect(false, "roles", || format!("there is no role {name}"), RUN_MIGRATE);
            continue;
        };
        faults.expect(
            role.attributes.is_empty(),
            "roles",
            || format!("{name} may do more than its grants say: it is {}", role.attributes),
            format!("ALTER ROLE {} NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION NOINHERIT NOLOGIN", quoted(name)),
        );
        for other in found.memberships.iter().filter(|one| one.member == *name) {
            let remedy = format!("REVOKE {} FROM {}", quoted(&other.role), quoted(name));
            faults.expect(
                false,
                "roles",
                || format!("{name} is a member of {}", other.role),
                remedy,
            );
        }
        let expected_member = if name == audit_owner { owner } else { Some(login) };
        let unexpected_members = found
            .memberships
            .iter()
            .filter(|one| one.role == *name && Some(&one.member) != expected_member);
        for unexpected_member in unexpected_members.filter(|one| one.set_option || one.inherits) {
            let remedy =
                format!("REVOKE {} FROM {}", quoted(name), quoted(&unexpected_member.member));
            faults.expect(
                false,
                "roles",
                || format!("{} may become {name} as well", unexpected_member.member),
                remedy,
            );
        }
        if name != audit_owner {
            schema_privileges(found, name, "roles", faults);
        }
    }
}

fn relations(
    found: &Found,
    Roles { tenant, platform, audit_owner, .. }: &Roles,
    faults: &mut Faults,
) {
    let known = |name: &str| TABLES.iter().any(|rules| rules.table == name);
    let kept = |name: &str| {
        TABLES.iter().any(|rules| {
            rules.table == name && matches!(rules.audit_owner, AuditOwnerAccess::Owner)
        })
    };
    let tables = found
        .relations
        .iter()
        .filter(|relation| kept(&relation.name))
        .map(|relation| (&relation.name, &relation.owner));
    let partitions = found.partitions.iter().map(|part| (&part.name, &part.owner));
    for (name, owner) in tables.chain(partitions) {
        faults.expect(
            owner == audit_owner,
            "tables",
            || {
                format!(
                    "{name} belongs to {owner}: it has to be {audit_owner}'s, whom nobody signs in as"
                )
            },
            RUN_MIGRATE,
        );
    }
    for part in found.partitions.iter().filter(|part| !kept(&part.table)) {
        let remedy = format!("ALTER TABLE {} DETACH PARTITION {}", part.table, part.name);
        faults.expect(
            false,
            "tables",
            || format!("{} is a part of {}, which is not cut into any", part.name, part.table),
            remedy,
        );
    }
    for rules in TABLES {
        let there = found.relations.iter().any(|relation| relation.name == rules.table);
        faults.expect(
            there,
            "tables",
            || format!("there is no table {}", rules.table),
            "restore it from a backup, and find out who dropped it",
        );
    }
    for Relation { name, kind, owner, rls_enabled, rls_forced, security_invoker } in
        &found.relations
    {
        match kind.as_str() {
            "v" => faults.expect(
                *security_invoker,
                "views",
                || format!("the view {name} reads with the rights of its owner"),
                format!("ALTER VIEW {name} SET (security_invoker = true), or drop it"),
            ),
            "m" | "f" => faults.expect(
                false,
                "views",
                || format!("{name} is a materialised view or a foreign table: row-level security does not reach into it"),
                format!("drop {name}"),
            ),
            _ if name == MIGRATIONS => {}
            _ => {
                faults.expect(
                    known(name),
                    "tables",
                    || format!("nothing says who may do what with the table {name}"),
                    format!("drop {name}, or add it to migration/src/rls/tables.rs"),
                );
                faults.expect(
                    !known(name) || (*rls_enabled && *rls_forced),
                    "row_security",
                    || format!("row-level security is not in force on {name}"),
                    RUN_MIGRATE,
                );
                let role_name = owner == tenant || owner == platform || (owner == audit_owner && !kept(name));
                faults.expect(
                    !role_name,
                    "tables",
                    || format!("{owner} owns {name}"),
                    format!("ALTER TABLE {name} OWNER TO the owner of the schema"),
                );
            }
        }
    }
    for function in &found.security_definers {
        let known = SECURITY_DEFINERS.iter().any(|(name, _)| *name == function.name);
        faults.expect(
            known,
            "functions",
            || {
                format!(
                    "the function {} runs with the rights of its owner (SECURITY DEFINER)",
                    function.name
                )
            },
            format!("ALTER FUNCTION {} SECURITY INVOKER, or drop it", function.name),
        );
    }
}

/// A policy as text: who, and under which condition.
fn policy(table: &str, name: &str, role: &str, condition: &str) -> String {
    format!("{table}: {name} for {role}: {condition}")
}

fn policies(
    found: &Found,
    Roles { tenant, platform, audit_owner, .. }: &Roles,
    faults: &mut Faults,
) {
    let mut expected = BTreeSet::new();
    for rules in TABLES {
        expected.insert(policy(rules.table, "platform", platform, "true"));
        if !matches!(rules.audit_owner, AuditOwnerAccess::None) {
            expected.insert(policy(rules.table, "audit_owner", audit_owner, "true"));
        }
        if let Some(tenant_rules) = &rules.tenant {
            expected.insert(policy(rules.table, "tenant", tenant, &tenant_rules.rows.condition()));
        }
    }
    let mut there = BTreeSet::new();
    for one in &found.policies {
        let words = |text: &Option<String>| {
            text.as_deref().unwrap_or("nothing").split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let (using, check) = (words(&one.using), words(&one.check));
        let plain = one.permissive && one.command == "*" && using == check;
        let condition = if plain {
            using
        } else {
            format!("{} {} {using} / {check}", one.permissive, one.command)
        };
        there.insert(policy(&one.table, &one.name, &one.roles, &condition));
    }
    for missing in expected.difference(&there) {
        faults.expect(
            false,
            "policies",
            || format!("a policy is missing or altered: {missing}"),
            RUN_MIGRATE,
        );
    }
    for foreign in there.difference(&expected) {
        faults.expect(
            false,
            "policies",
            || format!("a policy is not ours, or no longer: {foreign}"),
            RUN_MIGRATE,
        );
    }
}

type Granted<'a> = (&'a str, Option<&'a str>, &'a str, &'a str);

fn wanted<'a>(
    table: &'a str,
    role: &'a str,
    privileges: &'a [Privilege],
) -> impl Iterator<Item = Granted<'a>> {
    privileges.iter().flat_map(move |privilege| {
        let columns = if privilege.columns.is_empty() {
            vec![None]
        } else {
            privilege.columns.iter().map(|column| Some(*column)).collect()
        };
        columns.into_iter().map(move |column| (table, column, role, privilege.privilege))
    })
}

fn grants(
    found: &Found,
    Roles { tenant, platform, audit_owner, login }: &Roles,
    faults: &mut Faults,
) {
    let mut expected: BTreeSet<Granted<'_>> =
        BTreeSet::from([(MIGRATIONS, None, platform.as_str(), "SELECT")]);
    for rules in TABLES {
        expected.extend(wanted(rules.table, platform, rules.platform));
        if let AuditOwnerAccess::Grants(may) = rules.audit_owner {
            expected.extend(wanted(rules.table, audit_owner, may));
        }
        expected.extend(
            rules
                .tenant
                .iter()
                .flat_map(|tenant_rules| wanted(rules.table, tenant, tenant_rules.privileges)),
        );
    }
    let ours = ["PUBLIC", tenant, platform, audit_owner, login];
    let there: BTreeSet<Granted<'_>> = found
        .grants
        .iter()
        .filter(|grant| ours.contains(&grant.grantee.as_str()))
        .map(|grant| {
            (
                grant.table.as_str(),
                grant.column.as_deref(),
                grant.grantee.as_str(),
                grant.privilege.as_str(),
            )
        })
        .collect();
    let told = |(table, column, role, privilege): &Granted<'_>| match column {
        Some(column) => format!("{privilege} ({column}) on {table} to {role}"),
        None => format!("{privilege} on {table} to {role}"),
    };
    for missing in expected.difference(&there) {
        faults.expect(
            false,
            "grants",
            || format!("a grant is missing: {}", told(missing)),
            RUN_MIGRATE,
        );
    }
    for excess in there.difference(&expected) {
        faults.expect(
            false,
            "grants",
            || format!("somebody may do too much: {}", told(excess)),
            RUN_MIGRATE,
        );
    }
    for grant in found
        .grants
        .iter()
        .filter(|grant| grant.grantable && ours.contains(&grant.grantee.as_str()))
    {
        faults.expect(
            false,
            "grants",
            || {
                format!(
                    "{} may pass on its right to {} {}",
                    grant.grantee, grant.privilege, grant.table
                )
            },
            RUN_MIGRATE,
        );
    }
}

fn triggers(found: &Found, faults: &mut Faults) {
    let ours = |name: &str| {
        APPEND_ONLY.iter().any(|(table, _)| {
            name == format!("{table}_no_update_delete") || name == format!("{table}_no_truncate")
        })
    };
    for trigger in found.triggers.iter().filter(|trigger| !ours(&trigger.name)) {
        let detail = || {
            format!(
                "the trigger {} on {} is not ours: it could change or swallow what is written",
                trigger.name, trigger.table
            )
        };
        faults.expect(
            false,
            "triggers",
            detail,
            format!("DROP TRIGGER {} ON {}", quoted(&trigger.name), quoted(&trigger.table)),
        );
    }
    // pg_trigger.tgtype: 27 = before, each row, update or delete; 34 = before, truncate.
    let whole = APPEND_ONLY.iter().map(|(table, _)| (*table, *table));
    let partitions = found.partitions.iter().map(|part| (part.table.as_str(), part.name.as_str()));
    for (table, part) in whole.chain(partitions) {
        for (name, kind) in
            [(format!("{table}_no_update_delete"), 27), (format!("{table}_no_truncate"), 34)]
        {
            let sound = found.triggers.iter().any(|trigger| {
                trigger.table == part
                    && trigger.name == name
                    && trigger.kind == kind
                    && trigger.plain
                    && ["O", "A"].contains(&trigger.enabled.as_str())
                    && trigger.source.trim() == APPEND_ONLY_BODY
            });
            faults.expect(
                sound,
                "triggers",
                || format!("the trigger {name} on {part} is missing, disabled or altered: rows could be changed unseen"),
                RUN_MIGRATE,
            );
        }
    }
}

/// Keys that would let one org point at, or notice, what is another's.
fn keys(found: &Found, faults: &mut Faults) {
    let column_of =
        |table: &str| match TABLES.iter().find(|rules| rules.table == table)?.tenant.as_ref()?.rows
        {
            TenantRows::OrgColumn(column) => Some(column),
            TenantRows::OrgUsers => None,
        };
    for key in &found.references {
        let (Some(from), Some(to)) = (column_of(&key.from_table), column_of(&key.to_table)) else {
            continue;
        };
        let both = key
            .from_columns
            .split(',')
            .zip(key.to_columns.split(','))
            .any(|pair| pair == (from, to));
        faults.expect(
            both,
            "keys",
            || {
                format!(
                    "the foreign key {} leads from {} to {} without the org",
                    key.name, key.from_table, key.to_table
                )
            },
            "make it a composite key that has org_id on both sides",
        );
    }
    for key in &found.unique_keys {
        let Some(org) = column_of(&key.table) else { continue };
        let named = format!("{}.{}", key.table, key.columns);
        let known = key.columns.split(',').next() == Some(org)
            || UNIQUE_EVERYWHERE.iter().any(|(name, _)| *name == named);
        faults.expect(
            known,
            "keys",
            || format!("{named} is unique over all orgs: one could notice what is another's"),
            "begin it with org_id",
        );
    }
    for column in &found.org_columns {
        faults.expect(
            !column.has_default,
            "keys",
            || {
                format!(
                    "{}.org_id has a default: a row could get into an org that nobody named",
                    column.table
                )
            },
            format!("ALTER TABLE {} ALTER org_id DROP DEFAULT", column.table),
        );
        // A table that is not ours at all has been found already.
        let open = TABLES.iter().any(|rules| rules.table == column.table && rules.tenant.is_none());
        faults.expect(
            !open,
            "keys",
            || format!("{} has an org_id and no rule for tenants", column.table),
            "say in migration/src/rls/tables.rs which rows a tenant sees",
        );
    }
}
