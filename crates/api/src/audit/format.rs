//! File formats of exports.

use postern_domain::string_enum;
use serde::Deserialize;
use utoipa::{
    IntoParams, PartialSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};
use validator::Validate;

string_enum! {
    /// Format of the file: `ndjson` can be verified offline, `csv` is for spreadsheets.
    Format {
        Ndjson = "ndjson",
        Csv = "csv",
    }
}

impl Format {
    /// The format if none is requested: the one that can be verified.
    const fn if_absent() -> Self {
        Self::Ndjson
    }

    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv",
        }
    }

    /// Media type with its parameters, as a response names it.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Ndjson => self.media_type(),
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }
}

impl PartialSchema for Format {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(Self::ALL.iter().map(|format| format.name())))
            .default(Some(Self::if_absent().name().into()))
            .into()
    }
}

/// Format of an export.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FormatQuery {
    /// Format of the file: `ndjson` can be verified offline, `csv` is for spreadsheets.
    #[serde(default = "Format::if_absent")]
    #[param(inline, required = false)]
    pub format: Format,
}
