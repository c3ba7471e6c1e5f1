//! Comparison of text without regard to case, the same in all databases and locales.

use std::{collections::HashMap, sync::LazyLock};

/// Characters that differ only in case, by the key that they share. Each has several characters.
static VARIANTS: LazyLock<HashMap<char, Vec<char>>> = LazyLock::new(|| {
    let mut variants: HashMap<char, Vec<char>> = HashMap::new();
    // No script with letter case has characters beyond plane 1.
    for c in '\0'..='\u{1ffff}' {
        variants.entry(key(c)).or_default().push(c);
    }
    variants.retain(|_, characters| characters.len() > 1);
    variants
});

/// The characters that differ from `c` only in case, and `c` itself.
///
/// Simple case folding (Unicode, 3.13), which maps one character to one: `ß` is not `ss`. As an
/// exception, `i` with and without a dot are the same, because Turkish and other languages fold
/// them differently.
pub fn variants(c: char) -> Vec<char> {
    VARIANTS.get(&key(c)).cloned().unwrap_or_else(|| vec![c])
}

/// The same character for all that differ only in case: that of the upper case in lower case, so
/// that `σ` and `ς` have one key.
fn key(c: char) -> char {
    if c == 'İ' {
        return 'i';
    }
    let upper = single(c.to_uppercase()).unwrap_or(c);
    single(upper.to_lowercase()).unwrap_or(upper)
}

/// The character, unless there are several.
fn single(mut characters: impl Iterator<Item = char>) -> Option<char> {
    let first = characters.next();
    if characters.next().is_none() { first } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_differ_in_case_are_variants() {
        for (c, expected) in [
            ('a', "Aa"),
            ('1', "1"),
            ('*', "*"),
            ('é', "Éé"),
            ('ß', "ßẞ"),
            ('ς', "Σςσ"),
            ('i', "Iiİı"),
            ('k', "Kk\u{212a}"),
            ('s', "Ssſ"),
            ('山', "山"),
            ('𐐀', "𐐀𐐨"),
        ] {
            let found: String = variants(c).into_iter().collect();
            assert_eq!(found, expected, "variants of {c}");
        }
    }

    #[test]
    fn variants_are_symmetric_and_single_characters_of_both_cases() {
        for c in '\0'..='\u{1ffff}' {
            let all = variants(c);
            assert!(all.contains(&c), "{c} is a variant of itself");
            assert!(all.iter().all(|other| variants(*other) == all), "variants of {c}");
            if let (Some(lower), Some(upper)) = (single(c.to_lowercase()), single(c.to_uppercase()))
            {
                assert!(all.contains(&lower) && all.contains(&upper), "cases of {c}");
            }
        }
    }
}
