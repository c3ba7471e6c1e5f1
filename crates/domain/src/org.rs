//! Orgs: the vendor's customers.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{
    action::Action,
    actor::Person,
    change::Change,
    effect::{Effect, ImpersonationsOf},
    event_draft::{EventDraft, Target, TargetType},
    id::{MemberId, OrgId},
    member::Member,
    org_ref::OrgRef,
    plan::{Limits, Plan},
    role::Role,
    string_enum,
    string_enums::string_enum_schema,
};

string_enum! {
    /// Status of an org.
    OrgStatus {
        /// The org is in use.
        Active = "active",
        /// Deletion was requested. The org is disabled.
        DeletionRequested = "deletion_requested",
    }
}

string_enum_schema!(OrgStatus);

/// An org: one customer of the vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Org {
    pub id: OrgId,
    /// Short name for URLs. Unique, and never reused.
    #[cfg_attr(feature = "openapi", schema(example = "acme", max_length = 40))]
    pub slug: String,
    /// Display name.
    #[cfg_attr(feature = "openapi", schema(example = "Acme Corporation", max_length = 100))]
    pub name: String,
    pub plan: Plan,
    /// End of the trial; null if there is none.
    pub trial_ends_at: Option<DateTime<Utc>>,
    pub limits: Limits,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    #[serde(skip)]
    pub deletion_requested_at: Option<DateTime<Utc>>,
}

/// A new org with its first owner.
#[derive(Debug)]
pub struct NewOrg {
    pub org: Org,
    pub owner: Member,
}

/// The confirmation does not match the org's slug.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the confirmation is not the org's slug")]
pub struct NotConfirmed;

impl Org {
    #[must_use]
    pub fn reference(&self) -> OrgRef {
        OrgRef { id: self.id, slug: self.slug.clone(), name: self.name.clone() }
    }

    #[must_use]
    pub const fn status(&self) -> OrgStatus {
        match self.deletion_requested_at {
            None => OrgStatus::Active,
            Some(_) => OrgStatus::DeletionRequested,
        }
    }

    #[must_use]
    pub fn target(&self) -> Target {
        Target::new(TargetType::Org, self.id, &self.slug)
    }

    /// Creates an org on the smallest plan, with `founder` as its owner.
    pub fn create(
        id: OrgId,
        slug: String,
        name: String,
        owner: MemberId,
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
        let draft = created(&org);
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

    /// Requests deletion: disables the org now. Nothing purges its data yet.
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
            format!("requested deletion of the org {}", self.slug),
        );
        let effect = Effect::EndImpersonations(ImpersonationsOf::Org(self.id));
        Ok(Change::recorded(Self { deletion_requested_at: Some(now), ..self }, draft)
            .with_effect(effect))
    }
}

/// Event for a new org.
pub fn created(org: &Org) -> EventDraft {
    let predicate = format!("created the org {}", org.slug);
    EventDraft::new(Action::OrgCreated, org.target(), predicate)
        .with_metadata("name", &org.name)
        .in_org_log(org.reference())
}
