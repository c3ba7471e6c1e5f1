use serde_json::Value;

use super::*;
use crate::{
    canonical::canonical,
    testing::{EVENT, salts},
};

fn parsed(json: &str) -> CanonicalEvent<'_> {
    CanonicalEvent::parse(json).expect("the event is valid")
}

#[test]
fn an_entry_contains_no_personal_data() {
    let entry = String::from_utf8(parsed(EVENT).entry(&salts())).expect("the entry is text");
    assert!(entry.starts_with(r#"{"action":"user.role_changed","actor":{"id":"user_"#), "{entry}");
    for hidden in ["sam@", "bo@", "viewer", "203.0", "changed bo"] {
        assert!(!entry.contains(hidden), "{hidden} is in {entry}");
    }
    // Computed independently: SHA-256 of bytes 0 to 15 and `actor\n"sam@postern.example"`.
    assert!(entry.contains(r#""actor":"W5rCkfxRhzY+ZeoVQBSQF6f2f1A26axqDJOKoTSraao=""#), "{entry}");
}

#[test]
fn entries_and_values_are_canonical() {
    for json in [
        EVENT.to_owned(),
        EVENT.replace("\"on_behalf_of\":null", "\"on_behalf_of\":{\"id\":\"u\",\"email\":\"e\"}"),
        EVENT.replace(
            "\"user_agent\":null",
            "\"user_agent\":\"\\u0000\\u007f\\\"/ \\ud83d\\ude00\"",
        ),
        EVENT.replace("\"metadata\":{", "\"metadata\":{},\"x\":{"),
    ] {
        let event = parsed(&json);
        let values = PersonalField::ALL.iter().map(|field| event.value_of(*field));
        for bytes in values.chain([event.entry(&salts())]) {
            let value: Value = serde_json::from_slice(&bytes).expect("the bytes are JSON");
            assert_eq!(canonical(&value), bytes, "{value}");
        }
    }
}

#[test]
fn every_value_affects_the_leaf_hash() {
    let leaf = parsed(EVENT).leaf(&salts());
    for (original, replacement) in [
        ("sam@", "tom@"),
        ("09:31:04.120", "09:31:04.121"),
        ("acme\"", "other\""),
        ("support\"", "engineering\""),
        ("succeeded", "denied"),
        ("\"label\":\"bo", "\"label\":\"jo"),
        ("changed bo", "greeted bo"),
        ("SUP-1", "SUP-2"),
        ("\"count\":3", "\"count\":4"),
        ("\"ip\":\"203", "\"ip\":\"204"),
        ("\"reason\":null", "\"reason\":\"\""),
        ("\"schema_version\":1", "\"schema_version\":2"),
    ] {
        let altered = EVENT.replacen(original, replacement, 1);
        assert_ne!(parsed(&altered).leaf(&salts()), leaf, "{original}");
    }
    assert_eq!(
        leaf.to_base64(),
        "ou8M/hfK/QbhntWp0Y8tQmpCYJZrcpgYcjtkMpxjYLI=",
        "the leaf hash that the program in docs/audit-reference.md computes"
    );
}

#[test]
fn order_of_fields_and_log_position_do_not_affect_the_leaf_hash() {
    let moved = EVENT.replace(
        r#""metadata":{"role":{"old":"viewer","new":"member"},"count":3}"#,
        "\"metadata\":{\"count\":3,\"role\":{\"new\":\"member\",\"old\":\"viewer\"}}",
    );
    assert_ne!(moved, EVENT);
    let moved = moved.replace("\"index\":3", "\"index\":4");
    assert_eq!(parsed(&moved).leaf(&salts()), parsed(EVENT).leaf(&salts()));
}

#[test]
fn erasure_does_not_change_the_leaf_hash() {
    let event = parsed(EVENT);
    let whole = event.leaf(&salts());
    let fields = [PersonalField::Target, PersonalField::Summary];
    let erased = salts().erasing(&fields, |field| event.value_of(field));
    let blank = EVENT
        .replace("bo@acme.example\"}", "(erased)\"}")
        .replace("Sam changed bo@acme.example", "(erased)");
    let blank = parsed(&blank);
    assert_eq!(blank.leaf(&erased), whole);
    assert_eq!(blank.find_unblanked_erased_field(&erased), None);
    assert_eq!(
        event.find_unblanked_erased_field(&erased),
        Some(PersonalField::Target),
        "an erased field must not have a value"
    );
}

#[test]
fn an_event_is_opened_with_its_own_salts() {
    let mut event = parsed(EVENT);
    let id = event.id.to_string();
    assert_eq!(event.opened_leaf(), Err(LeafError::Opening { id: id.clone() }));
    event.opening = Some(Opening::of(&salts(), None, false));
    assert_eq!(event.opened_leaf().map(|(_, leaf)| leaf), Ok(event.leaf(&salts())));
    event.opening = Some(Opening::of(&salts(), None, true));
    assert_eq!(event.opened_leaf(), Err(LeafError::Pending { id: id.clone() }));
    let position = event.log.take();
    assert!(event.opened_leaf().is_ok(), "a pending event has no position");
    event.opening = Some(Opening::of(&salts(), Some(event.leaf(&salts())), true));
    assert_eq!(event.opened_leaf(), Err(LeafError::Pending { id: id.clone() }));
    event.log = position;
    let erased = salts().erasing(&[PersonalField::Summary], |field| event.value_of(field));
    event.opening = Some(Opening::of(&erased, None, false));
    assert_eq!(event.opened_leaf(), Err(LeafError::ErasedFields { id: id.clone() }));
    let field = PersonalField::Summary;
    event.erased_fields = [field].into();
    assert_eq!(event.opened_leaf(), Err(LeafError::Unblanked { id, field }));
}

#[test]
fn a_field_that_the_entry_does_not_cover_is_an_objection() {
    let opening = serde_json::to_string(&Opening::of(&salts(), None, false)).expect("JSON");
    let whole = EVENT.replacen("\"schema", &format!("\"opening\":{opening},\"schema"), 1);
    assert!(parsed(&whole).opened_leaf().is_ok(), "the example is complete");
    for (original, replacement, field) in [
        ("\"reason\"", "\"second_reason\":\"by order\",\"reason\"", "second_reason"),
        ("\"slug\"", "\"name\":\"Acme\",\"slug\"", "org.name"),
        ("\"ip\"", "\"country\":null,\"ip\"", "source.country"),
        ("\"salts\"", "\"verified\":true,\"salts\"", "opening.verified"),
        ("\"index\"", "\"witness\":\"x\",\"index\"", "log.witness"),
    ] {
        let forged = whole.replacen(original, replacement, 1);
        let id = parsed(&whole).id.to_string();
        let expected = LeafError::NotCovered { id, fields: field.to_owned() };
        assert_eq!(parsed(&forged).opened_leaf(), Err(expected), "{field}");
    }
    let newer = whole.replacen("\"schema_version\":1", "\"schema_version\":2,\"new\":1", 1);
    let event = parsed(&newer);
    let error = event.opened_leaf();
    assert!(matches!(error, Err(LeafError::Version { version: 2, .. })), "{error:?}");
}

#[test]
fn a_key_that_occurs_twice_is_rejected() {
    for (original, replacement) in [
        ("\"reason\"", "\"reason\":\"forged\",\"reason\""),
        ("\"count\":3", "\"count\":4,\"count\":3"),
        ("\"old\":", "\"old\":\"owner\",\"old\":"),
    ] {
        let twice = EVENT.replacen(original, replacement, 1);
        let error = CanonicalEvent::parse(&twice).expect_err("a key occurs twice").to_string();
        assert!(error.contains("duplicate field"), "{error}");
    }
}
