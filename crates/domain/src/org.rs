//! Orgs: the vendor's customers.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    Id,
    action::Action,
    actor::Person,
    change::Change,
    event::{EventDraft, Target, TargetType},
    feature::Plan,
    id::Named,
    id::{MemberId, OrgId},
    member::{Member, OrgContext},
    role::Role,
};

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Org {
    pub id: OrgId,
    /// The short name in addresses; unique over all of Postern, and never given out again.
    #[cfg_attr(feature = "openapi", schema(example = "acme"))]
    pub slug: String,
    /// What people call it.
    #[cfg_attr(feature = "openapi", schema(example = "Acme Corporation"))]
    pub name: String,
    pub plan: Plan,
    /// The end of the trial, while there is one.
    pub trial_ends_at: Option<DateTime<Utc>>,
    pub limits: Limits,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    #[serde(skip)]
    pub deletion_requested_at: Option<DateTime<Utc>>,
}

/// How much an org may have of what is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Limits {
    /// How many members.
    #[cfg_attr(feature = "openapi", schema(example = 500, minimum = 0))]
    pub max_users: i64,
    /// How many projects.
    #[cfg_attr(feature = "openapi", schema(example = 1000, minimum = 0))]
    pub max_projects: i64,
}

/// An org as other things refer to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrgRef {
    pub id: OrgId,
    /// Its short name in addresses.
    #[cfg_attr(feature = "openapi", schema(example = "acme"))]
    pub slug: String,
}

impl Named for Org {
    const PREFIX: &'static str = "org";
    const SCHEMA: &'static str = "OrgId";
}

/// A new org with its first owner.
#[derive(Debug)]
pub struct NewOrg {
    pub org: Org,
    pub owner: Member,
}

/// The confirmation did not name the org.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the confirmation is not the org's slug")]
pub struct NotConfirmed;

impl Org {
    #[must_use]
    pub fn reference(&self) -> OrgRef {
        OrgRef { id: self.id, slug: self.slug.clone() }
    }

    #[must_use]
    pub fn target(&self) -> Target {
        Target::new(TargetType::Org, self.id, &self.slug)
    }

    /// Founds an org on the smallest plan, with its founder as the owner.
    pub fn found(
        id: Id<Self>,
        slug: String,
        name: String,
        owner: Id<Member>,
        founder: &Person,
        now: DateTime<Utc>,
    ) -> Change<NewOrg> {
        let plan = Plan::Starter;
        let org = Self {
            id,
            slug,
            name,
            plan,
            trial_ends_at: None,
            limits: plan.limits(),
            created_at: now,
            deletion_requested_at: None,
        };
        let owner = Member {
            id: owner,
            user_id: founder.id,
            email: founder.email.clone(),
            name: founder.name.clone(),
            role: Role::Owner,
            created_at: now,
        };
        let draft = EventDraft::new(
            Action::OrgCreated,
            org.target(),
            format!("created the org {}", org.slug),
        )
        .with_metadata("name", &org.name)
        .in_org_log(org.reference());
        Change::recorded(NewOrg { org, owner }, draft)
    }

    pub fn rename(self, name: String) -> Change<Self> {
        if name == self.name {
            return Change::unchanged(self);
        }
        let draft = EventDraft::new(
            Action::OrgUpdated,
            self.target(),
            format!("renamed the org {} to “{name}”", self.slug),
        )
        .with_change("name", &self.name, &name);
        Change::recorded(Self { name, ..self }, draft)
    }

    /// Takes the org out of service; what it holds is purged after a grace period.
    pub fn request_deletion(
        self,
        confirm_slug: &str,
        now: DateTime<Utc>,
    ) -> Result<Change<Self>, NotConfirmed> {
        if confirm_slug != self.slug {
            return Err(NotConfirmed);
        }
        let draft = EventDraft::new(
            Action::OrgDeletionRequested,
            self.target(),
            format!("asked for the org {} to be deleted", self.slug),
        );
        Ok(Change::recorded(Self { deletion_requested_at: Some(now), ..self }, draft))
    }
}

/// One of the orgs that a person belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Membership {
    pub org: OrgRef,
    /// What people call the org.
    #[cfg_attr(feature = "openapi", schema(example = "Acme Corporation"))]
    pub org_name: String,
    pub member_id: MemberId,
    pub role: Role,
}

impl From<OrgContext> for Membership {
    fn from(OrgContext { org, member, role }: OrgContext) -> Self {
        Self { org: org.reference(), org_name: org.name, member_id: member, role }
    }
}
