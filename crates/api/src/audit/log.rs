//! Transparency logs of orgs and of the platform, served as specified by C2SP `tlog-tiles`.

use postern_domain::id::EventId;
use postern_persistence::repository::{events::Events, log::Log};
use postern_tlog::{Bundle, ProofFile, Tile};
use serde::Deserialize;
use utoipa::{IntoParams, openapi::path::Parameter};
use validator::Validate;

use crate::{
    http::{Call, Download, FromInput, Input, Problem, Query, path},
    operations::op::{
        self, ReadLogCheckpoint, ReadLogEntries, ReadLogKeys, ReadLogProof, ReadLogTile,
        ReadPlatformLogCheckpoint, ReadPlatformLogEntries, ReadPlatformLogKeys,
        ReadPlatformLogProof, ReadPlatformLogTile,
    },
};

/// Path of a tile of hashes. `None` if it is malformed, which is handled as a missing tile.
pub struct TilePath(Option<Tile>);

impl FromInput for TilePath {
    fn parameters() -> Vec<Parameter> {
        let description = "Level of the tile; level 0 has the hashes of the entries.";
        let level = path::parameter("level", description, path::text(1, Some("^[0-7]$"), "0"));
        vec![level, tile_parameter()]
    }

    fn from_input(input: &Input) -> Result<Self, Problem> {
        let path = |name| input.request.match_info().query(name).replace("%2F", "/");
        Ok(Self(Tile::parse(&format!("tile/{}/{}", path("level"), path("tile"))).ok()))
    }
}

fn tile_parameter() -> Parameter {
    let pattern = "^(x[0-9]{3}/)*[0-9]{3}(\\.p/[0-9]{1,3})?$";
    let schema = path::text(40, Some(pattern), "000.p/1");
    path::parameter("tile", "Index of the tile. A partial tile has its width as a suffix.", schema)
}

/// Path of a bundle of entries. `None` if it is malformed.
pub struct BundlePath(Option<Bundle>);

impl FromInput for BundlePath {
    fn parameters() -> Vec<Parameter> {
        vec![tile_parameter()]
    }

    fn from_input(input: &Input) -> Result<Self, Problem> {
        let path = input.request.match_info().query("tile").replace("%2F", "/");
        Ok(Self(Bundle::parse(&format!("tile/entries/{path}")).ok()))
    }
}

/// Query parameters of the proof operations.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OfEvent {
    /// ID of the event to prove.
    #[param(value_type = EventId)]
    event: EventId,
}

/// Get the latest checkpoint of an org's audit log.
///
/// Returns a signed note (C2SP `tlog-checkpoint`) with the origin of the log, its number of entries
/// and the root hash of its Merkle tree. Store it outside the vendor's control. Every later
/// checkpoint must be consistent with it.
#[utoipa::path(
    get, path = "/v1/orgs/{org}/audit-log/checkpoint", tag = "transparency-log",
    impl_for = ReadLogCheckpoint, responses(
    (status = 200, description = "The checkpoint.", body = String, content_type = "text/plain")
))]
pub async fn read_log_checkpoint(call: Call<op::ReadLogCheckpoint>) -> Result<Download, Problem> {
    Ok(Download::text(call.log().head().await?.note))
}

/// Get the verifier keys of an org's audit log.
///
/// Returns one verifier key per line (C2SP `signed-note`). Compare them with the keys that the
/// vendor publishes elsewhere.
#[utoipa::path(
    get, path = "/v1/orgs/{org}/audit-log/keys", tag = "transparency-log", impl_for = ReadLogKeys,
    responses(
    (status = 200, description = "The keys.", body = String, content_type = "text/plain")
))]
pub async fn read_log_keys(call: Call<op::ReadLogKeys>) -> Result<Download, Problem> {
    keys(&call.log())
}

/// Get a tile of an org's audit log.
///
/// Returns up to 256 hashes of 32 bytes each (C2SP `tlog-tiles`). `tile` is the index of the tile
/// in groups of three digits, each but the last prefixed with `x` (`x001/067`). A partial tile has
/// its width as a suffix (`000.p/12`). Slashes can be sent as `%2F`. Returns 404 if the log has no
/// such tile.
#[utoipa::path(
    get, path = "/v1/orgs/{org}/audit-log/tile/{level}/{tile}", tag = "transparency-log",
    impl_for = ReadLogTile, responses(
    (status = 200, description = "The hashes.", body = String,
        content_type = "application/octet-stream")
))]
pub async fn read_log_tile(
    call: Call<op::ReadLogTile>,
    tile: TilePath,
) -> Result<Download, Problem> {
    hashes(&call.log(), tile).await
}

/// Get a bundle of entries of an org's audit log.
///
/// Returns up to 256 entries, each prefixed with its length as two bytes, big-endian (C2SP
/// `tlog-tiles`). Entries hold non-personal fields in clear text, and personal fields as salted
/// commitments. Returns 404 if retention has removed any entry of the bundle.
#[utoipa::path(
    get, path = "/v1/orgs/{org}/audit-log/tile/entries/{tile}", tag = "transparency-log",
    impl_for = ReadLogEntries, responses(
    (status = 200, description = "The entries.", body = String,
        content_type = "application/octet-stream")
))]
pub async fn read_log_entries(
    call: Call<op::ReadLogEntries>,
    bundle: BundlePath,
) -> Result<Download, Problem> {
    entries(&call.log(), &call.events(), bundle).await
}

