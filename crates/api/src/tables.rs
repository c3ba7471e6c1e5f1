//! The tables under `openapi/` that are printed from code, so that a change of the policy is a diff that somebody reviews.

use std::fmt::Write;

use postern_domain::{
    action::Action, metadata, permission::Permission, role::Role, scope::ScopeKind, staff::Tier,
};
use serde_json::json;
use utoipa::openapi::HttpMethod;

use crate::{http::Code, routes};

const PRINTED: &str =
    "Printed from the code by `make golden`; `make check` fails when it is stale.";

/// Every operation: who may, what it records, how it stands under impersonation, what it demands.
#[must_use]
pub fn operations_table() -> String {
    let mut text = format!("# Operations\n\n{PRINTED}\n\n");
    text += "| operation | method and path | scope | needs | records | impersonated | demands |\n| --- | --- | --- | --- | --- | --- | --- |\n";
    for mounted in routes().mounted() {
        let row = mounted.row;
        let scope = match row.scope {
            ScopeKind::Public => "public",
            ScopeKind::User => "signed in",
            ScopeKind::Org => "org",
            ScopeKind::Staff => "staff",
        };
        let needs = row.needs.map_or("–", Permission::name);
        let records =
            or_dash(&row.records.actions().iter().map(ToString::to_string).collect::<Vec<_>>());
        let demands =
            or_dash(&row.demands.iter().map(|demand| demand.name().to_owned()).collect::<Vec<_>>());
        let (method, path, impersonated) =
            (method(&mounted.method), &mounted.path, row.impersonated.name());
        let impersonated = if row.scope == ScopeKind::Public { "–" } else { impersonated };
        writeln!(
            text,
            "| {} | {method} {path} | {scope} | {needs} | {records} | {impersonated} | {demands} |",
            row.id
        )
        .expect("a string can be written to");
    }
    text
}

/// Every permission against every role and every tier.
#[must_use]
pub fn permissions_table() -> String {
    let mut text = format!("# Permissions\n\n{PRINTED}\n\n| permission |");
    let heads: Vec<&str> = Role::ALL
        .iter()
        .map(|role| role.name())
        .chain(Tier::ALL.iter().map(|tier| tier.name()))
        .collect();
    text += &format!(" {} |\n| --- |{}\n", heads.join(" | "), " --- |".repeat(heads.len()));
    for permission in Permission::ALL {
        let mark = |may: bool| if may { "yes" } else { "" };
        let roles = Role::ALL.iter().map(|role| mark(permission.granted_to_role(*role)));
        let tiers = Tier::ALL.iter().map(|tier| mark(permission.granted_to_tier(*tier)));
        let marks: Vec<&str> = roles.chain(tiers).collect();
        text += &format!("| {permission} | {} |\n", marks.join(" | "));
    }
    text
}

/// Every problem: its code, its status, what it means and what to do.
#[must_use]
pub fn problems_table() -> String {
    let mut text = format!(
        "# Problems\n\n{PRINTED}\n\n| code | status | title | what to do |\n| --- | --- | --- | --- |\n"
    );
    for code in Code::ALL {
        text += &format!(
            "| `{}` | {} | {} | {} |\n",
            code.name(),
            code.status().as_u16(),
            code.title(),
            code.remedy()
        );
    }
    text
}

/// Every action that the record can speak of: when it is recorded, which operations do, and what else its events say.
#[must_use]
pub fn actions_table() -> String {
    let mut text = format!(
        "# Actions\n\n{PRINTED}\n\nThe closed catalogue of what an event can say was done. Its metadata fits the JSON Schema (2020-12) that stands with \
         it, unless it has been erased. `cut` is what is left of a text that was too long:\n\n```json\n{}\n```\n",
        json!({ "$defs": { "truncated": metadata::truncated() } })
    );
    let routes = routes();
    for action in Action::ALL {
        let recorded = routes
            .mounted()
            .iter()
            .map(|mounted| mounted.row)
            .filter(|row| row.records.actions().contains(action));
        let by = recorded.map(|row| format!("`{}`", row.id)).collect::<Vec<_>>();
        let by = if by.is_empty() {
            String::new()
        } else {
            format!("\n\nRecorded by {}.", by.join(", "))
        };
        text += &format!(
            "\n## `{action}`\n\n{}{by}\n\n```json\n{}\n```\n",
            action.about().trim(),
            metadata::schema(action.metadata())
        );
    }
    text
}

fn or_dash(words: &[String]) -> String {
    if words.is_empty() { "–".to_owned() } else { words.join(", ") }
}

const fn method(method: &HttpMethod) -> &'static str {
    match method {
        HttpMethod::Get => "GET",
        HttpMethod::Post => "POST",
        HttpMethod::Put => "PUT",
        HttpMethod::Patch => "PATCH",
        HttpMethod::Delete => "DELETE",
        _ => "?",
    }
}
