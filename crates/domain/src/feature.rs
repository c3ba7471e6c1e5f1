//! Plans, the features that they include, and feature overrides for single orgs.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{plan::Plan, string_enum, string_enums::string_enum_schema};

string_enum! {
    /// Feature that a plan can include.
    FeatureKey {
        /// Access to the API with API keys.
        ApiAccess = "api_access",
        /// The org's own color and logo.
        CustomBranding = "custom_branding",
        /// Export of the audit log.
        AuditExport = "audit_export",
        /// Single sign-on through the org's identity provider.
        Sso = "sso",
        /// Response from support within one hour.
        PrioritySupport = "priority_support",
    }
}

impl FeatureKey {
    /// Whether a plan includes the feature.
    #[must_use]
    pub fn is_in(self, plan: Plan) -> bool {
        let smallest = match self {
            Self::ApiAccess | Self::CustomBranding => Plan::Growth,
            Self::AuditExport | Self::Sso | Self::PrioritySupport => Plan::Enterprise,
        };
        plan >= smallest
    }
}

/// Override of a feature for one org, regardless of its plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Override {
    #[serde(skip)]
    pub key: FeatureKey,
    /// Whether the feature is enabled, regardless of the plan.
    pub enabled: bool,
    /// Reason, visible to the customer.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "trial of single sign-on agreed in SUP-4100", max_length = 1000)
    )]
    pub reason: String,
    /// Expiry of the override; null if it does not expire.
    pub expires_at: Option<DateTime<Utc>>,
}

/// State of a feature for an org. Precedence: override, then plan, then default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Feature {
    pub key: FeatureKey,
    /// Whether the feature is enabled.
    pub enabled: bool,
    pub decided_by: DecidedBy,
    /// Active override; null if there is none.
    #[serde(rename = "override")]
    pub overridden: Option<Override>,
    /// Whether the plan includes the feature.
    pub in_plan: bool,
    pub plan: Plan,
    /// State if there is no override and the plan does not include the feature.
    pub default: bool,
}

string_enum! {
    /// Source of a feature's state.
    DecidedBy {
        /// Override for this org.
        Override = "override",
        /// The org's plan.
        Plan = "plan",
        /// The default: there is no override, and the plan does not include the feature.
        Default = "default",
    }
}

string_enum_schema!(FeatureKey, DecidedBy);

impl Feature {
    /// Features are disabled unless an override or the plan enables them.
    const DEFAULT: bool = false;

    #[must_use]
    pub fn decide(key: FeatureKey, plan: Plan, overrides: &[Override], now: DateTime<Utc>) -> Self {
        let in_force = |o: &&Override| o.key == key && o.expires_at.is_none_or(|end| now < end);
        let overridden = overrides.iter().find(in_force).cloned();
        let in_plan = key.is_in(plan);
        let (enabled, decided_by) = match &overridden {
            Some(o) => (o.enabled, DecidedBy::Override),
            None if in_plan => (true, DecidedBy::Plan),
            None => (Self::DEFAULT, DecidedBy::Default),
        };
        Self { key, enabled, decided_by, overridden, in_plan, plan, default: Self::DEFAULT }
    }

    /// States of all features, in the order of [`FeatureKey::ALL`].
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
    fn override_takes_precedence_until_it_expires() {
        let start = DateTime::UNIX_EPOCH;
        let end = start + TimeDelta::days(1);
        let sso = |enabled| Override {
            key: FeatureKey::Sso,
            enabled,
            reason: "agreed".into(),
            expires_at: Some(end),
        };

        let on = Feature::decide(FeatureKey::Sso, Plan::Starter, &[sso(true)], start);
        assert_eq!(
            (on.enabled, on.decided_by),
            (true, DecidedBy::Override),
            "an override enables a feature outside the plan"
        );
        let expired = Feature::decide(FeatureKey::Sso, Plan::Starter, &[sso(true)], end);
        assert_eq!(
            (expired.enabled, expired.decided_by),
            (false, DecidedBy::Default),
            "an expired override has no effect"
        );
        let off = Feature::decide(FeatureKey::Sso, Plan::Enterprise, &[sso(false)], start);
        assert_eq!(
            (off.enabled, off.decided_by, off.in_plan),
            (false, DecidedBy::Override, true),
            "an override disables a feature of the plan"
        );
        let plan = Feature::decide(FeatureKey::Sso, Plan::Enterprise, &[], start);
        assert_eq!(
            (plan.enabled, plan.decided_by),
            (true, DecidedBy::Plan),
            "without an override the plan decides"
        );
    }
}
