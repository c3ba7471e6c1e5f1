//! `revoke_my_session`.

use postern_tests::{App, on_both};

on_both![session_is_revoked_once, session_of_another_user_is_not_found];

async fn session_is_revoked_once(t: &App) {
    let (current, other) =
        (t.sign_in("member@acme.example").await, t.sign_in("member@acme.example").await);
    let newest = current.get("/v1/me/sessions").await.expect(200).text("/data/0/id");
    current.delete(&format!("/v1/me/sessions/{newest}")).await.expect(204);
    current.delete(&format!("/v1/me/sessions/{newest}")).await.expect(204);
    other.get("/v1/me").await.problem(401, "session_ended");
    current.get("/v1/me").await.expect(200);
    assert_eq!(t.recorded("auth.session_revoked").await, 1, "the revocation is recorded once");
}

async fn session_of_another_user_is_not_found(t: &App) {
    let current = t.sign_in("member@acme.example").await;
    let session = current.get("/v1/me/sessions").await.expect(200).text("/data/0/id");
    let other_user = t.sign_in("member@globex.example").await;
    other_user.delete(&format!("/v1/me/sessions/{session}")).await.problem(404, "not_found");
    current.get("/v1/me").await.expect(200);
}
