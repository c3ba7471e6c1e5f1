//! The Merkle log itself, as any client of C2SP `tlog-tiles` reads it: an org's, and the platform's own.

use postern_domain::{Id, event::Event, id::EventId};
use postern_persistence::repository::{events::Events, log::Log};
use postern_tlog::{Bundle, ProofFile, Tile};
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;

use crate::{
    http::{Call, Download, Filter, FromInput, Input, Problem, Query},
    operations::op::{
        self, ReadLogCheckpoint, ReadLogEntries, ReadLogKeys, ReadLogProof, ReadLogTile,
        ReadPlatformLogCheckpoint, ReadPlatformLogEntries, ReadPlatformLogKeys,
        ReadPlatformLogProof, ReadPlatformLogTile,
    },
};

/// A tile of hashes by its path. What is no path of a tile is a tile that is not there.
pub struct TilePath(Option<Tile>);

impl FromInput for TilePath {
    fn from_input(input: &Input) -> Result<Self, Problem> {
        let path = |name| input.request.match_info().query(name).replace("%2F", "/");
        Ok(Self(Tile::parse(&format!("tile/{}/{}", path("level"), path("tile"))).ok()))
    }
}

/// A bundle of entries by its path.
pub struct BundlePath(Option<Bundle>);

impl FromInput for BundlePath {
    fn from_input(input: &Input) -> Result<Self, Problem> {
        let path = input.request.match_info().query("tile").replace("%2F", "/");
        Ok(Self(Bundle::parse(&format!("tile/entries/{path}")).ok()))
    }
}

/// Which event is to be proved.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct OfEvent {
    /// The event, by id.
    #[param(value_type = EventId)]
    event: Id<Event>,
}

impl Filter for OfEvent {
    const NAMES: &'static [&'static str] = &["event"];
}

/// Read the newest checkpoint of the log.
///
/// A signed note (C2SP `tlog-checkpoint`): the name of the log, how many entries it has, and the root of the Merkle tree over them. Keep it
/// somewhere else: whatever comes later must begin with what it speaks of.
#[utoipa::path(get, path = "/v1/orgs/{org}/audit-log/checkpoint", tag = "audit", impl_for = ReadLogCheckpoint, responses(
    (status = 200, description = "The checkpoint.", body = String, content_type = "text/plain")
))]
pub async fn read_log_checkpoint(call: Call<op::ReadLogCheckpoint>) -> Result<Download, Problem> {
    Ok(Download::text(call.log().head().await?.note))
}

/// Read the keys that the log is signed with.
///
/// One line each, as C2SP `signed-note` writes verifier keys. Compare them with what the vendor has published elsewhere.
#[utoipa::path(get, path = "/v1/orgs/{org}/audit-log/keys", tag = "audit", impl_for = ReadLogKeys, responses(
    (status = 200, description = "The keys.", body = String, content_type = "text/plain")
))]
pub async fn read_log_keys(call: Call<op::ReadLogKeys>) -> Result<Download, Problem> {
    keys(&call.log())
}

/// Read a tile of the log.
///
/// Up to 256 hashes of 32 bytes each (C2SP `tlog-tiles`). The tile is a number in groups of three digits, all but the last behind an `x`, as
/// in `x001/067`, and the width of one that is not whole, as in `000.p/12`. Slashes may be sent as `%2F`.
#[utoipa::path(get, path = "/v1/orgs/{org}/audit-log/tile/{level}/{tile}", tag = "audit", impl_for = ReadLogTile, responses(
    (status = 200, description = "The hashes.", body = String, content_type = "application/octet-stream")
))]
pub async fn read_log_tile(
    call: Call<op::ReadLogTile>,
    tile: TilePath,
) -> Result<Download, Problem> {
    hashes(&call.log(), tile).await
}

/// Read a bundle of the log's entries.
///
/// Up to 256 entries, each behind its length in two bytes (C2SP `tlog-tiles`). An entry says what is about nobody, and commits to the rest.
/// Entries whose time is over are no longer there.
#[utoipa::path(get, path = "/v1/orgs/{org}/audit-log/tile/entries/{tile}", tag = "audit", impl_for = ReadLogEntries, responses(
    (status = 200, description = "The entries.", body = String, content_type = "application/octet-stream")
))]
pub async fn read_log_entries(
    call: Call<op::ReadLogEntries>,
    bundle: BundlePath,
) -> Result<Download, Problem> {
    entries(&call.log(), &call.events(), bundle).await
}

/// Prove that an event is in the log.
///
/// A file (C2SP `tlog-proof@v1`) with the number of the entry, the hashes that lead from it to the root, and the checkpoint that has that
/// root. Not found as long as the event waits for its place.
#[utoipa::path(get, path = "/v1/orgs/{org}/audit-log/proof", tag = "audit", impl_for = ReadLogProof, params(OfEvent), responses(
    (status = 200, description = "The proof.", body = String, content_type = "text/plain")
))]
pub async fn read_log_proof(
    call: Call<op::ReadLogProof>,
    of: Query<OfEvent>,
) -> Result<Download, Problem> {
    match proof(&call.log(), of.0.event).await? {
        Some(proof) => Ok(proof),
        None if call.events().has(of.0.event).await? => Err(Problem::not_there_now()),
        None => Err(Problem::not_found()),
    }
}

