//! OpenAPI schemas of permissions, and of the roles and tiers that have them.

use postern_audit_log::string_enum::schema;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use super::{Permission, Role, Tier};

impl PartialSchema for Permission {
    fn schema() -> RefOr<Schema> {
        let holders = |permission: &Self| match (permission.lowest_role(), permission.lowest_tier())
        {
            (Some(Role::Owner), _) => " org role owner.".to_owned(),
            (Some(role), _) => format!(" org role {role} and above."),
            (None, Some(Tier::SuperAdmin)) => " staff tier super_admin.".to_owned(),
            (None, tier) => format!(" staff tier {} and above.", tier.map_or("none", Tier::name)),
        };
        described(Self::DESCRIPTION, Self::ALL, |value| value.name(), holders)
    }
}

impl PartialSchema for Role {
    fn schema() -> RefOr<Schema> {
        let permissions = |role: &Self| added(|permission| permission.lowest_role() == Some(*role));
        described(Self::DESCRIPTION, Self::ALL, |role| role.name(), permissions)
    }
}

impl PartialSchema for Tier {
    fn schema() -> RefOr<Schema> {
        let permissions = |tier: &Self| added(|permission| permission.lowest_tier() == Some(*tier));
        described(Self::DESCRIPTION, Self::ALL, |tier| tier.name(), permissions)
    }
}

impl ToSchema for Permission {}
impl ToSchema for Role {}
impl ToSchema for Tier {}

/// Permissions that a role or tier has in addition to those of the one before it.
fn added(is_added: impl Fn(Permission) -> bool) -> String {
    let names: Vec<_> = Permission::ALL
        .iter()
        .filter(|permission| is_added(**permission))
        .map(|permission| format!("`{permission}`"))
        .collect();
    if names.is_empty() {
        " no further permissions in this version.".to_owned()
    } else {
        format!(" {}.", names.join(", "))
    }
}

fn described<T>(
    description: &str,
    values: &[T],
    name: impl Fn(&T) -> &'static str,
    about: impl Fn(&T) -> String,
) -> RefOr<Schema> {
    let values: Vec<_> = values.iter().map(|value| (name(value), about(value))).collect();
    let values: Vec<_> = values.iter().map(|(name, about)| (*name, about.as_str())).collect();
    schema(description, &values)
}
