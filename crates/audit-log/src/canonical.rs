//! Canonical JSON (RFC 8785): the same bytes for the same value, in every program.

use serde::Serialize;
use serde_json::{Map, Value};

/// Serializes a value of strings, integers, booleans, nulls, lists and objects of them.
pub fn canonical(value: &impl Serialize) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(value).expect(SERIALIZABLE)
}

/// Serializes an object.
pub fn canonical_object(object: &Map<String, Value>) -> Vec<u8> {
    if is_sorted(object) { canonical_sorted(object) } else { canonical(object) }
}

/// Like [`canonical`], but several times faster: for strings, integers up to 2^53, booleans, nulls,
/// lists, and objects with sorted ASCII keys. `serde_json` writes their canonical form.
pub fn canonical_sorted(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect(SERIALIZABLE)
}

/// Whether an object can be serialized by [`canonical_sorted`].
fn is_sorted(object: &Map<String, Value>) -> bool {
    object.keys().is_sorted()
        && object.keys().all(|key| key.is_ascii())
        && object.values().all(is_sorted_value)
}

fn is_sorted_value(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => true,
        // RFC 8785 writes larger integers with the precision of a double.
        Value::Number(number) => {
            number.as_i64().is_some_and(|number| number.unsigned_abs() <= 1 << 53)
        }
        Value::Array(items) => items.iter().all(is_sorted_value),
        Value::Object(object) => is_sorted(object),
    }
}

const SERIALIZABLE: &str = "strings, integers and objects of them have a canonical form";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted_values_have_the_bytes_of_the_canonical_form() {
        let texts: String = (0..0x300).chain(0xd7f0..0x1_0010).filter_map(char::from_u32).collect();
        assert_eq!(canonical_sorted(&texts), canonical(&texts));
        for number in [i32::MIN, -1, 0, 1, 9_999_999, i32::MAX] {
            assert_eq!(canonical_sorted(&number), canonical(&number));
        }
        assert_eq!(canonical_sorted(&None::<&str>), canonical(&None::<&str>));
    }

    #[test]
    fn every_object_is_serialized_in_its_canonical_form() {
        for (json, sorted) in [
            ("{}", true),
            (r#"{"b":[{"d":null,"c":true}],"a":{"role":{"new":"x\u0000","old":"é"}}}"#, true),
            (r#"{"a":9007199254740992,"b":-9007199254740992}"#, true),
            (r#"{"a":9007199254740993}"#, false),
            (r#"{"a":[18446744073709551615]}"#, false),
            (r#"{"a":{"b":-0}}"#, false),
            (r#"{"a":1e3}"#, false),
            (r#"{"\uffff":1,"\ud83d\ude00":2}"#, false),
        ] {
            let object: Map<String, Value> = serde_json::from_str(json).expect("it is an object");
            assert_eq!(canonical_object(&object), canonical(&object), "{json}");
            let mut sorting = object;
            sorting.sort_keys();
            assert_eq!(is_sorted(&sorting), sorted, "{json}");
        }
    }
}
