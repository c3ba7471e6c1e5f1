//! Entries of the transparency log. The leaf of the Merkle tree is the hash of an entry.
//!
//! An entry contains ids, action, outcome and time in clear, and a commitment to each personal
//! field. It is JSON in the canonical form of RFC 8785, computed from the event's JSON, so that it
//! can be computed from any copy of the event: `docs/audit-reference.md` contains a program that
//! does so.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use postern_tlog::Hash;
use serde::Serialize;

use crate::{
    canonical::canonical_sorted,
    commitment::{CommitmentSalts, Opening, PersonalField},
    event::{CanonicalEvent, CanonicalOrg, SCHEMA_VERSION},
};

/// A log entry. All fields are in canonical order.
#[derive(Serialize)]
struct Entry<'a> {
    action: &'a str,
    actor: EntryActor<'a>,
    commitments: BTreeMap<&'a str, String>,
    id: &'a str,
    impersonation_id: Option<&'a str>,
    occurred_at: &'a str,
    on_behalf_of: Option<&'a str>,
    org: Option<&'a CanonicalOrg<'a>>,
    outcome: &'a str,
    schema_version: i32,
    session_id: Option<&'a str>,
    target: EntryTarget<'a>,
    ticket_ref: Option<&'a str>,
}

#[derive(Serialize)]
struct EntryActor<'a> {
    id: Option<&'a str>,
    tier: Option<&'a str>,
    #[serde(rename = "type")]
    kind: &'a str,
}

#[derive(Serialize)]
struct EntryTarget<'a> {
    id: Option<&'a str>,
    #[serde(rename = "type")]
    kind: &'a str,
}

/// Reason that the leaf hash of a returned or exported event cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LeafError {
    #[error("event {id} has no valid `opening`")]
    Opening { id: String },
    #[error("event {id} was altered: its field {field} is listed as erased but has a value")]
    Unblanked { id: String, field: PersonalField },
    #[error("event {id} was altered: its list of erased fields is not that of its `opening`")]
    ErasedFields { id: String },
    #[error("event {id} contradicts itself: it is pending, but has a position or a leaf hash")]
    Pending { id: String },
    #[error("event {id} was altered: its log entry does not cover the field(s) {fields}")]
    NotCovered { id: String, fields: String },
    #[error(
        "event {id} has format version {version}; this program verifies version {SCHEMA_VERSION}"
    )]
    Version { id: String, version: i32 },
}

/// The opening of an event, and the leaf hash computed with it.
#[derive(Debug)]
pub struct OpenedEvent<'a> {
    pub opening: &'a Opening,
    pub leaf: Hash,
    /// Reason that the leaf hash does not cover all that the event states.
    pub objection: Option<LeafError>,
}

impl CanonicalEvent<'_> {
    /// The log entry. Its size does not depend on the length of the event's personal fields.
    #[must_use]
    pub fn entry(&self, salts: &CommitmentSalts) -> Vec<u8> {
        let commitment = |field: &PersonalField| {
            let commitment = salts.commitment(*field, &self.value_of(*field));
            (field.name(), commitment.to_base64())
        };
        canonical_sorted(&Entry {
            action: &self.action,
            actor: EntryActor {
                id: self.actor.id.as_deref(),
                tier: self.actor.tier.as_deref(),
                kind: &self.actor.kind,
            },
            commitments: PersonalField::ALL.iter().map(commitment).collect(),
            id: &self.id,
            impersonation_id: self.source.impersonation_id.as_deref(),
            occurred_at: &self.occurred_at,
            on_behalf_of: self.on_behalf_of.as_ref().map(|person| &*person.id),
            org: self.org.as_ref(),
            outcome: &self.outcome,
            schema_version: self.schema_version,
            session_id: self.source.session_id.as_deref(),
            target: EntryTarget { id: self.target.id.as_deref(), kind: &self.target.kind },
            ticket_ref: self.ticket_ref.as_deref(),
        })
    }

    /// The leaf hash: the hash of the entry.
    #[must_use]
    pub fn leaf(&self, salts: &CommitmentSalts) -> Hash {
        Hash::of_leaf(&self.entry(salts))
    }

    /// The leaf hash, computed with the event's own opening.
    pub fn open(&self) -> Result<OpenedEvent<'_>, LeafError> {
        let opening = self.opening.as_ref();
        let Some((opening, salts)) = opening.and_then(|opening| Some((opening, opening.decode()?)))
        else {
            return Err(LeafError::Opening { id: self.id.to_string() });
        };
        let objection = self.objection(opening, &salts);
        Ok(OpenedEvent { opening, leaf: self.leaf(&salts), objection })
    }

    /// Like [`CanonicalEvent::open`], but fails if the leaf hash does not cover all that the event
    /// states.
    pub fn opened_leaf(&self) -> Result<(&Opening, Hash), LeafError> {
        let OpenedEvent { opening, leaf, objection } = self.open()?;
        objection.map_or(Ok((opening, leaf)), Err)
    }

    fn objection(&self, opening: &Opening, salts: &CommitmentSalts) -> Option<LeafError> {
        let id = || self.id.to_string();
        if self.schema_version != SCHEMA_VERSION {
            return Some(LeafError::Version { id: id(), version: self.schema_version });
        }
        if !self.unknown_fields.is_empty() {
            let fields = self.unknown_fields.join(", ");
            return Some(LeafError::NotCovered { id: id(), fields });
        }
        if opening.pending && (self.log.is_some() || opening.leaf.is_some()) {
            return Some(LeafError::Pending { id: id() });
        }
        if !self.erased_fields.iter().eq(opening.erased_fields.keys()) {
            return Some(LeafError::ErasedFields { id: id() });
        }
        let field = self.find_unblanked_erased_field(salts)?;
        Some(LeafError::Unblanked { id: id(), field })
    }
}
