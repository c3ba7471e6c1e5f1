//! The statements that a request sends, as a script for `pgbench`, taken from the database's log.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use postern_tests::{Cluster, SERVER};

use crate::{http::THREADS, psql};

/// Runs `request` once with statement logging, and writes its statements to a script.
pub fn of(cluster: &Cluster, folder: &Path, request: impl FnOnce()) -> PathBuf {
    let path = Path::new(cluster.socket_folder()).join("server.log");
    psql::run(cluster, "ALTER SYSTEM SET log_statement = 'all'");
    psql::run(cluster, "SELECT pg_reload_conf()");
    // Backends apply the new setting between two statements.
    psql::run(cluster, "SELECT pg_sleep(0.3)");
    let before = fs::read_to_string(&path).expect("the log is readable").len();
    request();
    let log = fs::read_to_string(&path).expect("the log is readable").split_off(before);
    psql::run(cluster, "ALTER SYSTEM RESET log_statement");
    psql::run(cluster, "SELECT pg_reload_conf()");
    let script = folder.join("request.sql");
    let statements = statements(&log);
    assert!(statements.len() >= 4, "the log has the statements of the request: {log}");
    fs::write(&script, statements.join("\n")).expect("the script is written");
    script
}

/// Runs a script with `pgbench`. Returns the transactions per second.
pub fn pgbench(cluster: &Cluster, script: &Path, connections: usize, duration: Duration) -> f64 {
    let output = Command::new(cluster.binaries.join("pgbench"))
        .args([
            "--no-vacuum",
            "--protocol=prepared",
            &format!("--jobs={THREADS}"),
            &format!("--client={connections}"),
            &format!("--time={}", duration.as_secs()),
        ])
        .arg(format!("--file={}", script.display()))
        .args(["--host", cluster.socket_folder(), "--username", SERVER, "postgres"])
        .output()
        .expect("pgbench runs");
    let report = String::from_utf8_lossy(&output.stdout);
    let rate = report
        .lines()
        .find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    rate.unwrap_or_else(|| panic!("{report}{}", String::from_utf8_lossy(&output.stderr)))
}

/// Statements of a transaction in a log, with their parameters inserted. From BEGIN to COMMIT or
/// ROLLBACK: a read is rolled back after the response, possibly after the log was read.
fn statements(log: &str) -> Vec<String> {
    let logged = logged_statements(log);
    let all = logged
        .iter()
        .flat_map(|statement| statement.split("; "))
        .map(|statement| format!("{};", statement.trim_end_matches(';')));
    let ends = |statement: &str| ["COMMIT;", "ROLLBACK;"].contains(&statement);
    let mut transaction: Vec<String> = all.skip_while(|statement| statement != "BEGIN;").collect();
    transaction.truncate(
        transaction
            .iter()
            .position(|statement| ends(statement))
            .map_or(transaction.len(), |end| end + 1),
    );
    if !transaction.last().is_some_and(|last| ends(last)) {
        transaction.push("ROLLBACK;".to_owned());
    }
    transaction
}

/// All entries of a log, with their parameters inserted.
fn logged_statements(log: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut lines = log.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some((_, parameters)) = line.split_once("DETAIL:  parameters: ") {
            let last = all.last_mut().expect("parameters belong to a statement");
            *last = filled(last, parameters);
            continue;
        }
        let Some((_, statement)) =
            line.split_once("LOG:  execute ").or_else(|| line.split_once("LOG:  statement: "))
        else {
            continue;
        };
        let statement = if line.contains("LOG:  execute ") {
            statement.split_once(": ").map_or("", |(_, sql)| sql)
        } else {
            statement
        };
        let mut statement = statement.to_owned();
        // Continuation lines of a statement begin with a tab.
        while let Some(line) = lines.next_if(|line| line.starts_with('\t')) {
            statement.push(' ');
            statement.push_str(line.trim());
        }
        all.push(statement);
    }
    all
}

/// SQL of a new `UUIDv7`, so that events are inserted behind the newest ones.
const NEW_ID: &str = "(lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), \
    12, '0') || '7' || substr(md5(random()::text), 1, 3) || '8' \
    || substr(md5(random()::text), 1, 15))::uuid";

/// Replaces `$1` and `$2` by the values in `$1 = 'x', $2 = NULL`.
fn filled(statement: &str, parameters: &str) -> String {
    let mut values: Vec<(usize, String)> = Vec::new();
    let mut rest = parameters;
    while let Some(after) = rest.strip_prefix('$') {
        let (number, after) = after.split_once(" = ").expect("a value");
        let end = if after.starts_with('\'') {
            let mut end = 1;
            loop {
                end += after[end..].find('\'').expect("a closing quote") + 1;
                if !after[end..].starts_with('\'') {
                    break end;
                }
                end += 1;
            }
        } else {
            after.find(", ").unwrap_or(after.len())
        };
        values.push((number.parse().expect("a number"), after[..end].to_owned()));
        rest = after[end..].trim_start_matches(", ");
    }
    let mut filled = statement.to_owned();
    // In descending order, so that $1 does not match in $12.
    for (number, value) in values.into_iter().rev() {
        // The event's id: second of the four values of the queue row, and first of the event row,
        // of which the values follow.
        let is_id = statement.contains("INSERT INTO \"audit_event\"") && [2, 5].contains(&number);
        let value = if is_id { NEW_ID.to_owned() } else { value };
        filled = filled.replace(&format!("${number}"), &value);
    }
    filled
}