/// Get the inclusion proof of an event in an org's audit log.
///
/// Returns a proof file (C2SP `tlog-proof@v1`) with the index of the entry, the hashes from the
/// entry to the root, and the checkpoint with that root. Returns 404 until the event has been added
/// to the log (normally within a second).
#[utoipa::path(
    get, path = "/v1/orgs/{org}/audit-log/proof", tag = "transparency-log", impl_for = ReadLogProof,
    responses(
    (status = 200, description = "The proof.", body = String, content_type = "text/plain")
))]
pub async fn read_log_proof(
    call: Call<op::ReadLogProof>,
    of: Query<OfEvent>,
) -> Result<Download, Problem> {
    match proof(&call.log(), of.0.event).await? {
        Some(proof) => Ok(proof),
        None if call.events().has(of.0.event).await? => Err(Problem::not_found_yet()),
        None => Err(Problem::not_found()),
    }
}

/// Get the latest checkpoint of the platform log.
///
/// Same response as `read_log_checkpoint`.
#[utoipa::path(
    get, path = "/v1/admin/audit-log/checkpoint", tag = "transparency-log",
    impl_for = ReadPlatformLogCheckpoint, responses(
    (status = 200, description = "The checkpoint.", body = String, content_type = "text/plain")
))]
pub async fn read_platform_log_checkpoint(
    call: Call<op::ReadPlatformLogCheckpoint>,
) -> Result<Download, Problem> {
    Ok(Download::text(call.log(None).head().await?.note))
}

/// Get the verifier keys of the platform log.
///
/// Same response as `read_log_keys`.
#[utoipa::path(
    get, path = "/v1/admin/audit-log/keys", tag = "transparency-log",
    impl_for = ReadPlatformLogKeys, responses(
    (status = 200, description = "The keys.", body = String, content_type = "text/plain")
))]
pub async fn read_platform_log_keys(
    call: Call<op::ReadPlatformLogKeys>,
) -> Result<Download, Problem> {
    keys(&call.log(None))
}

/// Get a tile of the platform log.
///
/// Same parameters and response as `read_log_tile`.
#[utoipa::path(
    get, path = "/v1/admin/audit-log/tile/{level}/{tile}", tag = "transparency-log",
    impl_for = ReadPlatformLogTile, responses(
    (status = 200, description = "The hashes.", body = String,
        content_type = "application/octet-stream")
))]
pub async fn read_platform_log_tile(
    call: Call<op::ReadPlatformLogTile>,
    tile: TilePath,
) -> Result<Download, Problem> {
    hashes(&call.log(None), tile).await
}

/// Get a bundle of entries of the platform log.
///
/// Same parameters and response as `read_log_entries`.
#[utoipa::path(
    get, path = "/v1/admin/audit-log/tile/entries/{tile}", tag = "transparency-log",
    impl_for = ReadPlatformLogEntries, responses(
    (status = 200, description = "The entries.", body = String,
        content_type = "application/octet-stream")
))]
pub async fn read_platform_log_entries(
    call: Call<op::ReadPlatformLogEntries>,
    bundle: BundlePath,
) -> Result<Download, Problem> {
    entries(&call.log(None), &call.events(), bundle).await
}

/// Get the inclusion proof of an event in the platform log.
///
/// Same response as `read_log_proof`.
#[utoipa::path(
    get, path = "/v1/admin/audit-log/proof", tag = "transparency-log",
    impl_for = ReadPlatformLogProof,
    responses(
    (status = 200, description = "The proof.", body = String, content_type = "text/plain"),
    (status = 404,
        description = "`not_found`: the event is not in the log, or has not been added yet.")
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
        .tile(tile.ok_or_else(Problem::not_found_yet)?)
        .await?
        .ok_or_else(Problem::not_found_yet)?;
    Ok(Download::bytes(hashes.iter().flat_map(|hash| hash.0).collect()))
}

async fn entries(
    log: &Log<'_>,
    events: &Events<'_>,
    BundlePath(bundle): BundlePath,
) -> Result<Download, Problem> {
    let Bundle { index, width } = bundle.ok_or_else(Problem::not_found_yet)?;
    let tile = Tile { level: 0, index, width };
    // A damaged log has fewer leaves than the width, and a shorter log has no such tile.
    let has_tile = log.tile(tile).await?.is_some();
    let leaves = if has_tile { log.leaves(index * 256, width.into()).await? } else { Vec::new() };
    let entries = events
        .entries(&leaves)
        .await?
        .filter(|entries| !entries.is_empty())
        .ok_or_else(Problem::not_found_yet)?;
    let packed =
        Bundle::pack(entries.iter().map(Vec::as_slice)).expect("entries are shorter than 64 KiB");
    Ok(Download::bytes(packed))
}

async fn proof(log: &Log<'_>, event: EventId) -> Result<Option<Download>, Problem> {
    let Some((index, _)) = log.leaf_of(event).await? else { return Ok(None) };
    let head = log.head().await?;
    let hashes = log.inclusion(index, head.size).await?;
    Ok(hashes
        .map(|hashes| Download::text(ProofFile { index, hashes, checkpoint: head.note }.to_text())))
}
