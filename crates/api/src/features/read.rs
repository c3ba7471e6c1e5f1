use postern_domain::feature::{Feature, FeatureKey};
use serde::Serialize;
use utoipa::{
    ToSchema,
    openapi::{Ref, RefOr, Schema},
};

use crate::{
    http::{Call, HandlerResult, Key, PathKey, ok},
    operations::op::{self, ListFeatures, ReadFeature},
};

/// All features of an org.
#[derive(Serialize, ToSchema)]
pub struct FeaturesView {
    /// Features, in a fixed order.
    data: Vec<Feature>,
}

/// List features.
///
/// Returns every feature, whether it is enabled for this org, and the source of that decision.
/// Precedence: override, then plan, then default.
#[utoipa::path(
    get, path = "/v1/orgs/{org}/features", tag = "settings", impl_for = ListFeatures, responses(
    (status = 200, description = "All features.", body = FeaturesView)
))]
pub async fn list_features(call: Call<op::ListFeatures>) -> HandlerResult<FeaturesView> {
    let overrides = call.features().overrides().await?;
    Ok(ok(FeaturesView {
        data: Feature::decide_all(call.grant().context().org.plan, &overrides, call.context().now),
    }))
}

/// Get a feature.
///
/// Returns whether the feature is enabled for this org, and the override, plan and default that
/// decide it.
#[utoipa::path(
    get, path = "/v1/orgs/{org}/features/{key}", tag = "settings", impl_for = ReadFeature,
    responses(
    (status = 200, description = "The feature.", body = Feature)
))]
pub async fn read_feature(
    call: Call<op::ReadFeature>,
    Key(key): Key<FeatureKey>,
) -> HandlerResult<Feature> {
    let overrides = call.features().overrides().await?;
    Ok(ok(Feature::decide(key, call.grant().context().org.plan, &overrides, call.context().now)))
}

impl PathKey for FeatureKey {
    const NAME: &'static str = "key";
    const DESCRIPTION: &'static str = "Key of the feature.";

    fn schema() -> RefOr<Schema> {
        Ref::from_schema_name(<Self as ToSchema>::name()).into()
    }

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}
