//! How much an event may say. What is larger is cut and hashed: the action goes on, and whoever has the whole can still show that it is
//! what was recorded.

use ring::digest::{SHA256, digest};
use serde_json::{Map, Value, json};

/// A text of an event has at most so many characters.
const TEXT: usize = 1_000;
/// A field of the metadata has at most so many bytes as JSON.
const FIELD: usize = 4_096;
/// So much is left of what is cut.
const KEPT_CHARS: usize = 200;

/// A text, cut with an ellipsis where it is too long.
pub fn text(text: &str) -> String {
    if text.chars().count() <= TEXT {
        return text.to_owned();
    }
    let mut left: String = text.chars().take(TEXT - 1).collect();
    left.push('…');
    left
}

/// Metadata, each field of which is cut where it is too long.
pub fn metadata(fields: Map<String, Value>) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name, field(value))).collect()
}

fn field(value: Value) -> Value {
    let value = texts(value);
    let whole = value.to_string();
    if whole.len() <= FIELD { value } else { truncate(&whole) }
}

/// The same with every text in it bounded.
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

/// The beginning of what was too long, how long it was in bytes, and its SHA-256 in hexadecimal digits.
fn truncate(whole: &str) -> Value {
    let hash = digest(&SHA256, whole.as_bytes())
        .as_ref()
        .iter()
        .fold(String::new(), |hash, byte| hash + &format!("{byte:02x}"));
    json!({ "truncated": whole.chars().take(KEPT_CHARS).collect::<String>(), "bytes": whole.len(), "sha256": hash })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays_as_it_is() {
        let fields = json!({ "role": { "old": "viewer", "new": "member" }, "hits": 3, "name": "é".repeat(TEXT) });
        let Value::Object(fields) = fields else { unreachable!() };
        assert_eq!(metadata(fields.clone()), fields);
        assert_eq!(text("short"), "short");
    }

    #[test]
    fn what_is_larger_is_cut_and_hashed() {
        let Value::Object(fields) = json!({ "name": { "old": "x".repeat(1 << 20), "new": null }, "many": vec!["word"; 100_000] })
        else {
            unreachable!()
        };
        let bounded = metadata(fields);
        assert_eq!(bounded["name"]["old"]["bytes"], 1 << 20);
        assert_eq!(bounded["name"]["old"]["truncated"].as_str().map(str::len), Some(KEPT_CHARS));
        assert_eq!(bounded["many"]["sha256"].as_str().map(str::len), Some(64));
        assert!(Value::Object(bounded).to_string().len() < 2 * FIELD);
        assert_eq!(text(&"é".repeat(1 << 20)).chars().count(), TEXT);
    }
}
