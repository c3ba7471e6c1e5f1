//! Org settings. To prevent lost updates, each version has its own `ETag`, and an edit can require
//! a version with `If-Match` (RFC 9110, 13.1.1).

use serde::Serialize;

use crate::{
    action::Action,
    change::Change,
    event_draft::{EventDraft, Target, TargetType},
    org::Org,
    plan::Limits,
};

/// Settings of an org. The limits are read-only here: they come with the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Settings {
    pub branding: Branding,
    /// Contact for members inside their org.
    #[cfg_attr(feature = "openapi", schema(example = "it@acme.example", max_length = 254))]
    pub support_email: Option<String>,
    pub limits: Limits,
    /// Version, incremented by each edit. The `ETag` identifies the same version.
    #[cfg_attr(feature = "openapi", schema(example = 3))]
    pub version: i64,
}

/// Branding of the product for this org.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Branding {
    /// Color of buttons and links, as `#rrggbb`.
    #[cfg_attr(feature = "openapi", schema(example = "#0a7d5c", max_length = 7))]
    pub color: Option<String>,
    /// URL of the logo: `https`, with a public host name and no port.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "https://cdn.acme.example/logo.svg", max_length = 500)
    )]
    pub logo_url: Option<String>,
}

/// An edit: `None` keeps a value, `Some(None)` removes it.
#[derive(Debug, Default)]
pub struct Edit {
    pub color: Option<Option<String>>,
    pub logo_url: Option<Option<String>>,
    pub support_email: Option<Option<String>>,
}

/// The edit is for another version than the current one.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the settings are at version {current}")]
pub struct Stale {
    pub current: i64,
}

impl Settings {
    /// Applies an edit. `made_on`: accepted current versions; `None` accepts all.
    pub fn edit(
        self,
        org: &Org,
        edit: Edit,
        made_on: Option<&[i64]>,
    ) -> Result<Change<Self>, Stale> {
        if made_on.is_some_and(|versions| !versions.contains(&self.version)) {
            return Err(Stale { current: self.version });
        }
        let mut draft = EventDraft::new(
            Action::SettingsUpdated,
            Target::new(TargetType::Settings, org.id, &org.slug),
            format!("changed the settings of {}", org.slug),
        );
        let mut after = self.clone();
        let fields = [
            ("branding.color", &mut after.branding.color, edit.color),
            ("branding.logo_url", &mut after.branding.logo_url, edit.logo_url),
            ("support_email", &mut after.support_email, edit.support_email),
        ];
        for (name, field, new) in fields {
            if let Some(new) = new.filter(|new| new != field) {
                draft = draft.with_change(name, &*field, &new);
                *field = new;
            }
        }
        if after == self {
            return Ok(Change::unchanged(self));
        }
        after.version += 1;
        Ok(Change::recorded(after, draft))
    }
}
