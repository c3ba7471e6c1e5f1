//! Single-line text for display: each character is visible or required by the spelling (UAX #31),
//! and none changes the order of others.

use std::ops::RangeInclusive;

use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup},
};
use unicode_normalization::{UnicodeNormalization, char::decompose_canonical};

use super::{character::Character, joiner};

/// Reason that a text is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadText {
    #[error(
        "must have {} to {} characters on one line; blank ones do not count",
        .0.start(),
        .0.end()
    )]
    Length(RangeInclusive<usize>),
    /// The position counts from 1.
    #[error("contains {character} at position {position}")]
    Character { character: Character, position: usize },
    /// The position of the first mark beyond the limit, from 1.
    #[error(
        "contains U+{:04X} at position {position}: a character can have at most {MAX_MARKS} \
         combining marks",
        u32::from(*.mark)
    )]
    Marks { mark: char, position: usize },
}

/// Maximum number of combining marks on a character: that of the Stream-Safe Text Format (UAX #15).
/// More of them cover the lines above and below.
const MAX_MARKS: usize = 30;

impl BadText {
    /// Beginning of the message about a character.
    pub const CHARACTER: &str = "contains U+";
}

/// Checks a line of text with a number of characters in this range. Returns it trimmed and in NFC.
///
/// Fewer characters are too few if they are visible or single spaces between visible ones.
pub fn line(text: &str, length: RangeInclusive<usize>) -> Result<String, BadText> {
    let trimmed = text.trim();
    if trimmed.chars().count() > *length.end() {
        return Err(BadText::Length(length));
    }
    check_characters(text)?;
    let composed = normalized(trimmed);
    let is_too_long = composed.chars().count() > *length.end();
    if is_too_long || visible_length(&composed) < *length.start() {
        return Err(BadText::Length(length));
    }
    Ok(composed)
}

/// The text as it is stored: trimmed and in NFC. Compatibility ideographs become variation
/// sequences, which look the same; NFC alone would replace characters of Japanese names by others.
#[must_use]
pub fn normalized(text: &str) -> String {
    text.trim().cjk_compat_variants().nfc().collect()
}

/// Checks every character between surrounding spaces. Call it with a text of limited length.
pub fn check_characters(text: &str) -> Result<(), BadText> {
    let skipped = text.chars().take_while(|c| c.is_whitespace()).count();
    let characters: Vec<char> = text.trim().chars().collect();
    let mut marks = 0;
    for (at, c) in characters.iter().copied().enumerate() {
        let position = skipped + at + 1;
        if !is_accepted(&characters, at) {
            return Err(BadText::Character { character: Character(c), position });
        }
        marks = marks_after(marks, c);
        if marks > MAX_MARKS {
            return Err(BadText::Marks { mark: c, position });
        }
    }
    Ok(())
}

/// Number of combining marks on a character of which `marks` precede `c`. Marks count as in NFD, so
/// that a text has as many in each form. An invisible character does not begin a new one.
fn marks_after(mut marks: usize, c: char) -> usize {
    decompose_canonical(c, |part| {
        let category = CodePointMapData::<GeneralCategory>::new().get(part);
        if GeneralCategoryGroup::Mark.contains(category) {
            marks += 1;
        } else if !is_ignorable(part) {
            marks = 0;
        }
    });
    marks
}

fn is_accepted(text: &[char], at: usize) -> bool {
    use GeneralCategory as Gc;
    let c = text[at];
    if c.is_ascii() {
        return !c.is_ascii_control();
    }
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    match category {
        Gc::Control
        | Gc::Surrogate
        | Gc::PrivateUse
        | Gc::Unassigned
        | Gc::LineSeparator
        | Gc::ParagraphSeparator => false,
        _ if category == Gc::Format || is_ignorable(c) => joiner::is_meaningful(text, at),
        _ if GeneralCategoryGroup::Mark.contains(category) => at > 0 && !is_blank(text[at - 1]),
        _ => true,
    }
}

