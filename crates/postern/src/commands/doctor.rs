//! The checks of `postern doctor`. `postern serve` does not start if one fails. Each fault has a
//! remedy.

use std::{
    io::{self, Write},
    sync::Arc,
};

use postern_domain::{
    chain,
    clock::{Clock, SystemClock},
};
use postern_keystore::AuditKeys;
use postern_persistence::{Check, Fault, Store, StoreError, demo, schema};
use serde_json::json;

use crate::config::Config;

/// Passwords that attackers try first.
const COMMON_PASSWORDS: [&str; 8] =
    ["", "postern", "postgres", "password", "secret", "changeme", "admin", "test"];

/// Result of all checks.
pub struct Report {
    pub faults: Vec<Fault>,
    /// Notes for an administrator to assess. They are not faults.
    pub notes: Vec<String>,
}

/// Connects and runs all checks. A missing database is reported, not created.
pub async fn connect_and_examine(config: &Config, demo: bool) -> Result<Report, StoreError> {
    let without_notes = |fault| Report { faults: vec![fault], notes: Vec::new() };
    if !schema::exists(&config.store()) {
        return Ok(without_notes(Fault {
            check: Check::Migrations,
            detail: format!("there is no database at {}", config.database.url),
            remedy: "run `postern serve`: it creates the database at first start".to_owned(),
        }));
    }
    match Store::connect(&config.store()).await {
        Ok(store) => Ok(Report {
            faults: examine(config, &store, demo).await?,
            notes: schema::notes(&store).await?,
        }),
        Err(error) => Ok(without_notes(Fault {
            check: Check::Connection,
            detail: chain(&error),
            remedy: "check database.url; on PostgreSQL `postern migrate` creates the login"
                .to_owned(),
        })),
    }
}

/// Runs all checks. `demo`: the demo accounts are expected.
pub async fn examine(
    config: &Config,
    store: &Arc<Store>,
    demo: bool,
) -> Result<Vec<Fault>, StoreError> {
    let now = SystemClock.now();
    let mut faults = schema::examine(store, now).await?;
    // Accounts can be read only if schema and roles are correct.
    if faults.is_empty() {
        faults.extend(demo_accounts(store, demo).await?);
        faults.extend(audit_key(config, store).await?);
    }
    faults.extend(keys(config));
    faults.extend(password(config));
    Ok(faults)
}

/// Checks for key files that are invalid or accessible to other users. Missing files are not
/// created here, because the server must create them as its own user at its first start.
fn keys(config: &Config) -> Option<Fault> {
    let token_remedy = "make the key files accessible to the user and groups of the server only; \
        restore damaged files, or remove them, which invalidates all access tokens";
    let audit_remedy = "make the key files accessible to the user and groups of the server only; \
        restore damaged files from a backup: the log cannot continue without its keys";
    let folders =
        [(&config.api.tokens.keys_dir, token_remedy), (&config.audit.keys_dir, audit_remedy)];
    folders.into_iter().find_map(|(folder, remedy)| {
        let error = postern_keystore::check_folder(folder).err()?;
        Some(Fault { check: Check::Keys, detail: error.to_string(), remedy: remedy.to_owned() })
    })
}

/// Checks that the audit key is the one that the database is bound to.
async fn audit_key(config: &Config, store: &Arc<Store>) -> Result<Option<Fault>, StoreError> {
    let Some(bound) = store.bound_audit_key().await? else { return Ok(None) };
    // Unreadable keys are reported by `keys`.
    let Ok(found) = AuditKeys::fingerprint_in(&config.audit.keys_dir) else { return Ok(None) };
    let found = match found {
        Some(found) if found == bound => return Ok(None),
        Some(found) => found,
        None => "no key".to_owned(),
    };
    Ok(Some(Fault {
        check: Check::Keys,
        detail: format!(
            "the database is bound to the audit key {bound}, but audit.keys_dir has {found}"
        ),
        remedy: "restore the original key folder: the log cannot continue without its keys"
            .to_owned(),
    }))
}

fn password(config: &Config) -> Option<Fault> {
    let guessed = schema::login_password(&config.store())
        .filter(|password| COMMON_PASSWORDS.contains(&&**password));
    guessed.map(|_| Fault {
        check: Check::Secrets,
        detail: "the password in database.url is one that attackers try first".to_owned(),
        remedy: "change the login's password: \\password in psql".to_owned(),
    })
}

async fn demo_accounts(store: &Arc<Store>, expected: bool) -> Result<Option<Fault>, StoreError> {
    Ok(match (demo::is_loaded(store).await?, expected) {
        (true, false) => Some(Fault {
            check: Check::Secrets,
            detail: "the database has the demo accounts, and their password is public".to_owned(),
            remedy: "use --demo, or configure another database".to_owned(),
        }),
        (false, true) if demo::has_users(store).await? => Some(Fault {
            check: Check::Demo,
            detail: "--demo needs a separate database, but this one has other accounts".to_owned(),
            remedy: "omit --demo, or configure another database".to_owned(),
        }),
        _ => None,
    })
}

/// Formats faults as an indented list.
pub fn format_faults(faults: &[Fault]) -> String {
    faults.iter().fold(String::new(), |list, Fault { check, detail, remedy }| {
        list + &format!("\n  - [{check}] {detail}\n    {remedy}")
    })
}

/// Prints the result as text or as one JSON object.
pub fn print(Report { faults, notes }: &Report, as_json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if as_json {
        let faults: Vec<_> =
            faults
                .iter()
                .map(|Fault { check, detail, remedy }| {
                    json!({ "check": check.name(), "detail": detail, "remedy": remedy })
                })
                .collect();
        let report = json!({ "passed": faults.is_empty(), "faults": faults, "notes": notes });
        return writeln!(out, "{report}");
    }
    for note in notes {
        writeln!(out, "note: {note}")?;
    }
    if faults.is_empty() {
        writeln!(out, "all checks passed")
    } else {
        writeln!(out, "{} failure(s):{}", faults.len(), format_faults(faults))
    }
}
