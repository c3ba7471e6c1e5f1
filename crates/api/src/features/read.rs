use postern_domain::feature::{Feature, FeatureKey};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    http::{Answer, Call, Problem, Word, ok},
    operations::op::{self, ListFeatures, ReadFeature},
};

/// All features there are.
#[derive(Serialize, ToSchema)]
pub struct FeaturesView {
    /// All of them.
    data: Vec<Feature>,
}

/// List features.
///
/// Every feature there is, whether it is on for this org, and why: the first of override, plan and default that speaks.
#[utoipa::path(get, path = "/v1/orgs/{org}/features", tag = "settings", impl_for = ListFeatures, responses(
    (status = 200, description = "All features.", body = FeaturesView)
))]
pub async fn list_features(call: Call<op::ListFeatures>) -> Answer<FeaturesView> {
    let overrides = call.features().overrides().await?;
    Ok(ok(FeaturesView {
        data: Feature::decide_all(call.grant().context().org.plan, &overrides, call.context().now),
    }))
}

/// Read a feature.
///
/// Whether it is on for this org, and the chain that decided it.
#[utoipa::path(get, path = "/v1/orgs/{org}/features/{key}", tag = "settings", impl_for = ReadFeature, responses(
    (status = 200, description = "The feature.", body = Feature)
))]
pub async fn read_feature(call: Call<op::ReadFeature>, key: Word) -> Answer<Feature> {
    let key = FeatureKey::parse(&key.0).ok_or_else(Problem::not_found)?;
    let overrides = call.features().overrides().await?;
    Ok(ok(Feature::decide(key, call.grant().context().org.plan, &overrides, call.context().now)))
}
