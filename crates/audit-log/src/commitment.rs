//! Commitments to the personal fields of an event: the hash of a salt and the value.
//!
//! With salt and value, a commitment can be checked. When both are erased, the commitment, and the
//! log entry that contains it, remain valid.

use std::{collections::BTreeMap, ops::Range};

use base64::{Engine, engine::general_purpose::STANDARD};
use postern_tlog::Hash;
use serde::{Deserialize, Serialize};

use crate::{string_enum, unique_keys};

string_enum! {
    /// Personal field of an event, which can be erased on its own.
    PersonalField {
        /// The actor's e-mail address.
        Actor = "actor",
        /// The impersonated user's e-mail address.
        OnBehalfOf = "on_behalf_of",
        /// The target's label.
        Target = "target",
        /// The event's summary.
        Summary = "summary",
        /// The event's reason.
        Reason = "reason",
        /// The event's metadata.
        Metadata = "metadata",
        /// The client's IP address, the user agent and the request id, which the client may choose.
        Source = "source",
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for PersonalField {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        let values: Vec<_> = Self::ALL.iter().map(|field| (field.name(), field.about())).collect();
        crate::string_enum::schema(Self::DESCRIPTION, &values)
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for PersonalField {}

impl PersonalField {
    /// Range of the field's salt in the salts of an event.
    const fn salt(self) -> Range<usize> {
        let start = self as usize * SALT;
        start..start + SALT
    }
}

/// Length of a salt in bytes.
pub const SALT: usize = 16;
/// Length in bytes of the salts of all fields, concatenated in the order of
/// [`PersonalField::ALL`].
pub const SALTS: usize = SALT * PersonalField::ALL.len();

/// Salts of the commitments of one event, and the commitments themselves for erased fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitmentSalts {
    salts: [u8; SALTS],
    erased_fields: BTreeMap<PersonalField, Hash>,
}

impl CommitmentSalts {
    /// Salts of a new event. They must come from the system's random number generator.
    #[must_use]
    pub const fn new(salts: [u8; SALTS]) -> Self {
        Self { salts, erased_fields: BTreeMap::new() }
    }

    /// Salts and commitments as stored. `None` if the length of `salts` is not [`SALTS`].
    #[must_use]
    pub fn from_stored(salts: &[u8], erased_fields: BTreeMap<PersonalField, Hash>) -> Option<Self> {
        Some(Self { salts: salts.try_into().ok()?, erased_fields })
    }

    #[must_use]
    pub const fn salts(&self) -> &[u8; SALTS] {
        &self.salts
    }

    /// The erased fields with their commitments.
    #[must_use]
    pub const fn erased_fields(&self) -> &BTreeMap<PersonalField, Hash> {
        &self.erased_fields
    }

    /// Clears the salts of these fields and keeps their commitments. `value_of` returns the value
    /// of a field as canonical JSON.
    #[must_use]
    pub fn erasing(
        mut self,
        fields: &[PersonalField],
        value_of: impl Fn(PersonalField) -> Vec<u8>,
    ) -> Self {
        for &field in fields {
            if !self.erased_fields.contains_key(&field) {
                let commitment = self.commitment(field, &value_of(field));
                self.erased_fields.insert(field, commitment);
                self.salts[field.salt()].fill(0);
            }
        }
        self
    }

    /// SHA-256(salt ‖ name of the field ‖ LF ‖ `value`); for an erased field, the kept commitment.
    #[must_use]
    pub fn commitment(&self, field: PersonalField, value: &[u8]) -> Hash {
        let kept = self.erased_fields.get(&field).copied();
        kept.unwrap_or_else(|| {
            Hash::of_parts(&[&self.salts[field.salt()], field.name().as_bytes(), b"\n", value])
        })
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
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "unique_keys::map"
    )]
    #[cfg_attr(
        feature = "openapi",
        schema(
            max_length = 64,
            value_type = BTreeMap<String, String>,
            nullable = false,
            example = json!({})
        )
    )]
    pub erased_fields: BTreeMap<PersonalField, String>,
    /// Whether the event is still waiting to be added to the log. Omitted if false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "openapi", schema(nullable = false, example = false))]
    pub pending: bool,
}

impl Opening {
    #[must_use]
    pub fn of(salts: &CommitmentSalts, leaf: Option<Hash>, pending: bool) -> Self {
        let erased_fields = salts
            .erased_fields
            .iter()
            .map(|(field, commitment)| (*field, commitment.to_base64()))
            .collect();
        Self {
            leaf: leaf.map(Hash::to_base64),
            salts: STANDARD.encode(salts.salts),
            erased_fields,
            pending,
        }
    }

    /// Decodes the salts and commitments. `None` if they are malformed.
    #[must_use]
    pub fn decode(&self) -> Option<CommitmentSalts> {
        let erased_fields = self
            .erased_fields
            .iter()
            .map(|(field, commitment)| Some((*field, Hash::from_base64(commitment)?)));
        CommitmentSalts::from_stored(
            &STANDARD.decode(&self.salts).ok()?,
            erased_fields.collect::<Option<_>>()?,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_equal_the_json_form() {
        for field in PersonalField::ALL {
            assert_eq!(serde_json::to_value(field).expect("the field serializes"), field.name());
            assert_eq!(PersonalField::parse(field.name()), Some(*field), "{field} is parsed");
        }
    }

    #[test]
    fn erasing_clears_the_salts_of_the_erased_fields_only() {
        let salts = CommitmentSalts::new([7; SALTS]);
        let commitment = salts.commitment(PersonalField::Target, b"\"bo\"");
        let erased = salts.erasing(&[PersonalField::Target], |_| b"\"bo\"".to_vec());
        assert_eq!(erased.salts()[PersonalField::Target.salt()], [0; SALT]);
        assert_eq!(erased.salts()[PersonalField::Actor.salt()], [7; SALT]);
        assert_eq!(erased.commitment(PersonalField::Target, b"\"(erased)\""), commitment);
        // Erasing a field again keeps its commitment.
        let again = erased.clone().erasing(&[PersonalField::Target], |_| b"null".to_vec());
        assert_eq!(again, erased);
    }

    #[test]
    fn an_opening_decodes_to_its_salts() {
        let salts = CommitmentSalts::new([7; SALTS])
            .erasing(&[PersonalField::Reason], |_| b"null".to_vec());
        let opening = Opening::of(&salts, None, false);
        assert_eq!(opening.decode(), Some(salts));
        let short = Opening { salts: "AAEC".to_owned(), ..opening };
        assert_eq!(short.decode(), None, "salts of another length are rejected");
    }
}
