//! What an actor is called by depends on its type, and the contract says so: a union that generated clients can tell apart.

use std::borrow::Cow;

use serde_json::Value;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ObjectBuilder, OneOfBuilder, Ref, RefOr, Schema, Type, schema::Discriminator,
        schema::SchemaType,
    },
};

use super::{ActorRef, ActorType};
use crate::{id::UserId, staff::Tier};

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
            .description(Some("Who really acted, told apart by `type`."))
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
    let user = || Ref::from_schema_name(<UserId as ToSchema>::name());
    // Never null alone: some generators leave such a field out.
    let text = |about: &str, example: Value| -> RefOr<Schema> {
        let kinds = SchemaType::from_iter([Type::String, Type::Null]);
        ObjectBuilder::new().schema_type(kinds).description(Some(about)).examples([example]).into()
    };
    let (about, id, email): (_, RefOr<Schema>, _) = match kind {
        ActorType::User => (
            "A person of a customer; or somebody who did not prove who they are.",
            OneOfBuilder::new()
                .description(Some("Null where nobody proved who they were: a failed sign-in."))
                .item(user())
                .item(ObjectBuilder::new().schema_type(Type::Null))
                .into(),
            text(
                "Where `id` is null only what was claimed, which may be anybody's. Null where it has been erased.",
                "owner@acme.example".into(),
            ),
        ),
        ActorType::Staff => (
            "One of the vendor's staff.",
            user().into(),
            text("Null where it has been erased.", "support@postern.example".into()),
        ),
        ActorType::ApiKey => (
            "A program of a customer. None draft yet.",
            ObjectBuilder::new()
                .schema_type(Type::String)
                .description(Some("Its key."))
                .pattern(Some("^key_[0-7][0-9a-hjkmnp-tv-z]{25}$"))
                .examples(["key_01kafjwq00e008000000000001"])
                .into(),
            text("Always null: a key has no address.", Value::Null),
        ),
        ActorType::System => (
            "Postern itself, or an operator at its command line.",
            text("Always null.", Value::Null),
            text("Always null.", Value::Null),
        ),
    };
    let word = ObjectBuilder::new().schema_type(Type::String).enum_values(Some([kind.name()]));
    let word = word.description(Some("What kind of actor it is."));
    let object =
        ObjectBuilder::new().description(Some(about)).property("type", word).required("type");
    let object =
        object.property("id", id).required("id").property("email", email).required("email");
    match kind {
        ActorType::Staff => {
            object.property("tier", Ref::from_schema_name("Tier")).required("tier").into()
        }
        ActorType::User | ActorType::ApiKey | ActorType::System => object.into(),
    }
}
