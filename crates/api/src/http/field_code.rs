//! Codes of the errors in fields and parameters.

use postern_domain::string_enum;
use utoipa::openapi::{RefOr, Schema};

string_enum! {
    /// Stable code of an error in a field or parameter.
    FieldCode {
        /// The field is missing.
        Required = "required",
        /// The operation has no such field or parameter.
        Unknown = "unknown",
        /// The field or parameter is given more than once.
        Duplicate = "duplicate",
        /// The type or value is wrong.
        Invalid = "invalid",
        /// The text contains U+0000.
        NulCharacter = "nul_character",
        /// The text contains a character that is invisible or changes the order of others.
        Character = "character",
        /// The value is reserved.
        Reserved = "reserved",
        /// The resource that the field names does not exist.
        NotFound = "not_found",
        /// The value is already in use.
        Taken = "taken",
        /// The confirmation is wrong.
        Mismatch = "mismatch",
        /// The password is too weak.
        Weak = "weak",
        /// The text is too short or too long.
        Length = "length",
        /// The number is too small or too large.
        Range = "range",
        /// The ID is malformed.
        Format = "format",
        /// The text is not a valid name.
        Name = "name",
        /// The text is not a valid slug.
        Slug = "slug",
        /// The text is not a valid e-mail address.
        Email = "email",
        /// The text is not a valid color.
        Color = "color",
        /// The text is not a valid URL of a picture.
        Url = "url",
        /// The text is not an audit action or a group of them.
        Action = "action",
        /// The time is outside the years 1970 to 9999.
        Time = "time",
    }
}

impl utoipa::PartialSchema for FieldCode {
    fn schema() -> RefOr<Schema> {
        let values: Vec<_> = Self::ALL.iter().map(|code| (code.name(), code.about())).collect();
        string_enum::schema(Self::DESCRIPTION, &values)
    }
}

impl utoipa::ToSchema for FieldCode {}
