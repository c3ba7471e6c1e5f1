use postern_domain::{
    action::Action,
    event::{EventDraft, Target, TargetType},
    org::Org,
    user::User,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::{
    http::{Answer, Call, Filter, Query, ok, rules},
    operations::op::{self, SearchAccounts},
};

/// At most so many of each kind: whoever needs more should ask more closely.
const MOST: u64 = 25;

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SearchQuery {
    /// A user's or an org's id, or a part of an e-mail address, a name or a slug.
    #[param(min_length = 2, max_length = 100, example = "acme")]
    #[validate(custom(function = "rules::search"))]
    q: String,
}

impl Filter for SearchQuery {
    const NAMES: &'static [&'static str] = &["q"];
}

/// What was found; at most 25 of each kind.
#[derive(Serialize, ToSchema)]
pub struct FoundView {
    /// The people found.
    #[schema(max_items = 25)]
    users: Vec<User>,
    /// The orgs found.
    #[schema(max_items = 25)]
    orgs: Vec<Org>,
}

/// Find an account.
///
/// By id, or by a part of an e-mail address, a name or a slug. What was searched for and how much was found is recorded.
#[utoipa::path(get, path = "/v1/admin/search", tag = "support", impl_for = SearchAccounts, params(SearchQuery), responses(
    (status = 200, description = "What was found.", body = FoundView)
))]
pub async fn search_accounts(
    call: Call<op::SearchAccounts>,
    query: Query<SearchQuery>,
) -> Answer<FoundView> {
    let q = query.0.q.trim().to_owned();
    let mut work = call.begin();
    let found = work.accounts().search(&q, MOST).await?;
    let hits = found.users.len() + found.orgs.len();
    let target = Target { kind: TargetType::Search, id: None, label: q.clone() };
    let draft = EventDraft::new(
        Action::SearchPerformed,
        target,
        format!("searched for “{q}” and found {hits}"),
    )
    .with_metadata("query", &q)
    .with_metadata("hits", hits);
    work.record(draft).await?;
    work.commit(ok(FoundView { users: found.users, orgs: found.orgs })).await
}
