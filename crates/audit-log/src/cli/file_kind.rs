//! Kinds of files that an auditor may confuse, recognized by their beginning, for error messages.

use postern_tlog::Verifier;
use serde_json::Value;

use crate::export::is_trailer;

/// Description of a file by its text, or by its first line. `None` if the kind is unknown.
pub fn describe(text: &str) -> Option<String> {
    let text = text.trim_start();
    let line = text.lines().next()?.trim_end();
    let kind = if line.starts_with("id,occurred_at,") {
        "a CSV export, which cannot be verified because it has no salts"
    } else if line.starts_with('<') {
        "an HTML page"
    } else if line.starts_with("-----BEGIN ") {
        "a PEM file"
    } else if line == "c2sp.org/tlog-proof@v1" {
        "an inclusion proof"
    } else if Verifier::parse(line).is_ok() {
        "a list of public keys"
    } else if text.contains("\n\n— ") {
        "a checkpoint"
    } else if ["id:", "event:", "data:", ": "].iter().any(|head| line.starts_with(head)) {
        "an event stream, which has no data for verification"
    } else if is_trailer(line) {
        "the end of an export"
    } else if line.starts_with("eyJ") {
        "an access token"
    } else if line.starts_with("[{") || line == "[" {
        "a JSON array"
    } else {
        let json = serde_json::from_str(line).or_else(|_| serde_json::from_str(text));
        let formatted = || (line == "{").then(|| "JSON on several lines".to_owned());
        return describe_json(json).or_else(formatted);
    };
    Some(kind.to_owned())
}

fn describe_json(json: Result<Value, serde_json::Error>) -> Option<String> {
    let Value::Object(object) = json.ok()? else { return None };
    let has = |names: &[&str]| names.iter().all(|name| object.contains_key(*name));
    let kind = if has(&["data"]) {
        "a page of a list (JSON)"
    } else if has(&["status", "title"]) {
        let text = |name| object.get(name).and_then(Value::as_str).unwrap_or_default();
        let status = &object["status"];
        return Some(format!("an error response ({status}): {}", text("title")));
    } else if has(&["keys"]) {
        "a set of keys of access tokens (JWKS), not keys of a log"
    } else if has(&["action", "opening"]) {
        "an event or an export"
    } else if has(&["action"]) {
        "an event without `opening`, from a list or a stream"
    } else {
        return None;
    };
    Some(kind.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{EVENT, Log, ORIGIN, signer};

    #[test]
    fn kinds_of_files_are_recognized() {
        let key = signer(ORIGIN, 1).verifier().to_text();
        let checkpoint = Log::of(3).checkpoint(3);
        let proof = Log::of(3).proof(1, 3).to_text();
        for (text, expected) in [
            ("id,occurred_at,org_id", "a CSV export"),
            ("<!DOCTYPE html>", "an HTML page"),
            (&key, "a list of public keys"),
            (&checkpoint, "a checkpoint"),
            (&proof, "an inclusion proof"),
            ("id: 4\nevent: event\ndata: {}", "an event stream"),
            ("{\n  \"data\": []\n}", "a page of a list"),
            (r#"{"status":401,"title":"Token expired"}"#, "response (401): Token expired"),
            (r#"{"keys":[]}"#, "JWKS"),
            (EVENT, "an event without `opening`"),
            (r#"{"end":{}}"#, "the end of an export"),
            ("[{\"id\":1}]", "a JSON array"),
            ("{\n \"id\":", "JSON on several lines"),
            ("eyJ0eXAiOiJhdCtqd3Qi", "an access token"),
        ] {
            let kind = describe(text).expect("the kind is known");
            assert!(kind.contains(expected), "{text}: {kind}");
        }
        assert_eq!(describe("Dear auditor,"), None);
    }
}
