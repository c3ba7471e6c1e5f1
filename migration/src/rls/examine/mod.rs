//! Comparison of the catalog with the expected state.

mod keys;
mod login;
mod policies;
mod privileges;
mod relations;
mod roles;
mod triggers;

use super::{
    catalog::Catalog,
    tables::{MIGRATIONS, SECURITY_DEFINERS},
    types::{Check, Fault, RUN_MIGRATE, Roles, quoted},
};

/// Checks the session of the server's own connection.
pub fn session(catalog: &Catalog, Roles { login, .. }: &Roles) -> Vec<Fault> {
    let mut faults = Vec::new();
    let user = &catalog.session.user;
    if user != login {
        faults.push(Fault::new(
            Check::Login,
            format!(
                "database.url names {login}, but the session user is {user}: a pooler or \
                 pg_ident.conf maps it"
            ),
            format!(
                "set {user} in database.url if `postern migrate` created that login; otherwise \
                 change the mapping to keep {login}"
            ),
        ));
    }
    if catalog.session.schema.is_none() {
        faults.push(Fault::new(
            Check::Login,
            format!("{login} has no USAGE on the schema, or the schema does not exist"),
            RUN_MIGRATE,
        ));
    }
    faults
}

/// Checks everything that does not depend on the session. Returns no fault if the session cannot
/// use the schema: see [`session`].
pub fn compare(catalog: &Catalog, roles: &Roles) -> Vec<Fault> {
    let mut faults = Vec::new();
    if catalog.session.schema.is_none() {
        return faults;
    }
    if catalog.schema_owner().is_none() {
        let detail =
            format!("the table {MIGRATIONS} does not exist: no migration has been applied");
        return vec![Fault::new(Check::Migrations, detail, RUN_MIGRATE)];
    }
    login::check(catalog, roles, &mut faults);
    roles::check(catalog, roles, &mut faults);
    relations::check(catalog, roles, &mut faults);
    check_functions(catalog, &mut faults);
    policies::check(catalog, roles, &mut faults);
    privileges::check(catalog, roles, &mut faults);
    triggers::check(catalog, &mut faults);
    keys::check(catalog, &mut faults);
    for anomaly in &catalog.anomalies {
        faults.push(Fault::new(Check::Anomalies, anomaly.detail.clone(), anomaly.remedy.as_str()));
    }
    // A superuser reaches everything. The check of roles reports that.
    let reachable = if catalog.is_superuser(&roles.tenant) { &[] } else { &*catalog.reachable };
    for access in reachable {
        faults.push(Fault::new(Check::Extensions, access.detail.clone(), access.remedy.as_str()));
    }
    faults
}

fn check_functions(catalog: &Catalog, faults: &mut Vec<Fault>) {
    let permitted = |name: &str| SECURITY_DEFINERS.iter().any(|(function, _)| *function == name);
    for function in catalog.security_definers.iter().filter(|function| !permitted(&function.name)) {
        let (name, routine) = (&function.name, quoted(&function.name));
        faults.push(Fault::new(
            Check::Functions,
            format!("the function {name} runs with its owner's privileges (SECURITY DEFINER)"),
            format!("ALTER ROUTINE {routine} SECURITY INVOKER, or DROP ROUTINE {routine}"),
        ));
    }
}
