//! Cost of an audited write, compared with the same statements without the one that writes the
//! event.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::json;

use super::{Bench, Org};
use crate::{
    http,
    served::{Served, spread},
    statements,
};

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(4);

/// Measures role changes. Each connection uses a separate org: role changes in one org wait for
/// each other, which would measure the waiting. The first word of `condition` must differ between
/// calls for one cluster.
pub fn measure(bench: &Bench<'_>, condition: &str) {
    let prefix = format!("writing-{}", condition.split(' ').next().unwrap_or_default());
    let orgs = bench.create_orgs(&prefix, 8);
    let audited_script = record_role_change(bench, &orgs[0]);
    let text = distribute(&audited_script, &orgs);
    let unaudited_script = bench.folder.join("without.sql");
    let unaudited: Vec<&str> =
        text.lines().filter(|line| !line.contains("\"audit_event\"")).collect();
    assert_eq!(unaudited.len() + 1, text.lines().count(), "one statement writes the event: {text}");
    fs::write(&unaudited_script, unaudited.join("\n")).expect("the script is written");
    for connections in [4, 8] {
        let (mut rates, mut ratios) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let rate =
                |script: &Path| statements::pgbench(bench.cluster, script, connections, ROUND);
            let unaudited = rate(&unaudited_script);
            let audited = rate(&audited_script);
            rates.push(audited);
            ratios.push(unaudited / audited);
        }
        println!(
            "| audited role changes per second with pgbench; {condition}; {connections} \
             connections | {} |",
            spread(rates, 0)
        );
        println!(
            "| same, time relative to the same write without its event | {} |",
            spread(ratios, 2)
        );
    }
}

/// Changes a role in an org. Returns the script with the statements of the request.
fn record_role_change(bench: &Bench<'_>, org: &Org) -> PathBuf {
    let server = Served::start(bench.folder, &bench.database, true);
    let owner = server.sign_in("owner@acme.example");
    let members = server.get(&owner, &format!("/v1/orgs/{}/members", org.slug));
    let viewer = members["data"]
        .as_array()
        .expect("data is an array")
        .iter()
        .find(|member| member["role"] == "viewer")
        .expect("the org has a viewer");
    let viewer = viewer["id"].as_str().expect("id is a string");
    let change = http::Request::new(
        &server.address,
        "PATCH",
        &format!("/v1/orgs/{}/members/{viewer}", org.slug),
        &owner,
        Some(json!({ "role": "member" })),
    );
    statements::of(bench.cluster, bench.folder, || change.once())
}

/// Changes a script for the first org so that each connection uses another org. Returns its text.
fn distribute(script: &Path, orgs: &[Org]) -> String {
    let mut text = fs::read_to_string(script).expect("the script is readable");
    for (nth, cast) in ["", "::uuid[]", "::uuid[]", "::uuid[]"].into_iter().enumerate() {
        let quoted =
            |org: &Org| format!("'{}'", [&org.slug, &org.id, &org.owner, &org.viewer][nth]);
        let values = orgs.iter().map(quoted).collect::<Vec<_>>().join(", ");
        text =
            text.replace(&quoted(&orgs[0]), &format!("((ARRAY[{values}]{cast})[1 + :client_id])"));
    }
    fs::write(script, &text).expect("the script is written");
    text
}