/// Number of visible characters and of gaps between them.
fn visible_length(text: &str) -> usize {
    let visible = text.chars().filter(|c| !is_blank(*c) && !is_ignorable(*c)).count();
    let gaps = text.trim_matches(is_blank).split(is_blank).filter(|word| !word.is_empty()).count();
    visible + gaps.saturating_sub(1)
}

/// Spaces, and symbols without ink: the empty Braille pattern, the null notehead and the object
/// replacement character.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{2800}' | '\u{1d159}' | '\u{fffc}')
}

fn is_ignorable(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_do_not_count_as_length() {
        for (text, visible) in
            [("", 0), ("a b", 3), ("a   b", 3), ("\u{2800}", 0), (" a\u{a0}\u{3000}b ", 3)]
        {
            assert_eq!(visible_length(text), visible, "{text:?}");
        }
        assert_eq!(line("\u{a0} a\u{3000}b ", 3..=3).as_deref(), Ok("a\u{3000}b"));
        assert_eq!(line(&"x".repeat(6), 1..=5), Err(BadText::Length(1..=5)));
    }

    #[test]
    fn composition_keeps_variants_of_ideographs() {
        assert_eq!(line("e\u{301}", 1..=2).as_deref(), Ok("é"));
        // U+FA19 is a variant of U+795E in Japanese names.
        assert_eq!(line("\u{fa19}", 1..=2).as_deref(), Ok("\u{795e}\u{fe00}"));
        // Some characters are longer in NFC.
        assert_eq!(line("\u{1d160}", 1..=2), Err(BadText::Length(1..=2)));
        let once = normalized("\u{fa19}e\u{301}");
        assert_eq!(normalized(&once), once, "normalization is idempotent");
    }

    #[test]
    fn every_invisible_character_alone_is_rejected() {
        for c in '\0'..=char::MAX {
            let invisible = is_ignorable(c) || is_blank(c) || c.is_control();
            for text in [c.to_string(), format!("{c}{c}{c}")] {
                assert!(!invisible || line(&text, 1..=100).is_err(), "{text:?}");
            }
        }
    }

    #[test]
    fn invisible_characters_between_latin_letters_are_rejected() {
        for c in '\u{80}'..=char::MAX {
            let expected = BadText::Character { character: Character(c), position: 3 };
            if is_ignorable(c) {
                assert_eq!(line(&format!(" a{c}b"), 1..=100), Err(expected), "{c:?}");
            }
        }
    }

    #[test]
    fn combining_marks_per_character_are_limited() {
        let stacked = |mark: &str, count| format!("xy{}z", mark.repeat(count));
        for mark in ["\u{301}", "\u{e47}", "\u{20dd}"] {
            line(&stacked(mark, 30), 1..=100).expect("30 marks are accepted");
            let error = line(&stacked(mark, 31), 1..=100).expect_err("31 marks are rejected");
            assert!(error.to_string().starts_with(BadText::CHARACTER), "{error}");
            assert!(
                error
                    .to_string()
                    .ends_with(" at position 33: a character can have at most 30 combining marks"),
                "{error}"
            );
        }
        // U+0344 is two marks in NFD, U+1EC7 a letter and two marks.
        line(&stacked("\u{344}", 15), 1..=100).expect("30 marks are accepted");
        line(&stacked("\u{344}", 16), 1..=100).expect_err("32 marks are rejected");
        let letters = "\u{1ec7}\u{301}".repeat(40);
        line(&letters, 1..=100).expect("each letter has three marks");
        // An invisible character is no base.
        let joined = |count| format!("\u{915}{}\u{200d}{}", "\u{94d}".repeat(count), "\u{94d}");
        line(&joined(29), 1..=100).expect("30 marks are accepted");
        line(&joined(30), 1..=100).expect_err("31 marks are rejected");
    }
}
