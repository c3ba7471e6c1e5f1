//! Tiles and entry bundles.

use postern_tlog::{Bundle, Hash, Tile};

use crate::tree::Tree;

#[test]
fn new_tiles_match_other_implementations() {
    for (old, size) in [
        (0, 1),
        (0, 255),
        (0, 256),
        (255, 257),
        (256, 256),
        (256, 70_000),
        (65_535, 65_537),
        (0, 200_000),
        (1_234_567, 1_300_000),
    ] {
        let ours: Vec<String> = Tile::since(old, size).into_iter().map(Tile::path).collect();
        let expected: Vec<String> = tlog_tiles::tile::Tile::new_tiles(8, old, size)
            .into_iter()
            .map(|tile| tile.path().replacen("tile/8/", "tile/", 1))
            .collect();
        assert_eq!(ours, expected, "the new tiles from {old} to {size} are those of tlog_tiles");
    }
}

#[test]
fn tile_paths_are_parsed() {
    for path in ["tile/0/000", "tile/0/x001/x234/067", "tile/3/005.p/255", "tile/7/x999/999.p/1"] {
        assert_eq!(Tile::parse(path).map(Tile::path).as_deref(), Ok(path), "{path} is valid");
    }
    for path in [
        "tile/0/1",
        "tile/8/000",
        "tile/00/000",
        "tile/0/x000/001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/x001",
        "tile/0/",
        "tile/-1/000",
    ] {
        assert!(Tile::parse(path).is_err(), "{path} is invalid");
    }
    assert_eq!(
        Bundle { index: 1_234_067, width: 256 }.path(),
        "tile/entries/x001/x234/067",
        "the path of a full bundle"
    );
    assert_eq!(
        Bundle::parse("tile/entries/000.p/7"),
        Ok(Bundle { index: 0, width: 7 }),
        "the path of a partial bundle"
    );
}

#[test]
fn nodes_are_found_in_tiles() {
    let size = 70_000;
    let tree = Tree::of(size);
    let hashes = |tile: Tile| -> Vec<Hash> {
        (0..u64::from(tile.width))
            .map(|n| tree.nodes[&(tile.level * 8, tile.index * 256 + n)])
            .collect()
    };
    for (&(level, index), hash) in tree.nodes.iter().step_by(97) {
        let (tile, first, count) =
            Tile::with_node(level, index, size).expect("a tile has the node");
        assert_eq!(
            Tile::node(&hashes(tile), first, count),
            Some(*hash),
            "node {index} of level {level} is in its tile"
        );
    }
    assert_eq!(Tile::with_node(0, size, size), None, "no tile has a leaf beyond the tree");
    assert_eq!(
        Tile::with_node(3, size >> 3, size),
        None,
        "no tile has an inner node beyond the tree"
    );
}

#[test]
fn bundles_are_packed_and_unpacked() {
    let longest = vec![7; 65_535];
    let entries: [&[u8]; 3] = [b"", b"one", &longest];
    let packed = Bundle::pack(entries).expect("the entries are within the limit");
    assert_eq!(
        Bundle::unpack(&packed).expect("the bundle is complete"),
        entries,
        "the bundle has the packed entries"
    );
    assert!(
        Bundle::unpack(&packed[..packed.len() - 1]).is_err() && Bundle::unpack(&[0]).is_err(),
        "an incomplete bundle is rejected"
    );
    assert!(Bundle::pack([&*vec![0; 65_536]]).is_err(), "a longer entry is rejected");
}
