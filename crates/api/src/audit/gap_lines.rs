//! Lines of an export for the entries that are not in it, from which a verifier rebuilds the tree.

use postern_audit_log::export::Trailer;
use postern_domain::id::EventId;
use postern_persistence::{StoreError, repository::log::Log};

/// Longest gap that is listed entry by entry. Longer gaps are covered by subtree hashes.
pub const BY_ENTRY: u64 = 1_000;

/// Writer of the lines of one export.
pub struct GapLines {
    /// Size of the tree that the export is verified against.
    pub size: u64,
    /// Whether gaps of at most [`BY_ENTRY`] entries are listed entry by entry, with event ids.
    pub by_entry: bool,
}

impl GapLines {
    /// Lines for the entries that are not in the export, from which a verifier rebuilds the tree.
    pub async fn lines(
        &self,
        log: &Log<'_>,
        gaps: &[(u64, u64)],
    ) -> Result<Vec<Trailer>, StoreError> {
        let is_short = |(from, to): &(u64, u64)| self.by_entry && to - from <= BY_ENTRY;
        let covered: Vec<(u64, u64)> = gaps.iter().copied().filter(|gap| !is_short(gap)).collect();
        let mut covers = log.covers(&covered, self.size).await?.into_iter();
        let mut trailers = Vec::new();
        for &(from, to) in gaps {
            if is_short(&(from, to)) {
                trailers.extend(leaf_lines(log, from, to).await?);
                continue;
            }
            match covers.next().flatten() {
                Some(nodes) => {
                    trailers.extend(nodes.into_iter().map(|(level, index, hash)| Trailer::Node {
                        level,
                        index,
                        hash: hash.to_base64(),
                    }));
                }
                None => trailers.push(Trailer::Lost { from, to }),
            }
        }
        Ok(trailers)
    }
}

/// Lines for the entries `from..to`, one for each entry, with the ids of their events.
async fn leaf_lines(log: &Log<'_>, from: u64, to: u64) -> Result<Vec<Trailer>, StoreError> {
    let (mut trailers, mut next) = (Vec::new(), from);
    for leaf in log.leaves(from, to - from).await? {
        if leaf.index > next {
            trailers.push(Trailer::Lost { from: next, to: leaf.index });
        }
        next = leaf.index + 1;
        let event = EventId::new(leaf.event).to_string();
        trailers.push(Trailer::Leaf { index: leaf.index, hash: leaf.hash.to_base64(), event });
    }
    if next < to {
        trailers.push(Trailer::Lost { from: next, to });
    }
    Ok(trailers)
}
