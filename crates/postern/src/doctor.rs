//! `postern doctor`, and what `postern serve` refuses to start with. Each check finds faults, and each fault says its remedy.

use std::{
    io::{self, Write},
    sync::Arc,
};

use postern_api::identity::KeyRing;
use postern_domain::{
    chain,
    clock::{Clock, SystemClock},
};
use postern_persistence::{Fault, Store, StoreError, demo, schema};
use serde_json::json;

use crate::config::Config;

/// Passwords that everybody tries first.
const GUESSED_FIRST: [&str; 8] =
    ["", "postern", "postgres", "password", "secret", "changeme", "admin", "test"];

/// Everything that is wrong, beginning with whether there is a database to look at; looking must not make one.
pub async fn look(config: &Config, demo: bool) -> Result<Vec<Fault>, StoreError> {
    if !schema::is_there(&config.store()) {
        return Ok(vec![Fault {
            check: "migrations",
            detail: format!("there is no database at {} yet", config.database.url),
            remedy: "`postern serve` makes it at its first start".to_owned(),
        }]);
    }
    match Store::connect(&config.store()).await {
        Ok(store) => examine(config, &store, demo).await,
        Err(error) => Ok(vec![Fault {
            check: "connection",
            detail: chain(&error),
            remedy: "look at database.url; on PostgreSQL `postern migrate` makes the login"
                .to_owned(),
        }]),
    }
}

/// Everything that is wrong. `demo`: whether the demo accounts are wanted.
pub async fn examine(
    config: &Config,
    store: &Arc<Store>,
    demo: bool,
) -> Result<Vec<Fault>, StoreError> {
    let now = SystemClock.now();
    let mut faults = schema::examine(store, now).await?;
    // The accounts can only be looked for where nothing stands in the way.
    if faults.is_empty() {
        faults.extend(demo_accounts(store, demo).await?);
    }
    faults.extend(keys(config));
    faults.extend(password(config));
    Ok(faults)
}

/// Keys that others may read, or that are none. Nothing is made here: that is for the first start, as the server's own user.
fn keys(config: &Config) -> Option<Fault> {
    let signing = "keep the folder of keys to the server's own user; restore what is damaged, or take it away and sign everybody out";
    let record = "keep the folder of keys to the server's own user; restore what is damaged from a backup: without its keys the log does not go on";
    let folders = [(&config.api.tokens.keys_dir, signing), (&config.audit.keys_dir, record)];
    folders.into_iter().find_map(|(folder, remedy)| {
        let error = KeyRing::examine(folder).err()?;
        Some(Fault { check: "keys", detail: error.to_string(), remedy: remedy.to_owned() })
    })
}

fn password(config: &Config) -> Option<Fault> {
    let guessed = schema::login_password(&config.store())
        .filter(|password| GUESSED_FIRST.contains(&&**password));
    guessed.map(|_| Fault {
        check: "secrets",
        detail: "the password in database.url is one that everybody tries first".to_owned(),
        remedy: "give the login another: \\password in psql".to_owned(),
    })
}

async fn demo_accounts(store: &Arc<Store>, wanted: bool) -> Result<Option<Fault>, StoreError> {
    Ok(match (demo::is_loaded(store).await?, wanted) {
        (true, false) => Some(Fault {
            check: "secrets",
            detail: "this database has the demo accounts, whose password everybody knows".to_owned(),
            remedy: "serve it with --demo, or serve another database".to_owned(),
        }),
        (false, true) if demo::has_people(store).await? => Some(Fault {
            check: "demo",
            detail: "--demo is for a database of its own, and this one has people in it that are not demo accounts".to_owned(),
            remedy: "leave --demo away, or name another database".to_owned(),
        }),
        _ => None,
    })
}

/// Faults as a person reads them.
pub fn told(faults: &[Fault]) -> String {
    faults.iter().fold(String::new(), |told, Fault { check, detail, remedy }| {
        told + &format!("\n  - [{check}] {detail}\n    {remedy}")
    })
}

/// Prints the outcome: for people, or as one JSON object.
pub fn print(faults: &[Fault], as_json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if as_json {
        let faults: Vec<_> =
            faults.iter().map(|Fault { check, detail, remedy }| json!({ "check": check, "detail": detail, "remedy": remedy })).collect();
        return writeln!(out, "{}", json!({ "sound": faults.is_empty(), "faults": faults }));
    }
    if faults.is_empty() {
        writeln!(out, "all is as it has to be")
    } else {
        writeln!(out, "{} fault(s):{}", faults.len(), told(faults))
    }
}
