//! OpenAPI schema of an actor: one object for all types, so that clients can read types that are
//! added later.

use std::borrow::Cow;

use serde_json::Value;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{Object, ObjectBuilder, Ref, RefOr, Schema, Type, schema::SchemaType},
};

use super::{ActorRef, ActorType};
use crate::tier::Tier;

impl PartialSchema for ActorRef {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .description(Some("The actor. Under impersonation, the staff member."))
            .property("type", Ref::from_schema_name(<ActorType as ToSchema>::name()))
            .required("type")
            .property(
                "id",
                nullable_text(
                    64,
                    "ID of the actor: of a user or staff member `user_…`. Null for an \
                     unauthenticated caller (a failed sign-in), for operators at the command \
                     line and for Postern itself.",
                    "user_01kafjwq00e008000000000001".into(),
                ),
            )
            .required("id")
            .property(
                "email",
                nullable_text(
                    254,
                    "E-mail address of a user or staff member; null if erased. For an \
                     unauthenticated caller, the unverified address that it sent. Null for \
                     other actors.",
                    "support@postern.example".into(),
                ),
            )
            .required("email")
            .property("tier", Ref::from_schema_name(<Tier as ToSchema>::name()))
            .into()
    }
}

impl ToSchema for ActorRef {
    fn name() -> Cow<'static, str> {
        "ActorRef".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((<ActorType as ToSchema>::name().into_owned(), ActorType::schema()));
        schemas.push((<Tier as ToSchema>::name().into_owned(), Tier::schema()));
    }
}

/// Schema of a text that can be null.
fn nullable_text(max_length: usize, about: &str, example: Value) -> Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .max_length(Some(max_length))
        .description(Some(about))
        .examples([example])
        .build()
}
