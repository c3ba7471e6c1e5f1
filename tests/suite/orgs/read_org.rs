//! `read_org` and the other reads of an org: the same 404 for non-members as for random ids.

use postern_tests::{App, on_both};
use serde_json::json;

on_both![non_members_get_the_same_404_as_for_random_orgs, members_of_other_orgs_are_not_found,];

async fn non_members_get_the_same_404_as_for_random_orgs(t: &App) {
    let non_member = t.sign_in("owner@globex.example").await;
    let owner = t.sign_in("owner@acme.example").await;
    let org = owner.get("/v1/orgs/acme").await.expect(200).text("/id");
    let random_id = "org_01k7fgpr00e00800000000000g";
    for rest in
        ["", "/dashboard", "/members", "/settings", "/features", "/audit-events", "/impersonations"]
    {
        let by_id =
            non_member.get(&format!("/v1/orgs/{org}{rest}")).await.problem(404, "not_found");
        let by_slug =
            non_member.get(&format!("/v1/orgs/acme{rest}")).await.problem(404, "not_found");
        let random =
            non_member.get(&format!("/v1/orgs/{random_id}{rest}")).await.problem(404, "not_found");
        assert_eq!(
            by_id.without_request_id(),
            random.without_request_id(),
            "by id, {rest:?} returns the same 404 as for a random org"
        );
        assert_eq!(
            by_slug.without_request_id(),
            random.without_request_id(),
            "by slug, {rest:?} returns the same 404 as for a random org"
        );
    }
}

async fn members_of_other_orgs_are_not_found(t: &App) {
    let non_member = t.sign_in("owner@globex.example").await;
    let member = t.member_id("acme", "member@acme.example").await;
    let existing = non_member
        .get(&format!("/v1/orgs/globex/members/{member}"))
        .await
        .problem(404, "not_found");
    let random = non_member
        .get("/v1/orgs/globex/members/mem_01k7fgpr00e00800000000000g")
        .await
        .problem(404, "not_found");
    assert_eq!(
        existing.without_request_id(),
        random.without_request_id(),
        "a member of another org gets the same 404 as a random member"
    );
    non_member
        .patch(&format!("/v1/orgs/acme/members/{member}"), json!({ "role": "nonsense" }))
        .await
        .problem(404, "not_found");
    // Each attempt is recorded, whether or not the id exists.
    assert_eq!(t.recorded("permission.denied").await, 3, "each denial is recorded");
    let denied = &t.events("action=permission.denied").await[0];
    assert_eq!(
        denied["org"],
        json!(null),
        "attempts of non-members are not recorded in the org's log"
    );
    assert_eq!(denied["actor"]["email"], "owner@globex.example", "the denial names the caller");
}
