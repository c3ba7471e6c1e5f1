//! Set of the entries of a log that are in an export.

use postern_domain::event::VerifiableEvent;

/// Set of the entries of the tree that are in the export, as a bit for each.
pub struct LeafSet {
    size: u64,
    bits: Vec<u64>,
}

impl LeafSet {
    pub fn new(size: u64) -> Self {
        Self { size, bits: vec![0; usize::try_from(size.div_ceil(64)).unwrap_or(0)] }
    }

    pub fn insert(&mut self, event: &VerifiableEvent) {
        if let Some(index) =
            event.event.log.as_ref().map(|log| log.index).filter(|index| *index < self.size)
        {
            self.bits[usize::try_from(index / 64).expect("the index is below the size")] |=
                1 << (index % 64);
        }
    }

    /// Runs of entries from `index` on that are not in the export, each as its first entry and the
    /// entry after its last.
    pub fn gaps_from(&self, mut index: u64) -> impl Iterator<Item = (u64, u64)> {
        std::iter::from_fn(move || {
            let from = self.next(index, false)?;
            index = self.next(from, true).unwrap_or(self.size);
            Some((from, index))
        })
    }

    /// First entry from `index` on that is in the export or, with `is_in` false, is not.
    fn next(&self, index: u64, is_in: bool) -> Option<u64> {
        let mut index = index;
        while index < self.size {
            let word = self.bits[usize::try_from(index / 64).expect("the index is below the size")];
            let matching = (if is_in { word } else { !word }) >> (index % 64);
            if matching != 0 {
                return Some(index + u64::from(matching.trailing_zeros()))
                    .filter(|entry| *entry < self.size);
            }
            index = (index / 64 + 1) * 64;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::LeafSet;

    #[test]
    fn gaps_are_the_entries_that_were_not_inserted() {
        let mut leaves = LeafSet::new(200);
        leaves.bits = vec![u64::MAX, u64::MAX << 3, 1, 0];
        assert_eq!(
            leaves.gaps_from(0).collect::<Vec<_>>(),
            [(64, 67), (129, 200)],
            "all gaps from the start"
        );
        assert_eq!(
            leaves.gaps_from(67).collect::<Vec<_>>(),
            [(129, 200)],
            "a start after the first gap skips it"
        );
        assert_eq!(LeafSet::new(0).gaps_from(0).count(), 0, "an empty log has no gaps");
    }
}
