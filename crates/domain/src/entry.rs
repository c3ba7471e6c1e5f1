//! Entries of the transparency log. The leaf of the Merkle tree is the hash of an entry.
//!
//! An entry contains ids, action, outcome and time in clear, and a commitment to each personal
//! field: the hash of a salt and the value. With both, a commitment can be checked; when they are
//! erased, the entry and its proofs remain valid. The entry is JSON in the canonical form of
//! RFC 8785, computed from the event's JSON, so that it can be computed from any copy of the event:
//! `docs/audit-reference.md` contains a program that does so.

use std::{borrow::Cow, collections::BTreeMap};

use base64::{Engine, engine::general_purpose::STANDARD};
use postern_tlog::Hash;
use ring::digest;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{event::LogPosition, string_enum, string_enum::string_enum_schema};

string_enum! {
    /// Personal field of an event, which can be erased on its own.
    Part {
        /// The actor's e-mail address.
        Actor = "actor",
        /// The impersonated user's e-mail address.
        OnBehalfOf = "on_behalf_of",
        /// The target's label.
        Target = "target",
        Summary = "summary",
        Reason = "reason",
        Metadata = "metadata",
        /// The client's IP address, the user agent and the request id, which the client may choose.
        Source = "source",
    }
}

string_enum_schema!(Part);

/// Length of a salt in bytes.
pub const SALT: usize = 16;
/// Length in bytes of the salts of all fields, concatenated in the order of [`Part::ALL`].
pub const SALTS: usize = SALT * Part::ALL.len();

/// Replacement of an erased text that is required; other erased values are null or empty.
pub const ERASED: &str = "(erased)";

/// Salts of the commitments of one event, and the commitments themselves for erased fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitmentSalts {
    salts: [u8; SALTS],
    erased_fields: BTreeMap<Part, Hash>,
}

/// The JSON lacks a field that an entry requires.
#[derive(Debug, thiserror::Error)]
#[error("not an event: {0}")]
pub struct InvalidEvent(#[from] serde_json::Error);

impl CommitmentSalts {
    /// Salts of a new event. They must come from the system's random number generator.
    #[must_use]
    pub const fn new(salts: [u8; SALTS]) -> Self {
        Self { salts, erased_fields: BTreeMap::new() }
    }

    /// Salts and commitments as stored. `None` if the length of `salts` is not [`SALTS`].
    #[must_use]
    pub fn kept(salts: &[u8], erased_fields: BTreeMap<Part, Hash>) -> Option<Self> {
        Some(Self { salts: salts.try_into().ok()?, erased_fields })
    }

    #[must_use]
    pub const fn salts(&self) -> &[u8; SALTS] {
        &self.salts
    }

    /// The erased fields with their commitments.
    #[must_use]
    pub const fn erased_fields(&self) -> &BTreeMap<Part, Hash> {
        &self.erased_fields
    }

    /// Clears the salts of these fields and keeps their commitments.
    #[must_use]
    pub fn erasing(mut self, parts: &[Part], event: &CanonicalEvent<'_>) -> Self {
        for part in parts
            .iter()
            .filter(|part| !self.erased_fields.contains_key(part))
            .copied()
            .collect::<Vec<_>>()
        {
            let commitment = self.commitment(part, event);
            self.erased_fields.insert(part, commitment);
            self.salts[salt_of(part)].fill(0);
        }
        self
    }

    /// SHA-256(salt ‖ name of the field ‖ LF ‖ its value as canonical JSON).
    fn commitment(&self, part: Part, event: &CanonicalEvent<'_>) -> Hash {
        if let Some(commitment) = self.erased_fields.get(&part) {
            return *commitment;
        }
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(&self.salts[salt_of(part)]);
        context.update(part.name().as_bytes());
        context.update(b"\n");
        context.update(&event.words(part));
        Hash(context.finish().as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }
}

/// Data to compute the leaf hash of an event, and the leaf hash in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Opening {
    /// Leaf hash of the entry in the log (RFC 6962, base64); null until it has been added.
    #[cfg_attr(
        feature = "openapi",
        schema(max_length = 44, example = "ou8M/hfK/QbhntWp0Y8tQmpCYJZrcpgYcjtkMpxjYLI=")
    )]
    pub leaf: Option<String>,
    /// Salts of the seven personal fields, 16 bytes each, concatenated (base64).
    #[cfg_attr(
        feature = "openapi",
        schema(
            max_length = 152,
            example = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v\
                MDEyMzQ1Njc4OTo7PD0+P0BBQkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWltcXV5f\
                YGFiY2RlZmdoaWprbG1ubw=="
        )
    )]
    pub salts: String,
    /// Commitments to erased fields (SHA-256, base64).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(
        feature = "openapi",
        schema(value_type = BTreeMap<String, String>, nullable = false, example = json!({}))
    )]
    pub erased_fields: BTreeMap<Part, String>,
    /// Whether the event has yet to be added to the log.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "openapi", schema(nullable = false, example = false))]
    pub pending: bool,
}

