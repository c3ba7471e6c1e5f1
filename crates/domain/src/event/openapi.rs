//! OpenAPI schema of an actor: a discriminated union, because the fields depend on the type.

use std::borrow::Cow;

use serde_json::Value;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Object, ObjectBuilder, OneOfBuilder, Ref, RefOr, Schema, Type, schema::Discriminator,
        schema::SchemaType,
    },
};

use super::{ActorRef, ActorType};
use crate::{
    id::{self, UserId},
    tier::Tier,
};

const fn variant(kind: ActorType) -> &'static str {
    match kind {
        ActorType::User => "UserActor",
        ActorType::Staff => "StaffActor",
        ActorType::ApiKey => "ApiKeyActor",
        ActorType::System => "SystemActor",
    }
}

impl PartialSchema for ActorRef {
    fn schema() -> RefOr<Schema> {
        let mapping = ActorType::ALL
            .iter()
            .map(|kind| (kind.name(), Ref::from_schema_name(variant(*kind)).ref_location));
        let union = OneOfBuilder::new()
            .description(Some(
                "The actor, discriminated by `type`. Under impersonation, the staff member.",
            ))
            .discriminator(Some(Discriminator::with_mapping("type", mapping)));
        ActorType::ALL
            .iter()
            .fold(union, |union, kind| union.item(Ref::from_schema_name(variant(*kind))))
            .into()
    }
}

impl ToSchema for ActorRef {
    fn name() -> Cow<'static, str> {
        "ActorRef".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.extend(
            ActorType::ALL.iter().map(|kind| (variant(*kind).to_owned(), described(*kind))),
        );
        schemas.push((<UserId as ToSchema>::name().into_owned(), UserId::schema()));
        schemas.push((<Tier as ToSchema>::name().into_owned(), Tier::schema()));
    }
}

fn described(kind: ActorType) -> RefOr<Schema> {
    let (about, id, email) = about_id_email(kind);
    let type_schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some([kind.name()]))
        .description(Some("Type of the actor."));
    let object = ObjectBuilder::new()
        .description(Some(about))
        .property("type", type_schema)
        .required("type");
    let object =
        object.property("id", id).required("id").property("email", email).required("email");
    match kind {
        ActorType::Staff => {
            object.property("tier", Ref::from_schema_name("Tier")).required("tier").into()
        }
        ActorType::User | ActorType::ApiKey | ActorType::System => object.into(),
    }
}

/// Description of an actor's schema, and the schemas of its `id` and `email`.
fn about_id_email(kind: ActorType) -> (&'static str, RefOr<Schema>, Object) {
    let user = || Ref::from_schema_name(<UserId as ToSchema>::name());
    let email = |about: &str, example: Value| nullable_text(254, about, example);
    match kind {
        ActorType::User => (
            "A customer's user, or an unauthenticated caller.",
            OneOfBuilder::new()
                .description(Some("Null if the caller was not authenticated: a failed sign-in."))
                .item(user())
                .item(ObjectBuilder::new().schema_type(Type::Null))
                .into(),
            email(
                "If `id` is null, the unverified address that the caller sent. Null if erased.",
                "owner@acme.example".into(),
            ),
        ),
        ActorType::Staff => (
            "A staff member of the vendor.",
            user().into(),
            email("Null if erased.", "support@postern.example".into()),
        ),
        ActorType::ApiKey => (
            "A customer's program. Reserved: API keys do not exist yet.",
            ObjectBuilder::new()
                .schema_type(Type::String)
                .description(Some("ID of the API key."))
                .max_length(Some(64))
                .pattern(Some(id::pattern("key")))
                .examples(["key_01kafjwq00e008000000000001"])
                .into(),
            email("Always null: an API key has no e-mail address.", Value::Null),
        ),
        ActorType::System => (
            "Postern itself, or an operator at its command line.",
            nullable_text(64, "Always null.", Value::Null).into(),
            email("Always null.", Value::Null),
        ),
    }
}

/// Schema of a text that can be null. Never only null: some generators omit such a field.
fn nullable_text(max_length: usize, about: &str, example: Value) -> Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .max_length(Some(max_length))
        .description(Some(about))
        .examples([example])
        .build()
}
