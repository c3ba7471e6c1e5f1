//! Path parameters.

use postern_domain::{
    id::{BadId, Id, Named, kind},
    org_key::OrgKey,
};
use utoipa::openapi::{
    Object, ObjectBuilder, RefOr, Required, Schema, Type,
    path::{Parameter, ParameterBuilder, ParameterIn},
};

use super::{
    code::Code,
    field_code::FieldCode,
    input::{FromInput, Input},
    problem::Problem,
};

/// Documents a path parameter.
pub fn parameter(name: &str, description: &str, schema: impl Into<RefOr<Schema>>) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(description))
        .schema(Some(schema))
        .build()
}

/// Schema of a text in a path.
pub fn text(max_length: usize, pattern: Option<&str>, example: &str) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .max_length(Some(max_length))
        .pattern(pattern)
        .examples([example])
        .build()
}

/// Name of the path parameter with the ID or slug of an org.
pub const ORG: &str = "org";

/// The path parameter `{org}`, which authorization reads.
pub fn org_parameter() -> Parameter {
    parameter(ORG, "ID or slug of the org.", OrgKey::path_schema())
}

/// A resource with an ID in paths, and the name of that path parameter.
pub trait PathParam: Named {
    const NAME: &'static str;
}

impl PathParam for kind::Event {
    const NAME: &'static str = "event";
}
impl PathParam for kind::Impersonation {
    const NAME: &'static str = "impersonation";
}
impl PathParam for kind::Member {
    const NAME: &'static str = "member";
}
impl PathParam for kind::Session {
    const NAME: &'static str = "session";
}
impl PathParam for kind::User {
    const NAME: &'static str = "user";
}

impl<T: PathParam> FromInput for Id<T> {
    const PROBLEMS: &'static [Code] = &[Code::InvalidId];

    fn parameters() -> Vec<Parameter> {
        let (name, prefix) = (T::NAME, T::PREFIX);
        let example = format!("{prefix}_01k7fgpr00e00800000000000g");
        let schema = text(prefix.len() + 27, Some(&Self::pattern()), &example);
        vec![parameter(name, &format!("ID of the {name}."), schema)]
    }

    fn from_input(input: &Input) -> Result<Self, Problem> {
        let text = input.request.match_info().query(T::NAME);
        text.parse().map_err(|error: BadId| {
            Problem::new(Code::InvalidId).detail(error.to_string()).field(
                format!("/{}", T::NAME),
                FieldCode::Format,
                error.to_string(),
            )
        })
    }
}

/// A value of a closed list in a path. Other texts are not found.
pub trait PathKey: Copy + 'static {
    const NAME: &'static str;
    const DESCRIPTION: &'static str;

    fn schema() -> RefOr<Schema>;
    fn parse(text: &str) -> Option<Self>;
}

/// Path parameter of a [`PathKey`].
#[derive(Debug)]
pub struct Key<T>(pub T);

impl<T: PathKey> FromInput for Key<T> {
    fn parameters() -> Vec<Parameter> {
        vec![parameter(T::NAME, T::DESCRIPTION, T::schema())]
    }

    fn from_input(input: &Input) -> Result<Self, Problem> {
        T::parse(input.request.match_info().query(T::NAME)).map(Self).ok_or_else(Problem::not_found)
    }
}
