//! `change_password`: accepted passwords, ended sessions, rate limit.

use chrono::TimeDelta;
use futures_util::future::{join, join_all};
use postern_tests::{App, PASSWORD, on_both};
use serde_json::json;

on_both![
    changing_the_password_ends_other_sessions,
    password_change_ends_concurrent_sign_ins,
    weak_new_passwords_are_rejected,
    password_change_attempts_are_rate_limited,
];

async fn changing_the_password_ends_other_sessions(t: &App) {
    let (current, other) =
        (t.sign_in("viewer@acme.example").await, t.sign_in("viewer@acme.example").await);
    let change =
        |current: &str, new: &str| json!({ "current_password": current, "new_password": new });
    let new = "four random words do";
    current
        .post("/v1/me/password", change("not the password", new))
        .await
        .problem(403, "wrong_password");
    other.get("/v1/me").await.expect(200);
    current.post("/v1/me/password", change(PASSWORD, new)).await.expect(204);
    current.get("/v1/me").await.expect(200);
    other.get("/v1/me").await.problem(401, "session_ended");
    t.log_in("viewer@acme.example", PASSWORD).await.problem(401, "invalid_credentials");
    t.log_in("viewer@acme.example", new).await.expect(200);
    assert_eq!(t.recorded("user.password_changed").await, 1, "the change is recorded once");
}

async fn password_change_ends_concurrent_sign_ins(t: &App) {
    let (mut old, mut new) = (PASSWORD.to_owned(), "four random words do".to_owned());
    for round in 0..10 {
        let token = t.log_in("viewer@acme.example", &old).await.expect(200).text("/access_token");
        let me = t.bearer(&token);
        let change =
            me.post("/v1/me/password", json!({ "current_password": old, "new_password": new }));
        let sign_ins = join_all((0..12).map(|_| t.log_in("viewer@acme.example", &old)));
        let (changed, sign_ins) = join(change, sign_ins).await;
        changed.expect(204);
        for response in sign_ins.iter().filter(|response| response.status == 200) {
            let status = t.bearer(&response.text("/access_token")).get("/v1/me").await.status;
            assert_eq!(status, 401, "round {round}: sessions of the old password have ended");
        }
        std::mem::swap(&mut old, &mut new);
        // Failed sign-ins of this round do not count in the next.
        t.clock.advance(TimeDelta::hours(2));
    }
}

async fn weak_new_passwords_are_rejected(t: &App) {
    let me = t.sign_in("viewer@acme.example").await;
    for weak in ["short", "password1234", "viewer@acme.example", "postern-1234!!", &"x".repeat(129)]
    {
        let body = json!({ "current_password": PASSWORD, "new_password": weak });
        me.post("/v1/me/password", body).await.problem(422, "weak_password");
    }
    assert_eq!(t.recorded("user.password_changed").await, 0, "no change is recorded");
}

async fn password_change_attempts_are_rate_limited(t: &App) {
    let me = t.sign_in("viewer@acme.example").await;
    let guess = |n: usize| {
        let body = json!({
            "current_password": format!("guess number {n}"),
            "new_password": "four random words do",
        });
        me.post("/v1/me/password", body)
    };
    for n in 0..10 {
        guess(n).await.problem(403, "wrong_password");
    }
    guess(10).await.problem(429, "too_many_attempts");
    let failed = t.events("action=auth.login_failed").await;
    assert_eq!(failed.len(), 10, "each wrong password is recorded");
    assert_eq!(failed[0]["actor"]["email"], "viewer@acme.example", "the event names the user");
    assert_eq!(failed[0]["outcome"], "failed", "the outcome is failed");
}
