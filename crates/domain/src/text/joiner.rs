//! Invisible characters that a correct spelling needs: U+200C and U+200D in the contexts of
//! UAX #31 (2.3), and the parts of emoji (UTS #51) and variation sequences.

use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{
        CanonicalCombiningClass, Emoji, ExtendedPictographic, GeneralCategory,
        GeneralCategoryGroup, IndicSyllabicCategory, JoiningType, UnifiedIdeograph,
    },
};

/// The black flag, to which tags add the code of a region.
const BLACK_FLAG: char = '\u{1f3f4}';

/// Reports whether the invisible character at `at` has a meaning there.
pub fn is_meaningful(text: &[char], at: usize) -> bool {
    let (before, after) = (&text[..at], &text[at + 1..]);
    let previous = before.last().copied();
    match text[at] {
        '\u{200c}' => breaks_cursive(before, after) || is_between_conjuncts(before, after),
        '\u{200d}' => {
            forms_conjunct(before, after)
                || forms_ya_phalaa(before, after)
                || joins_emoji(before, after)
        }
        // Text and emoji presentation.
        '\u{fe0e}' | '\u{fe0f}' => {
            previous.is_some_and(|c| CodePointSetData::new::<Emoji>().contains(c))
        }
        // Variants of ideographs, which names in Japanese have.
        '\u{fe00}'..='\u{fe02}' | '\u{e0100}'..='\u{e01ef}' => {
            previous.is_some_and(|c| CodePointSetData::new::<UnifiedIdeograph>().contains(c))
        }
        '\u{180b}'..='\u{180d}' | '\u{180f}' => previous.is_some_and(is_mongolian),
        '\u{180e}' => {
            previous.is_some_and(is_mongolian) && after.first().copied().is_some_and(is_mongolian)
        }
        c if is_tag(c) => is_flag_of_region(text, at),
        _ => false,
    }
}

/// Rule A1 of UAX #31: between letters that would join otherwise.
fn breaks_cursive(before: &[char], after: &[char]) -> bool {
    let joining = |c: &char| CodePointMapData::<JoiningType>::new().get(*c);
    let joins = |c: Option<&char>, side| {
        c.is_some_and(|c| [JoiningType::DualJoining, side].contains(&joining(c)))
    };
    let visible = |c: &&char| joining(c) != JoiningType::Transparent;
    joins(before.iter().rev().find(visible), JoiningType::LeftJoining)
        && joins(after.iter().find(visible), JoiningType::RightJoining)
}

/// Rule A2: between a virama and a letter.
fn is_between_conjuncts(before: &[char], after: &[char]) -> bool {
    let next = after.iter().find(|c| !is_reordered_mark(**c));
    follows_virama(before) && next.is_some_and(|c| is_letter(*c))
}

/// Rule B: after a virama, and not before a dependent vowel.
fn forms_conjunct(before: &[char], after: &[char]) -> bool {
    let category = |c: &char| CodePointMapData::<IndicSyllabicCategory>::new().get(*c);
    follows_virama(before)
        && after.first().is_none_or(|c| category(c) != IndicSyllabicCategory::VowelDependent)
}

/// Between a letter and a virama with a letter: ya-phalaa in Bengali (The Unicode Standard, 12.2).
fn forms_ya_phalaa(before: &[char], after: &[char]) -> bool {
    before.last().is_some_and(|c| is_letter(*c))
        && matches!(after, [virama, letter, ..] if is_virama(*virama) && is_letter(*letter))
}

/// Whether the text ends with a letter, a virama on it, and possibly other marks.
fn follows_virama(before: &[char]) -> bool {
    let mut rest = before.iter().rev().skip_while(|c| !is_virama(**c) && is_reordered_mark(**c));
    rest.next().is_some_and(|c| is_virama(*c))
        && rest
            .find(|c| category(**c) != GeneralCategory::NonspacingMark)
            .is_some_and(|c| is_letter(*c))
}

/// Rule GB11 of UAX #29: between two emoji, the first of which can have a modifier or a variation
/// selector.
fn joins_emoji(before: &[char], after: &[char]) -> bool {
    let is_pictograph = |c: &char| CodePointSetData::new::<ExtendedPictographic>().contains(*c);
    let is_modifier = |c: &&char| matches!(**c, '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}');
    before.iter().rev().find(|c| !is_modifier(c)).is_some_and(is_pictograph)
        && after.first().is_some_and(is_pictograph)
}

/// Whether the tag is part of the flag of a region such as Scotland: a black flag, three to six
/// tags of letters or digits, and the end tag.
fn is_flag_of_region(text: &[char], at: usize) -> bool {
    let length = |tags: &mut dyn Iterator<Item = &char>| tags.take_while(|c| is_tag(**c)).count();
    let start = at - length(&mut text[..at].iter().rev());
    let end = at + length(&mut text[at..].iter());
    let tags = &text[start..end];
    let is_region = |c: &char| matches!(*c, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}');
    start > 0
        && text[start - 1] == BLACK_FLAG
        && tags.split_last().is_some_and(|(last, region)| {
            *last == '\u{e007f}' && (3..=6).contains(&region.len()) && region.iter().all(is_region)
        })
}

const fn is_tag(c: char) -> bool {
    matches!(c, '\u{e0020}'..='\u{e007f}')
}

const fn is_mongolian(c: char) -> bool {
    matches!(c, '\u{1820}'..='\u{18aa}')
}

fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

fn is_letter(c: char) -> bool {
    GeneralCategoryGroup::Letter.contains(category(c))
}

fn is_virama(c: char) -> bool {
    combining_class(c) == CanonicalCombiningClass::Virama
}

fn is_reordered_mark(c: char) -> bool {
    category(c) == GeneralCategory::NonspacingMark
        && combining_class(c) != CanonicalCombiningClass::NotReordered
}

fn combining_class(c: char) -> CanonicalCombiningClass {
    CodePointMapData::<CanonicalCombiningClass>::new().get(c)
}
