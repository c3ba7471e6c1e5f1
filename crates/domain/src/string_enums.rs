//! OpenAPI schemas of string enums.

/// Implements the OpenAPI schema of string enums, from their descriptions.
macro_rules! string_enum_schema {
    ($($name:ident),+) => {
        $(
            #[cfg(feature = "openapi")]
            impl utoipa::PartialSchema for $name {
                fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                    let values: Vec<_> =
                        Self::ALL.iter().map(|value| (value.name(), value.about())).collect();
                    postern_audit_log::string_enum::schema(Self::DESCRIPTION, &values)
                }
            }

            #[cfg(feature = "openapi")]
            impl utoipa::ToSchema for $name {}
        )+
    };
}

pub(crate) use string_enum_schema;

#[cfg(test)]
mod tests {
    use crate::{
        action::Action,
        end_cause::EndCause,
        event::ActorType,
        event_draft::{Outcome, TargetType},
        feature::FeatureKey,
        impersonation::ImpersonationStatus,
        mode::Mode,
        org::OrgStatus,
        permission::Permission,
        plan::Plan,
        role::Role,
        tier::Tier,
    };

    #[test]
    fn database_and_json_have_the_same_text() {
        macro_rules! agree {
            ($($list:ty),+) => {
                $(for value in <$list>::ALL {
                    let json = serde_json::to_value(value).ok();
                    let json = json.as_ref().and_then(|json| json.as_str());
                    assert_eq!(json, Some(value.name()), "the JSON form is the name");
                    assert_eq!(<$list>::parse(value.name()), Some(*value), "the name is parsed");
                })+
            };
        }
        agree!(
            Action,
            ActorType,
            EndCause,
            FeatureKey,
            ImpersonationStatus,
            Mode,
            OrgStatus,
            Outcome,
            Permission,
            Plan,
            Role,
            TargetType,
            Tier
        );
    }
}
