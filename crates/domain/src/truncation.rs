//! Size limits of an event's fields. Longer texts are cut off; larger metadata values are truncated
//! and hashed, so that the full value can still be matched with the event.

use postern_tlog::Hash;
use serde_json::{Map, Value, json};

/// Maximum length of a text in characters.
const TEXT: usize = 1_000;
/// Maximum size of a metadata field in bytes, as JSON.
const FIELD: usize = 4_096;
/// Number of characters that are kept of a truncated value.
const KEPT_CHARS: usize = 200;

/// Cuts off a text that is too long, with an ellipsis.
pub fn text(text: &str) -> String {
    if text.chars().count() <= TEXT {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(TEXT - 1).collect();
    kept.push('…');
    kept
}

/// Truncates the fields that are too large.
pub fn metadata(fields: Map<String, Value>) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name, field(value))).collect()
}

fn field(value: Value) -> Value {
    let value = texts(value);
    let whole = value.to_string();
    if whole.len() <= FIELD { value } else { truncate(&whole) }
}

/// Truncates the texts in a value that are too long.
fn texts(value: Value) -> Value {
    match value {
        Value::String(text) if text.chars().count() > TEXT => truncate(&text),
        Value::Array(items) => items.into_iter().map(texts).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name, texts(value))).collect()
        }
        other => other,
    }
}

/// Replaces a value by its beginning, its length in bytes and its SHA-256 in hexadecimal.
fn truncate(whole: &str) -> Value {
    json!({
        "truncated": whole.chars().take(KEPT_CHARS).collect::<String>(),
        "bytes": whole.len(),
        "sha256": hex::encode(Hash::of_parts(&[whole.as_bytes()]).0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_values_are_unchanged() {
        let fields = json!({
            "role": { "old": "viewer", "new": "member" },
            "hits": 3,
            "name": "é".repeat(TEXT),
        });
        let Value::Object(fields) = fields else { unreachable!() };
        assert_eq!(metadata(fields.clone()), fields, "short fields are unchanged");
        assert_eq!(text("short"), "short");
    }

    #[test]
    fn long_values_are_truncated_and_hashed() {
        let fields = json!({
            "name": { "old": "x".repeat(1 << 20), "new": null },
            "many": vec!["word"; 100_000],
        });
        let Value::Object(fields) = fields else { unreachable!() };
        let bounded = metadata(fields);
        assert_eq!(bounded["name"]["old"]["bytes"], 1 << 20, "the original length is stated");
        assert_eq!(
            bounded["name"]["old"]["truncated"].as_str().map(str::len),
            Some(KEPT_CHARS),
            "the beginning is kept"
        );
        assert_eq!(
            bounded["many"]["sha256"].as_str().map(str::len),
            Some(64),
            "a digest of the whole value is kept"
        );
        assert!(Value::Object(bounded).to_string().len() < 2 * FIELD, "the result is bounded");
        assert_eq!(text(&"é".repeat(1 << 20)).chars().count(), TEXT, "the limit counts characters");
    }
}
