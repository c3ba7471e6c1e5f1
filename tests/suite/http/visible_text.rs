//! Names and reasons: characters that show nothing, reorder text or join letters.

use postern_tests::{App, on_both};
use serde_json::json;

on_both![
    correct_spellings_are_accepted,
    deceptive_characters_are_named,
    names_are_normalized,
    empty_looking_reasons_start_no_impersonation,
];

async fn correct_spellings_are_accepted(t: &App) {
    let me = t.sign_in("owner@acme.example").await;
    for name in [
        "می\u{200c}خواهم",
        "خانه\u{200c}ها",
        "क\u{94d}\u{200d}ष",
        "ශ\u{dca}\u{200d}රී",
        "র\u{200d}\u{9cd}যাব",
        "Team 👨\u{200d}👩\u{200d}👧\u{200d}👦",
        "Rescue 🧑🏽\u{200d}🚒",
        "Heart ❤\u{fe0f}",
        "Scotland 🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
        "辻\u{e0100} 太郎",
        "山田\u{3000}太郎",
        "שָׁלוֹם",
        "ᠮᠣᠩᠭᠣᠯ",
        "0",
    ] {
        let changed = me.patch("/v1/me", json!({ "name": name })).await.expect(200);
        assert_eq!(changed.json["name"], name, "the name is stored unchanged");
    }
}

async fn deceptive_characters_are_named(t: &App) {
    let me = t.sign_in("owner@acme.example").await;
    for (name, expected) in [
        ("Ana \u{202e}atsoC", "U+202E RIGHT-TO-LEFT OVERRIDE at position 5"),
        ("Ana\u{200b}Costa", "U+200B ZERO WIDTH SPACE at position 4"),
        ("Ana\u{ad}Costa", "U+00AD SOFT HYPHEN at position 4"),
        ("Ana\u{200d}Costa", "U+200D ZERO WIDTH JOINER at position 4"),
        ("Ana\u{200c}Costa", "U+200C ZERO WIDTH NON-JOINER at position 4"),
        ("Ana\u{fe0f}", "U+FE0F VARIATION SELECTOR-16 at position 4"),
        ("Ana\u{e0041}", "U+E0041 (tag character) at position 4"),
        ("\u{3164}\u{3164}", "U+3164 HANGUL FILLER at position 1"),
        ("a\u{115f}", "U+115F HANGUL CHOSEONG FILLER at position 2"),
        ("\u{301}", "U+0301 (combining mark without a letter) at position 1"),
        ("a \u{301}", "U+0301 (combining mark without a letter) at position 3"),
        ("a\nb", "U+000A LINE FEED at position 2"),
        ("a\u{2028}b", "U+2028 LINE SEPARATOR at position 2"),
        ("a\u{e000}", "U+E000 (private-use character) at position 2"),
        ("a\u{fdd0}", "U+FDD0 (unassigned character) at position 2"),
    ] {
        let response =
            me.patch("/v1/me", json!({ "name": name })).await.problem(422, "invalid_body");
        let detail = response.text("/errors/0/detail");
        assert!(detail.contains(expected), "{name:?}: the detail names the character: {detail}");
        assert_eq!(response.text("/errors/0/pointer"), "/name", "the field is named");
    }
    for blank in ["\u{2800}", "\u{2800}\u{a0}\u{2800}", "   ", ""] {
        me.patch("/v1/me", json!({ "name": blank })).await.problem(422, "invalid_body");
    }
    assert_eq!(t.recorded("user.profile_updated").await, 0, "nothing is changed");
}

async fn names_are_normalized(t: &App) {
    let me = t.sign_in("owner@acme.example").await;
    for (typed, stored) in [("E\u{301}lan", "Élan"), ("  Ana  ", "Ana")] {
        let changed = me.patch("/v1/me", json!({ "name": typed })).await.expect(200);
        assert_eq!(changed.json["name"], stored, "{typed:?} is stored in one form");
    }
    let renamed = me.patch("/v1/orgs/acme", json!({ "name": "E\u{301}lan " })).await.expect(200);
    assert_eq!(renamed.json["name"], "Élan", "the name of an org as well");
    let body = json!({ "name": " E\u{301}lan", "slug": "elan" });
    let created = me.post("/v1/orgs", body).await.expect(201);
    assert_eq!(created.json["name"], "Élan", "the name of a new org as well");
}

async fn empty_looking_reasons_start_no_impersonation(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let body = |reason: &str| {
        json!({ "org": "acme", "reason": reason, "ticket_ref": "SUP-4312",
                "target_user_id": "user_01k7fgpr00e00800000000000g" })
    };
    for (reason, expected) in [
        ("\u{3164}".repeat(20), "U+3164 HANGUL FILLER at position 1"),
        ("\u{2800}".repeat(20), "15 to 500 characters"),
        (format!("a{}bcdefghi", " ".repeat(20)), "15 to 500 characters"),
        ("cannot open \u{202e}reports".to_owned(), "U+202E RIGHT-TO-LEFT OVERRIDE at position 13"),
    ] {
        let response = support
            .post("/v1/admin/impersonations", body(&reason))
            .await
            .problem(422, "invalid_body");
        let detail = response.text("/errors/0/detail");
        assert!(detail.contains(expected), "{reason:?}: {detail}");
        assert_eq!(response.text("/errors/0/pointer"), "/reason", "the field is named");
    }
}