/// Read the newest checkpoint of the platform's own log.
///
/// As for an org's.
#[utoipa::path(get, path = "/v1/admin/audit-log/checkpoint", tag = "support", impl_for = ReadPlatformLogCheckpoint, responses(
    (status = 200, description = "The checkpoint.", body = String, content_type = "text/plain")
))]
pub async fn read_platform_log_checkpoint(
    call: Call<op::ReadPlatformLogCheckpoint>,
) -> Result<Download, Problem> {
    Ok(Download::text(call.log(None).head().await?.note))
}

/// Read the keys that the platform's own log is signed with.
///
/// As for an org's.
#[utoipa::path(get, path = "/v1/admin/audit-log/keys", tag = "support", impl_for = ReadPlatformLogKeys, responses(
    (status = 200, description = "The keys.", body = String, content_type = "text/plain")
))]
pub async fn read_platform_log_keys(
    call: Call<op::ReadPlatformLogKeys>,
) -> Result<Download, Problem> {
    keys(&call.log(None))
}

/// Read a tile of the platform's own log.
///
/// As of an org's.
#[utoipa::path(get, path = "/v1/admin/audit-log/tile/{level}/{tile}", tag = "support", impl_for = ReadPlatformLogTile, responses(
    (status = 200, description = "The hashes.", body = String, content_type = "application/octet-stream")
))]
pub async fn read_platform_log_tile(
    call: Call<op::ReadPlatformLogTile>,
    tile: TilePath,
) -> Result<Download, Problem> {
    hashes(&call.log(None), tile).await
}

/// Read a bundle of the entries of the platform's own log.
///
/// As of an org's.
#[utoipa::path(get, path = "/v1/admin/audit-log/tile/entries/{tile}", tag = "support", impl_for = ReadPlatformLogEntries, responses(
    (status = 200, description = "The entries.", body = String, content_type = "application/octet-stream")
))]
pub async fn read_platform_log_entries(
    call: Call<op::ReadPlatformLogEntries>,
    bundle: BundlePath,
) -> Result<Download, Problem> {
    entries(&call.log(None), &call.events(), bundle).await
}

/// Prove that an event is in the platform's own log.
///
/// As for an org's.
#[utoipa::path(get, path = "/v1/admin/audit-log/proof", tag = "support", impl_for = ReadPlatformLogProof, params(OfEvent), responses(
    (status = 200, description = "The proof.", body = String, content_type = "text/plain"),
    (status = 404, description = "`not_found`: the log has no such event, or not yet.")
))]
pub async fn read_platform_log_proof(
    call: Call<op::ReadPlatformLogProof>,
    of: Query<OfEvent>,
) -> Result<Download, Problem> {
    proof(&call.log(None), of.0.event).await?.ok_or_else(Problem::not_found)
}

fn keys(log: &Log<'_>) -> Result<Download, Problem> {
    Ok(Download::text(log.keys()?.iter().flat_map(|key| [key, "\n"]).collect()))
}

async fn hashes(log: &Log<'_>, TilePath(tile): TilePath) -> Result<Download, Problem> {
    let hashes = log
        .tile(tile.ok_or_else(Problem::not_there_now)?)
        .await?
        .ok_or_else(Problem::not_there_now)?;
    Ok(Download::bytes(hashes.iter().flat_map(|hash| hash.0).collect()))
}

async fn entries(
    log: &Log<'_>,
    events: &Events<'_>,
    BundlePath(bundle): BundlePath,
) -> Result<Download, Problem> {
    let Bundle { index, width } = bundle.ok_or_else(Problem::not_there_now)?;
    let tile = Tile { level: 0, index, width };
    // A log that is damaged has fewer, and one that is not as long has none.
    let there = log.tile(tile).await?.is_some();
    let leaves = if there { log.leaves(index * 256, width.into()).await? } else { Vec::new() };
    let entries = events
        .entries(&leaves)
        .await?
        .filter(|entries| !entries.is_empty())
        .ok_or_else(Problem::not_there_now)?;
    let packed =
        Bundle::pack(entries.iter().map(Vec::as_slice)).expect("an entry has some hundred bytes");
    Ok(Download::bytes(packed))
}

async fn proof(log: &Log<'_>, event: EventId) -> Result<Option<Download>, Problem> {
    let Some((index, _)) = log.leaf_of(event).await? else { return Ok(None) };
    let head = log.head().await?;
    let hashes = log.inclusion(index, head.size).await?;
    Ok(hashes
        .map(|hashes| Download::text(ProofFile { index, hashes, checkpoint: head.note }.to_text())))
}
