use postern_domain::{access, org::Org, user::User};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::{
    http::{Call, HandlerResult, Query, ok, rules},
    operations::op::{self, SearchAccounts},
};

/// Maximum number of users, and of orgs, in a response.
const MAX_RESULTS: u64 = 25;

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SearchQuery {
    /// ID of a user or an org, or text contained in an e-mail address, name or slug.
    #[param(min_length = 2, max_length = 100, example = "acme")]
    #[validate(custom(function = "rules::search"))]
    q: String,
}

/// Search results: at most 25 users and 25 orgs.
#[derive(Serialize, ToSchema)]
pub struct SearchResults {
    /// Matching users.
    #[schema(max_items = 25)]
    users: Vec<User>,
    /// Matching orgs.
    #[schema(max_items = 25)]
    orgs: Vec<Org>,
}

/// Search accounts.
///
/// Returns at most 25 users and 25 orgs with the given ID, or with the given text in their e-mail
/// address, name or slug. The search text and the number of results are audited.
#[utoipa::path(
    get, path = "/v1/admin/search", tag = "accounts", impl_for = SearchAccounts, responses(
    (status = 200, description = "Search results.", body = SearchResults)
))]
pub async fn search_accounts(
    call: Call<op::SearchAccounts>,
    query: Query<SearchQuery>,
) -> HandlerResult<SearchResults> {
    let q = query.0.q;
    let mut work = call.begin();
    let results = work.accounts().search(&q, MAX_RESULTS).await?;
    let hits = results.users.len() + results.orgs.len();
    work.record(access::accounts_searched(&q, hits)).await?;
    work.commit(ok(SearchResults { users: results.users, orgs: results.orgs })).await
}
