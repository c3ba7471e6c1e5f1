//! C2SP `tlog-tiles`: tiles of 256 hashes and bundles of 256 entries, with which a log can be
//! served as immutable files.

use crate::hash::Hash;

/// Number of hashes in a full tile, and of entries in a full bundle.
pub const WIDTH: u64 = 256;
/// Number of tree levels that a tile spans.
const HEIGHT: u8 = 8;

/// A tile: hashes of tree level `8 × level`, from `256 × index` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tile {
    /// 0 to 7. The hashes of level 0 are leaf hashes.
    pub level: u8,
    pub index: u64,
    /// Number of hashes: 1 to 256. A partial tile is superseded by a wider one.
    pub width: u16,
}

/// A bundle of entries, from entry `256 × index` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bundle {
    pub index: u64,
    pub width: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    #[error("not a valid tile path")]
    Path,
    #[error("an entry is longer than 65535 bytes")]
    TooLong,
    #[error("the bundle ends inside an entry")]
    CutOff,
}

impl Tile {
    /// Tiles of a tree of `size` entries that are new or wider than at `old` entries.
    #[must_use]
    pub fn since(old: u64, size: u64) -> Vec<Self> {
        let mut tiles = Vec::new();
        for level in 0..8 {
            let shift = u32::from(level * HEIGHT);
            let (old_count, new_count) = (old >> shift, size >> shift);
            if new_count == 0 {
                break;
            }
            if new_count > old_count {
                let last = (new_count - 1) / WIDTH;
                tiles.extend((old_count / WIDTH..=last).map(|index| Self {
                    level,
                    index,
                    width: width(new_count, index),
                }));
            }
        }
        tiles
    }

    /// Tile that contains a node of a tree of `size` entries, with the position in the tile of the
    /// first hash that the node covers, and their number.
    #[must_use]
    pub fn with_node(level: u8, index: u64, size: u64) -> Option<(Self, u64, u64)> {
        let (tile_level, above) = (level / HEIGHT, level % HEIGHT);
        let (first, count) = (index << above, 1_u64 << above);
        let available = size >> u32::from(tile_level * HEIGHT);
        if first + count > available {
            return None;
        }
        let tile_index = first / WIDTH;
        Some((
            Self { level: tile_level, index: tile_index, width: width(available, tile_index) },
            first % WIDTH,
            count,
        ))
    }

    /// Node from the hashes of the tile that [`Tile::with_node`] returned: the root of `count`
    /// hashes from `first` on. `None` if there are fewer.
    #[must_use]
    pub fn node(hashes: &[Hash], first: u64, count: u64) -> Option<Hash> {
        let first = usize::try_from(first).ok()?;
        let mut level = hashes.get(first..first + usize::try_from(count).ok()?)?.to_vec();
        while level.len() > 1 {
            level = level.chunks(2).map(|pair| Hash::of_node(pair[0], pair[1])).collect();
        }
        level.pop()
    }

    /// Path of the tile, as in `tile/0/x001/234.p/5`.
    #[must_use]
    pub fn path(self) -> String {
        format!("tile/{}/{}", self.level, numbered(self.index, self.width))
    }

    /// Parses the path of a tile.
    pub fn parse(path: &str) -> Result<Self, TileError> {
        let (level, rest) = path
            .strip_prefix("tile/")
            .and_then(|rest| rest.split_once('/'))
            .ok_or(TileError::Path)?;
        let level = level.parse().ok().filter(|level: &u8| *level < 8).ok_or(TileError::Path)?;
        let (index, width) = parse_numbered(rest)?;
        let tile = Self { level, index, width };
        if tile.path() == path { Ok(tile) } else { Err(TileError::Path) }
    }
}

impl Bundle {
    /// Path of the bundle, as in `tile/entries/x001/234.p/5`.
    #[must_use]
    pub fn path(self) -> String {
        format!("tile/entries/{}", numbered(self.index, self.width))
    }

    pub fn parse(path: &str) -> Result<Self, TileError> {
        let (index, width) =
            parse_numbered(path.strip_prefix("tile/entries/").ok_or(TileError::Path)?)?;
        let bundle = Self { index, width };
        if bundle.path() == path { Ok(bundle) } else { Err(TileError::Path) }
    }

    /// Concatenates entries, each prefixed with its length as a big-endian 16-bit integer.
    pub fn pack<'a>(entries: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, TileError> {
        let mut packed = Vec::new();
        for entry in entries {
            let length = u16::try_from(entry.len()).map_err(|_| TileError::TooLong)?;
            packed.extend(length.to_be_bytes());
            packed.extend(entry);
        }
        Ok(packed)
    }

    pub fn unpack(mut packed: &[u8]) -> Result<Vec<&[u8]>, TileError> {
        let mut entries = Vec::new();
        while let Some((length, rest)) = packed.split_first_chunk::<2>() {
            let (entry, rest) = rest
                .split_at_checked(usize::from(u16::from_be_bytes(*length)))
                .ok_or(TileError::CutOff)?;
            entries.push(entry);
            packed = rest;
        }
        if packed.is_empty() { Ok(entries) } else { Err(TileError::CutOff) }
    }
}

/// Number of hashes in tile `index`, which is not empty, if the level has `count` hashes.
fn width(count: u64, index: u64) -> u16 {
    u16::try_from((count - index * WIDTH).min(WIDTH)).expect("at most 256")
}

/// An index in groups of three digits, all but the last prefixed with `x`, and the width of a
/// partial tile.
fn numbered(index: u64, width: u16) -> String {
    let mut groups = vec![format!("{:03}", index % 1000)];
    let mut rest = index / 1000;
    while rest > 0 {
        groups.push(format!("x{:03}", rest % 1000));
        rest /= 1000;
    }
    groups.reverse();
    let number = groups.join("/");
    if u64::from(width) == WIDTH { number } else { format!("{number}.p/{width}") }
}

fn parse_numbered(text: &str) -> Result<(u64, u16), TileError> {
    let (number, width) = match text.split_once(".p/") {
        Some((number, width)) => (
            number,
            width.parse().ok().filter(|width| (1..256).contains(width)).ok_or(TileError::Path)?,
        ),
        None => (text, 256),
    };
    let mut index = 0_u64;
    for group in number.split('/') {
        let digits = group.strip_prefix('x').unwrap_or(group);
        if digits.len() != 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(TileError::Path);
        }
        let digits: u64 = digits.parse().map_err(|_| TileError::Path)?;
        index = index
            .checked_mul(1000)
            .and_then(|index| index.checked_add(digits))
            .ok_or(TileError::Path)?;
    }
    Ok((index, width))
}
