//! Users. A person has one account, in any number of orgs.

use std::{convert::Infallible, fmt, str::FromStr};

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{
    action::Action,
    actor::Person,
    change::Change,
    event_draft::{EventDraft, Target, TargetType},
    id::UserId,
    text,
};

/// A user account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct User {
    pub id: UserId,
    /// E-mail address, in lower case. Unique across all orgs.
    #[cfg_attr(feature = "openapi", schema(example = "owner@acme.example", max_length = 254))]
    pub email: String,
    /// Display name.
    #[cfg_attr(feature = "openapi", schema(example = "Ana Costa", max_length = 100))]
    pub name: String,
    /// URL of the profile picture.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "https://cdn.acme.example/ana.png", max_length = 500)
    )]
    pub image_url: Option<String>,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    /// Time of suspension; null if active. A suspended user cannot sign in or be impersonated.
    pub suspended_at: Option<DateTime<Utc>>,
}

/// Reference to a user by ID or e-mail address.
#[derive(Debug, Clone)]
pub enum UserKey {
    Id(UserId),
    /// Normalized e-mail address.
    Email(String),
}

impl FromStr for UserKey {
    type Err = Infallible;

    fn from_str(typed: &str) -> Result<Self, Infallible> {
        Ok(typed.parse().map_or_else(|_| Self::Email(text::email(typed)), Self::Id))
    }
}

impl fmt::Display for UserKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Email(email) => f.write_str(email),
        }
    }
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

    /// Changes the name or picture. `None` keeps a value; `Some(None)` removes the picture.
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
