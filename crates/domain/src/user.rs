//! People. One person has one account, whatever orgs they belong to.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{
    action::Action,
    actor::Person,
    change::Change,
    event::{EventDraft, Target, TargetType},
    id::Named,
    id::UserId,
};

/// A person's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct User {
    pub id: UserId,
    /// In lower case; unique over all of Postern.
    #[cfg_attr(feature = "openapi", schema(example = "owner@acme.example"))]
    pub email: String,
    /// What they are called.
    #[cfg_attr(feature = "openapi", schema(example = "Ana Costa"))]
    pub name: String,
    /// A picture of them.
    #[cfg_attr(feature = "openapi", schema(example = "https://cdn.acme.example/ana.png"))]
    pub image_url: Option<String>,
    /// When the account was created.
    pub created_at: DateTime<Utc>,
    /// Set while the account is suspended: it can neither sign in nor be impersonated.
    pub suspended_at: Option<DateTime<Utc>>,
}

impl Named for User {
    const PREFIX: &'static str = "user";
    const SCHEMA: &'static str = "UserId";
}

impl User {
    #[must_use]
    pub fn into_person(self) -> Person {
        Person { id: self.id, name: self.name, email: self.email }
    }

    #[must_use]
    pub fn target(&self) -> Target {
        Target::new(TargetType::User, self.id, &self.email)
    }

    /// A new name or picture; what is `None` stays, and an `image_url` of `Some(None)` is taken away.
    pub fn update_profile(
        self,
        name: Option<String>,
        image_url: Option<Option<String>>,
    ) -> Change<Self> {
        let after = Self {
            name: name.unwrap_or_else(|| self.name.clone()),
            image_url: image_url.unwrap_or_else(|| self.image_url.clone()),
            ..self.clone()
        };
        let mut draft =
            EventDraft::new(Action::UserProfileUpdated, self.target(), "changed their profile");
        if after.name != self.name {
            draft = draft.with_change("name", &self.name, &after.name);
        }
        if after.image_url != self.image_url {
            draft = draft.with_change("image_url", &self.image_url, &after.image_url);
        }
        if after == self { Change::unchanged(self) } else { Change::recorded(after, draft) }
    }
}