impl Opening {
    #[must_use]
    pub fn of(openings: &CommitmentSalts, leaf: Option<Hash>, pending: bool) -> Self {
        let erased_fields = openings
            .erased_fields
            .iter()
            .map(|(part, commitment)| (*part, commitment.to_base64()))
            .collect();
        Self {
            leaf: leaf.map(Hash::to_base64),
            salts: STANDARD.encode(openings.salts),
            erased_fields,
            pending,
        }
    }

    /// Decodes the salts and commitments. `None` if they are malformed.
    #[must_use]
    pub fn openings(&self) -> Option<CommitmentSalts> {
        let erased_fields = self
            .erased_fields
            .iter()
            .map(|(part, commitment)| Some((*part, Hash::from_base64(commitment)?)));
        CommitmentSalts::kept(
            &STANDARD.decode(&self.salts).ok()?,
            erased_fields.collect::<Option<_>>()?,
        )
    }
}

fn salt_of(part: Part) -> std::ops::Range<usize> {
    let first = part as usize * SALT;
    first..first + SALT
}

/// An event parsed from JSON. Unknown fields are ignored and unknown values accepted, so that an
/// older program can verify a newer log.
#[derive(Debug, Deserialize)]
pub struct CanonicalEvent<'a> {
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    #[serde(borrow)]
    pub occurred_at: Cow<'a, str>,
    #[serde(borrow)]
    org: Option<CanonicalOrg<'a>>,
    #[serde(borrow)]
    actor: CanonicalActor<'a>,
    #[serde(borrow)]
    on_behalf_of: Option<CanonicalPerson<'a>>,
    #[serde(borrow)]
    pub action: Cow<'a, str>,
    #[serde(borrow)]
    outcome: Cow<'a, str>,
    #[serde(borrow)]
    target: CanonicalTarget<'a>,
    #[serde(borrow)]
    pub summary: Cow<'a, str>,
    #[serde(borrow)]
    reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    ticket_ref: Option<Cow<'a, str>>,
    pub metadata: Map<String, Value>,
    #[serde(borrow)]
    source: CanonicalSource<'a>,
    schema_version: i32,
    #[serde(default)]
    pub log: Option<LogPosition>,
    #[serde(default)]
    pub opening: Option<Opening>,
}

#[derive(Debug, Serialize, Deserialize)]
struct CanonicalOrg<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    slug: Cow<'a, str>,
}

#[derive(Debug, Deserialize)]
struct CanonicalActor<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    email: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    tier: Option<Cow<'a, str>>,
}

#[derive(Debug, Deserialize)]
struct CanonicalPerson<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    email: Option<Cow<'a, str>>,
}

#[derive(Debug, Deserialize)]
struct CanonicalTarget<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    label: Cow<'a, str>,
}

#[derive(Debug, Deserialize)]
struct CanonicalSource<'a> {
    #[serde(borrow)]
    ip: Option<Cow<'a, str>>,
    #[serde(borrow)]
    user_agent: Option<Cow<'a, str>>,
    #[serde(borrow)]
    session_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    impersonation_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    request_id: Option<Cow<'a, str>>,
}

impl<'a> CanonicalEvent<'a> {
    /// Parses an event in the JSON form that the API returns.
    pub fn parse(json: &'a str) -> Result<Self, InvalidEvent> {
        Ok(serde_json::from_str(json)?)
    }

    /// Value that a commitment is made to, as canonical JSON.
    fn words(&self, part: Part) -> Vec<u8> {
        match part {
            Part::Actor => canonical(&self.actor.email),
            Part::OnBehalfOf => canonical(&self.on_behalf_of.as_ref().map(|person| &person.email)),
            Part::Target => canonical(&self.target.label),
            Part::Summary => canonical(&self.summary),
            Part::Reason => canonical(&self.reason),
            Part::Metadata => canonical(&self.metadata),
            Part::Source => canonical(&json!({
                "ip": self.source.ip,
                "user_agent": self.source.user_agent,
                "request_id": self.source.request_id,
            })),
        }
    }

    /// Finds a field that is listed as erased but still has a value. Its commitment cannot be
    /// checked, so that the value could be anything.
    #[must_use]
    pub fn find_unblanked_erased_part(&self, openings: &CommitmentSalts) -> Option<Part> {
        openings.erased_fields.keys().copied().find(|part| {
            let blank = match part {
                Part::Actor | Part::OnBehalfOf | Part::Reason => canonical(&Value::Null),
                Part::Target | Part::Summary => canonical(&ERASED),
                Part::Metadata => canonical(&json!({})),
                Part::Source => {
                    canonical(&json!({ "ip": null, "user_agent": null, "request_id": null }))
                }
            };
            self.words(*part) != blank
        })
    }

