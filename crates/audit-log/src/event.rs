//! Events as read from JSON: the form that the API returns and that entries are computed from.

use std::{borrow::Cow, collections::BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    canonical::{canonical, canonical_object, canonical_sorted},
    commitment::{CommitmentSalts, Opening, PersonalField},
    json::{JsonError, parse_known},
    position::LogPosition,
    unique_keys,
};

/// Version of the event format: a new field of events needs a new version.
pub const SCHEMA_VERSION: i32 = 1;

/// Replacement of an erased text that is required; other erased values are null or empty.
pub const ERASED: &str = "(erased)";

/// Action of the events that record a removal by retention.
pub const RETENTION_APPLIED: &str = "audit.retention_applied";
/// Action of the events that record an erasure.
pub const PRIVACY_ERASED: &str = "privacy.erased";

/// The JSON lacks a field that an entry requires.
#[derive(Debug, thiserror::Error)]
#[error("not an event: {0}")]
pub struct InvalidEvent(#[from] pub JsonError);

/// An event parsed from JSON. Unknown values are accepted, so that an older program can verify a
/// newer log. Unknown fields are listed: no entry covers them.
#[derive(Debug, Deserialize)]
pub struct CanonicalEvent<'a> {
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    #[serde(borrow)]
    pub occurred_at: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) org: Option<CanonicalOrg<'a>>,
    #[serde(borrow)]
    pub(crate) actor: CanonicalActor<'a>,
    #[serde(borrow)]
    pub(crate) on_behalf_of: Option<CanonicalPerson<'a>>,
    #[serde(borrow)]
    pub action: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) outcome: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) target: CanonicalTarget<'a>,
    #[serde(borrow)]
    pub summary: Cow<'a, str>,
    #[serde(borrow)]
    reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) ticket_ref: Option<Cow<'a, str>>,
    #[serde(deserialize_with = "unique_keys::object")]
    pub metadata: Map<String, Value>,
    #[serde(borrow)]
    pub(crate) source: CanonicalSource<'a>,
    pub(crate) schema_version: i32,
    #[serde(default)]
    pub log: Option<LogPosition>,
    #[serde(default)]
    pub opening: Option<Opening>,
    /// Fields listed as erased, for readers. Repeats the opening.
    #[serde(default)]
    pub(crate) erased_fields: BTreeSet<PersonalField>,
    /// Paths of fields that this program does not know.
    #[serde(skip)]
    pub(crate) unknown_fields: Vec<String>,
}

/// The org. Its fields are in canonical order.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CanonicalOrg<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    slug: Cow<'a, str>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct CanonicalActor<'a> {
    #[serde(borrow, rename = "type")]
    pub kind: Cow<'a, str>,
    #[serde(borrow)]
    pub id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    email: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub tier: Option<Cow<'a, str>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct CanonicalPerson<'a> {
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    #[serde(borrow)]
    email: Option<Cow<'a, str>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct CanonicalTarget<'a> {
    #[serde(borrow, rename = "type")]
    pub kind: Cow<'a, str>,
    #[serde(borrow)]
    pub id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    label: Cow<'a, str>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct CanonicalSource<'a> {
    #[serde(borrow)]
    ip: Option<Cow<'a, str>>,
    #[serde(borrow)]
    user_agent: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub session_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub impersonation_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    request_id: Option<Cow<'a, str>>,
}

/// The personal part of a source, in canonical order.
#[derive(Serialize)]
struct CanonicalClient<'a> {
    ip: Option<&'a str>,
    request_id: Option<&'a str>,
    user_agent: Option<&'a str>,
}

impl<'a> CanonicalEvent<'a> {
    /// Parses an event in the JSON form that the API returns.
    pub fn parse(json: &'a str) -> Result<Self, InvalidEvent> {
        let mut unknown = Vec::new();
        let mut event: Self = parse_known(json, |path| unknown.push(path))?;
        event.unknown_fields = unknown;
        Ok(event)
    }

    /// Value of a personal field, which its commitment is made to, as canonical JSON.
    #[must_use]
    pub fn value_of(&self, field: PersonalField) -> Vec<u8> {
        match field {
            PersonalField::Actor => canonical_sorted(&self.actor.email),
            PersonalField::OnBehalfOf => {
                canonical_sorted(&self.on_behalf_of.as_ref().map(|person| &person.email))
            }
            PersonalField::Target => canonical_sorted(&self.target.label),
            PersonalField::Summary => canonical_sorted(&self.summary),
            PersonalField::Reason => canonical_sorted(&self.reason),
            PersonalField::Metadata => canonical_object(&self.metadata),
            PersonalField::Source => canonical_sorted(&CanonicalClient {
                ip: self.source.ip.as_deref(),
                request_id: self.source.request_id.as_deref(),
                user_agent: self.source.user_agent.as_deref(),
            }),
        }
    }

    /// Finds a field that is listed as erased but still has a value. Its commitment cannot be
    /// checked, so that the value could be anything.
    #[must_use]
    pub fn find_unblanked_erased_field(&self, salts: &CommitmentSalts) -> Option<PersonalField> {
        salts
            .erased_fields()
            .keys()
            .copied()
            .find(|field| self.value_of(*field) != blank_value(*field))
    }
}

/// Value of an erased field, as canonical JSON.
fn blank_value(field: PersonalField) -> Vec<u8> {
    match field {
        PersonalField::Actor | PersonalField::OnBehalfOf | PersonalField::Reason => {
            canonical(&Value::Null)
        }
        PersonalField::Target | PersonalField::Summary => canonical(&ERASED),
        PersonalField::Metadata => canonical(&json!({})),
        PersonalField::Source => {
            canonical(&json!({ "ip": null, "user_agent": null, "request_id": null }))
        }
    }
}
