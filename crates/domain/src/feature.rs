//! Plans, what they include, and what is switched on or off for one org in spite of its plan.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{org::Limits, words::words};

words! {
    /// What a customer pays for, smallest first.
    Plan { Starter = "starter", Growth = "growth", Enterprise = "enterprise" }
}

words! {
    /// What a plan can include.
    FeatureKey {
        /// Programs may call the API with keys of their own.
        ApiAccess = "api_access",
        /// The org's own color and logo.
        CustomBranding = "custom_branding",
        /// The audit log as a file.
        AuditExport = "audit_export",
        /// Sign-in through the org's own identity provider.
        Sso = "sso",
        /// Support answers within the hour.
        PrioritySupport = "priority_support",
    }
}

impl Plan {
    /// What an org on this plan may have, unless it was agreed otherwise.
    #[must_use]
    pub const fn limits(self) -> Limits {
        match self {
            Self::Starter => Limits { max_users: 10, max_projects: 3 },
            Self::Growth => Limits { max_users: 100, max_projects: 50 },
            Self::Enterprise => Limits { max_users: 5_000, max_projects: 1_000 },
        }
    }

    #[must_use]
    pub fn includes(self, feature: FeatureKey) -> bool {
        let smallest = match feature {
            FeatureKey::ApiAccess | FeatureKey::CustomBranding => Self::Growth,
            FeatureKey::AuditExport | FeatureKey::Sso | FeatureKey::PrioritySupport => {
                Self::Enterprise
            }
        };
        self >= smallest
    }
}

/// A feature switched on or off for one org in spite of its plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Override {
    #[serde(skip)]
    pub key: FeatureKey,
    /// Whether it is on, whatever the plan says.
    pub enabled: bool,
    /// Why, in words that the customer reads.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "trial of single sign-on agreed in SUP-4100")
    )]
    pub reason: String,
    /// When the plan decides again; null for good.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A feature as it stands for an org, and the chain that decided it: the first of override, plan, default that speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Feature {
    pub key: FeatureKey,
    /// Whether it is on.
    pub enabled: bool,
    pub decided_by: DecidedBy,
    /// The override in force, if there is one.
    #[serde(rename = "override")]
    pub overridden: Option<Override>,
    /// Whether the plan includes it.
    pub in_plan: bool,
    pub plan: Plan,
    /// What holds where neither speaks.
    pub default: bool,
}

words! {
    /// Which link of the chain spoke.
    DecidedBy {
        /// What was agreed for this org alone.
        Override = "override",
        /// What the plan includes.
        Plan = "plan",
        /// What holds where neither speaks.
        Default = "default",
    }
}

impl Feature {
    /// Everything is off that nobody paid for.
    const DEFAULT: bool = false;

    #[must_use]
    pub fn decide(key: FeatureKey, plan: Plan, overrides: &[Override], now: DateTime<Utc>) -> Self {
        let in_force = |o: &&Override| o.key == key && o.expires_at.is_none_or(|end| now < end);
        let overridden = overrides.iter().find(in_force).cloned();
        let in_plan = plan.includes(key);
        let (enabled, decided_by) = match &overridden {
            Some(o) => (o.enabled, DecidedBy::Override),
            None if in_plan => (true, DecidedBy::Plan),
            None => (Self::DEFAULT, DecidedBy::Default),
        };
        Self { key, enabled, decided_by, overridden, in_plan, plan, default: Self::DEFAULT }
    }

    /// All features in the order of the catalogue.
    #[must_use]
    pub fn decide_all(plan: Plan, overrides: &[Override], now: DateTime<Utc>) -> Vec<Self> {
        FeatureKey::ALL.iter().map(|key| Self::decide(*key, plan, overrides, now)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn an_override_speaks_until_it_expires_then_the_plan_then_the_default() {
        let start = DateTime::UNIX_EPOCH;
        let end = start + TimeDelta::days(1);
        let sso = |enabled| Override {
            key: FeatureKey::Sso,
            enabled,
            reason: "agreed".into(),
            expires_at: Some(end),
        };

        let on = Feature::decide(FeatureKey::Sso, Plan::Starter, &[sso(true)], start);
        assert_eq!((on.enabled, on.decided_by), (true, DecidedBy::Override));
        let expired = Feature::decide(FeatureKey::Sso, Plan::Starter, &[sso(true)], end);
        assert_eq!((expired.enabled, expired.decided_by), (false, DecidedBy::Default));
        let off = Feature::decide(FeatureKey::Sso, Plan::Enterprise, &[sso(false)], start);
        assert_eq!((off.enabled, off.decided_by, off.in_plan), (false, DecidedBy::Override, true));
        let plan = Feature::decide(FeatureKey::Sso, Plan::Enterprise, &[], start);
        assert_eq!((plan.enabled, plan.decided_by), (true, DecidedBy::Plan));
    }
}
