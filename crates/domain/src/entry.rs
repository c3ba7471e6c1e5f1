//! An event as an entry of its org's log: what the leaf of the Merkle tree is the hash of.
//!
//! Ids, action, outcome and time stand in the entry as they are. What is about people stands there as a commitment: the hash of a salt and
//! the words. Who has both can check it; where they are gone, the entry stays as it was, and so does every proof. The entry is JSON in the
//! canonical form of RFC 8785, made from the event as JSON, so that whoever reads an event anywhere can make its entry: docs/audit.md says
//! how, in a few lines.

use std::{borrow::Cow, collections::BTreeMap};

use base64::{Engine, engine::general_purpose::STANDARD};
use postern_tlog::Hash;
use ring::digest;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{event::LogPosition, words::words};

words! {
    /// A part of an event that is about people, and can be erased by itself.
    Part {
        /// The actor's e-mail address.
        Actor = "actor",
        /// The e-mail address of whose identity was worn.
        OnBehalfOf = "on_behalf_of",
        /// The label of the target.
        Target = "target",
        Summary = "summary",
        Reason = "reason",
        Metadata = "metadata",
        /// The client's address and software, and the request's id, which the client may choose.
        Source = "source",
    }
}

/// How long a salt is, in bytes.
pub const SALT: usize = 16;
/// How long the salts of all parts are, one after the other in the order of [`Part::ALL`].
pub const SALTS: usize = SALT * Part::ALL.len();

/// What stands where a text was that has been erased; in other places there is nothing.
pub const ERASED: &str = "(erased)";

/// What opens the commitments of one event: salts for what is there, the commitments themselves for what has been erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitmentSalts {
    salts: [u8; SALTS],
    erased_fields: BTreeMap<Part, Hash>,
}

/// The event's JSON does not say what an entry needs.
#[derive(Debug, thiserror::Error)]
#[error("not an event: {0}")]
pub struct InvalidEvent(#[from] serde_json::Error);

impl CommitmentSalts {
    /// For a new event; `salts` come from the system's source of random numbers.
    #[must_use]
    pub const fn new(salts: [u8; SALTS]) -> Self {
        Self { salts, erased_fields: BTreeMap::new() }
    }

    /// As they are kept. None if there are more or fewer salts than there must be.
    #[must_use]
    pub fn kept(salts: &[u8], erased_fields: BTreeMap<Part, Hash>) -> Option<Self> {
        Some(Self { salts: salts.try_into().ok()?, erased_fields })
    }

    #[must_use]
    pub const fn salts(&self) -> &[u8; SALTS] {
        &self.salts
    }

    /// What has been erased, each with the commitment that stands in its place.
    #[must_use]
    pub const fn erased_fields(&self) -> &BTreeMap<Part, Hash> {
        &self.erased_fields
    }

    /// Forgets the salts of these parts, and keeps their commitments.
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

    /// SHA-256(salt ‖ name of the part ‖ LF ‖ its words as canonical JSON).
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

/// What is needed to compute the leaf of an event, and the leaf that the log has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Opening {
    /// The hash of the entry in the log (RFC 6962, in base64); null until it stands there.
    #[cfg_attr(
        feature = "openapi",
        schema(max_length = 44, example = "ou8M/hfK/QbhntWp0Y8tQmpCYJZrcpgYcjtkMpxjYLI=")
    )]
    pub leaf: Option<String>,
    /// The salts of the seven parts that are about people, 16 bytes each, one after the other (in base64).
    #[cfg_attr(
        feature = "openapi",
        schema(
            max_length = 152,
            example = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+P0BBQkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWltcXV5fYGFiY2RlZmdoaWprbG1ubw=="
        )
    )]
    pub salts: String,
    /// The commitments to parts that have been erased (SHA-256, in base64).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = BTreeMap<String, String>, nullable = false, example = json!({})))]
    pub erased_fields: BTreeMap<Part, String>,
    /// It waits for its place in the log.
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

    /// What it says, if it is one.
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

/// An event as it is read, with whatever else stands around it left aside. Its words are not looked at, so that a log can be checked by a
/// program that is older than it.
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
    /// Out of the event as JSON, as the API gives it.
    pub fn parse(json: &'a str) -> Result<Self, InvalidEvent> {
        Ok(serde_json::from_str(json)?)
    }

    /// What a commitment is to: canonical JSON.
    fn words(&self, part: Part) -> Vec<u8> {
        match part {
            Part::Actor => canonical(&self.actor.email),
            Part::OnBehalfOf => canonical(&self.on_behalf_of.as_ref().map(|person| &person.email)),
            Part::Target => canonical(&self.target.label),
            Part::Summary => canonical(&self.summary),
            Part::Reason => canonical(&self.reason),
            Part::Metadata => canonical(&self.metadata),
            Part::Source => canonical(&json!({
                "ip": self.source.ip, "user_agent": self.source.user_agent, "request_id": self.source.request_id,
            })),
        }
    }

    /// A part that is said to be erased, and says something all the same: its commitment is no longer opened, so that anything could stand there.
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

    /// The entry of the log: at most a few hundred bytes, whatever the event says.
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

    /// The hash of the entry: the leaf of the tree.
    #[must_use]
    pub fn leaf(&self, openings: &CommitmentSalts) -> Hash {
        Hash::of_leaf(&self.entry(openings))
    }
}

fn canonical(value: &impl Serialize) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(value)
        .expect("texts, whole numbers and objects of them have a canonical form")
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"id":"evt_01k7fgpr00e00800000000000g","occurred_at":"2026-11-20T09:31:04.120Z",
        "org":{"id":"org_01k7fgpr00e00800000000000g","slug":"acme"},
        "actor":{"type":"staff","id":"user_01k7fgpr00e00800000000000g","email":"sam@postern.example","tier":"support"},
        "on_behalf_of":null,"action":"user.role_changed","outcome":"succeeded",
        "target":{"type":"member","id":"mem_01k7fgpr00e00800000000000g","label":"bo@acme.example"},
        "summary":"Sam changed bo@acme.example","reason":null,"ticket_ref":"SUP-1",
        "metadata":{"role":{"old":"viewer","new":"member"},"count":3},
        "source":{"ip":"203.0.113.9","user_agent":null,"session_id":null,"impersonation_id":null,"request_id":"r"},
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
        // Computed with another language's library: SHA-256 of bytes 0 to 15 and `actor\n"sam@postern.example"`.
        assert!(
            entry.contains(r#""actor":"W5rCkfxRhzY+ZeoVQBSQF6f2f1A26axqDJOKoTSraao=""#),
            "{entry}"
        );
    }

    #[test]
    fn every_word_counts() {
        let (event, openings) =
            (CanonicalEvent::parse(EVENT).expect("an event").leaf(&openings()), openings());
        for (word, other) in [
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
            let altered = EVENT.replacen(word, other, 1);
            assert_ne!(
                CanonicalEvent::parse(&altered).expect("an event").leaf(&openings),
                event,
                "{word}"
            );
        }
        assert_eq!(
            event.to_base64(),
            "ou8M/hfK/QbhntWp0Y8tQmpCYJZrcpgYcjtkMpxjYLI=",
            "as docs/audit-reference.md computes it, in another language"
        );
        // But neither the order of the members nor what stands around the event.
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
            "other words cannot stand where some were erased"
        );
        assert_eq!(erased.salts()[salt_of(Part::Target)], [0; SALT]);
        assert_ne!(erased.salts()[salt_of(Part::Actor)], [0; SALT]);
        // Erased twice is erased once.
        assert_eq!(erased.clone().erasing(&[Part::Summary], &blank), erased);
    }
}
