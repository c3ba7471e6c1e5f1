//! Tiles of hashes and entries of the transparency log.

use postern_tests::{App, Person, on_both};
use postern_tlog::{Bundle, Checkpoint, Frontier, Hash, Note};

use super::{checkpoint, record_actions};

on_both![tiles_and_entries_match_the_checkpoint, missing_tiles_are_not_found,];

/// Current checkpoint of acme's log.
async fn tree(owner: &Person<'_>) -> Checkpoint {
    Checkpoint::of(&Note::parse(&checkpoint(owner).await).expect("the note is valid"))
        .expect("the checkpoint is valid")
}

/// Content of a tile of acme's log.
async fn tile(owner: &Person<'_>, path: &str) -> Vec<u8> {
    let request = owner.request("GET", &format!("/v1/orgs/acme/audit-log/tile/{path}"));
    let response = request.send().await.expect("the server responds");
    response.bytes().await.expect("the body arrives").to_vec()
}

async fn tiles_and_entries_match_the_checkpoint(t: &App) {
    let owner = record_actions(t).await;
    let tree = tree(&owner).await;
    let hashes: Vec<Hash> = tile(&owner, &format!("0/000.p/{}", tree.size))
        .await
        .chunks(32)
        .map(|hash| Hash(hash.try_into().expect("a hash has 32 bytes")))
        .collect();
    let mut frontier = Frontier::default();
    for hash in &hashes {
        frontier.append(*hash);
    }
    assert_eq!(
        (frontier.size(), frontier.root()),
        (tree.size, tree.root),
        "the hashes of the tile give the root of the checkpoint"
    );
    assert_eq!(
        tile(&owner, &format!("0/000.p%2F{}", tree.size)).await.len() as u64,
        32 * tree.size,
        "escaped slashes in the path are accepted"
    );
    let packed = tile(&owner, &format!("entries/000.p/{}", tree.size)).await;
    let entries = Bundle::unpack(&packed).expect("the bundle is valid");
    assert_eq!(
        entries.iter().map(|entry| Hash::of_leaf(entry)).collect::<Vec<_>>(),
        hashes,
        "the hashes of the entries equal those of the tile"
    );
    assert!(
        entries.iter().all(|entry| !String::from_utf8_lossy(entry).contains("acme.example")),
        "entries contain no personal data"
    );
}

async fn missing_tiles_are_not_found(t: &App) {
    let owner = record_actions(t).await;
    let beyond = tree(&owner).await.size + 1;
    for missing in [
        format!("0/000.p/{beyond}"),
        "0/000".to_owned(),
        "0/001".to_owned(),
        "1/000.p/1".to_owned(),
        "9/000".to_owned(),
        "0/0".to_owned(),
        "0/000.p/256".to_owned(),
        "0/x001".to_owned(),
        format!("entries/000.p/{beyond}"),
        "entries/001".to_owned(),
        "-1/000".to_owned(),
        "0/x999/x999/x999/x999/x999/x999/999".to_owned(),
        "entries/x999/x999/x999/x999/x999/x999/999".to_owned(),
    ] {
        owner
            .get(&format!("/v1/orgs/acme/audit-log/tile/{missing}"))
            .await
            .problem(404, "not_found");
    }
    assert_eq!(t.recorded("permission.denied").await, 0, "missing tiles are not denials");
}