    /// The log entry. Its size does not depend on the length of the event's personal fields.
    #[must_use]
    pub fn entry(&self, openings: &CommitmentSalts) -> Vec<u8> {
        let commitments: Map<String, Value> = Part::ALL
            .iter()
            .map(|part| {
                (part.name().to_owned(), STANDARD.encode(openings.commitment(*part, self).0).into())
            })
            .collect();
        canonical(&json!({
            "action": self.action,
            "actor": { "id": self.actor.id, "tier": self.actor.tier, "type": self.actor.kind },
            "commitments": commitments,
            "id": self.id,
            "impersonation_id": self.source.impersonation_id,
            "occurred_at": self.occurred_at,
            "on_behalf_of": self.on_behalf_of.as_ref().map(|person| &person.id),
            "org": self.org,
            "outcome": self.outcome,
            "schema_version": self.schema_version,
            "session_id": self.source.session_id,
            "target": { "id": self.target.id, "type": self.target.kind },
            "ticket_ref": self.ticket_ref,
        }))
    }

    /// The leaf hash: the hash of the entry.
    #[must_use]
    pub fn leaf(&self, openings: &CommitmentSalts) -> Hash {
        Hash::of_leaf(&self.entry(openings))
    }
}

fn canonical(value: &impl Serialize) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(value)
        .expect("strings, integers and objects of them have a canonical form")
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"id":"evt_01k7fgpr00e00800000000000g",
        "occurred_at":"2026-11-20T09:31:04.120Z",
        "org":{"id":"org_01k7fgpr00e00800000000000g","slug":"acme"},
        "actor":{"type":"staff","id":"user_01k7fgpr00e00800000000000g",
            "email":"sam@postern.example","tier":"support"},
        "on_behalf_of":null,"action":"user.role_changed","outcome":"succeeded",
        "target":{"type":"member","id":"mem_01k7fgpr00e00800000000000g","label":"bo@acme.example"},
        "summary":"Sam changed bo@acme.example","reason":null,"ticket_ref":"SUP-1",
        "metadata":{"role":{"old":"viewer","new":"member"},"count":3},
        "source":{"ip":"203.0.113.9","user_agent":null,"session_id":null,
            "impersonation_id":null,"request_id":"r"},
        "schema_version":1,"log":{"origin":"x/y","index":3}}"#;

    fn openings() -> CommitmentSalts {
        CommitmentSalts::new(std::array::from_fn(|n| u8::try_from(n).expect("a byte")))
    }

    #[test]
    fn an_entry_says_what_is_about_nobody_and_hides_the_rest() {
        let event = CanonicalEvent::parse(EVENT).expect("an event");
        let entry = String::from_utf8(event.entry(&openings())).expect("JSON");
        assert!(
            entry.starts_with(r#"{"action":"user.role_changed","actor":{"id":"user_"#),
            "{entry}"
        );
        for hidden in ["sam@", "bo@", "viewer", "203.0", "changed bo"] {
            assert!(!entry.contains(hidden), "{hidden} is in {entry}");
        }
        // Computed independently: SHA-256 of bytes 0 to 15 and `actor\n"sam@postern.example"`.
        assert!(
            entry.contains(r#""actor":"W5rCkfxRhzY+ZeoVQBSQF6f2f1A26axqDJOKoTSraao=""#),
            "{entry}"
        );
    }

    #[test]
    fn every_word_counts() {
        let (event, openings) =
            (CanonicalEvent::parse(EVENT).expect("an event").leaf(&openings()), openings());
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
            assert_ne!(
                CanonicalEvent::parse(&altered).expect("an event").leaf(&openings),
                event,
                "{original}"
            );
        }
        assert_eq!(
            event.to_base64(),
            "ou8M/hfK/QbhntWp0Y8tQmpCYJZrcpgYcjtkMpxjYLI=",
            "the leaf hash that the program in docs/audit-reference.md computes"
        );
        // The order of fields and the position in the log do not affect the leaf hash.
        let moved = EVENT.replace(
            r#""metadata":{"role":{"old":"viewer","new":"member"},"count":3}"#,
            "\"metadata\":{\"count\":3,\"role\":{\"new\":\"member\",\"old\":\"viewer\"}}",
        );
        assert_ne!(moved, EVENT);
        assert_eq!(
            CanonicalEvent::parse(&moved.replace("\"index\":3", "\"index\":4"))
                .expect("an event")
                .leaf(&openings),
            event
        );
    }

    #[test]
    fn what_is_erased_leaves_the_entry_as_it_was() {
        let event = CanonicalEvent::parse(EVENT).expect("an event");
        let whole = event.leaf(&openings());
        let erased = openings().erasing(&[Part::Target, Part::Summary], &event);
        let blank = EVENT
            .replace("bo@acme.example\"}", "(erased)\"}")
            .replace("Sam changed bo@acme.example", "(erased)");
        let blank = CanonicalEvent::parse(&blank).expect("an event");
        assert_eq!(blank.leaf(&erased), whole);
        assert_eq!(blank.find_unblanked_erased_part(&erased), None);
        assert_eq!(
            event.find_unblanked_erased_part(&erased),
            Some(Part::Target),
            "an erased field must not have a value"
        );
        assert_eq!(erased.salts()[salt_of(Part::Target)], [0; SALT]);
        assert_ne!(erased.salts()[salt_of(Part::Actor)], [0; SALT]);
        // Erasing a field again changes nothing.
        assert_eq!(erased.clone().erasing(&[Part::Summary], &blank), erased);
    }
}
