//! Lines that are malformed or cut off.

use super::*;
use crate::verify::line::{self, Line};

/// Faults as `kind: detail`.
fn faults(lines: &[String]) -> Vec<String> {
    let report = verify(lines, Vec::new());
    report.faults.iter().map(|fault| format!("{}: {}", fault.kind, fault.detail)).collect()
}

#[test]
fn a_complete_line_is_not_cut_off() {
    let lines = Example::new().export(0..0, &[]);
    let twice = lines[8].replacen("\"events\":8", "\"events\":8,\"events\":8", 1);
    for (line, problem) in [
        (twice.as_str(), "duplicate field `events`"),
        ("{\"end\":{}}", "missing field"),
        ("{\"end\":{\"events\":8,}}", "not valid JSON"),
    ] {
        let faults = faults(&[&lines[..8], &[line.to_owned()]].concat());
        assert_eq!(faults.len(), 1, "{faults:?}");
        let expected = "malformed: line 9 is neither an event nor a trailer line: ";
        assert!(faults[0].starts_with(expected) && faults[0].contains(problem), "{faults:?}");
    }
    // Of an export of an empty log as well.
    assert_eq!(kinds(&verify(&[twice], Vec::new())), ["malformed"]);
    // After another last line, the `end` line is missing.
    let faults = faults(&[&lines[..8], &["{}".to_owned()]].concat());
    assert!(faults[0].starts_with("malformed: line 9 "), "{faults:?}");
    assert!(faults[1].starts_with("incomplete: the export is cut off after line 9"), "{faults:?}");
}

#[test]
fn a_line_that_is_cut_off_anywhere_is_cut_off() {
    let example = Example::new();
    let whole = example.export(0..0, &[]);
    for last in [whole[4].clone(), whole[8].clone(), example.leaf(4).to_string()] {
        for length in (1..last.len()).filter(|length| last.is_char_boundary(*length)) {
            match line::parse(5, &last[..length]) {
                Line::Malformed(line) => assert!(line.is_cut_off, "{}", line.detail),
                _ => panic!("the line is cut off after {length} bytes"),
            }
        }
        let lines = [&whole[..4], &[last[..last.len() - 1].to_owned()]].concat();
        let report = verify(&lines, Vec::new());
        assert_eq!(kinds(&report), ["incomplete"], "{last}");
        assert!(report.faults[0].detail.contains("cut off in line 5"), "{report:?}");
    }
}

#[test]
fn errors_are_in_terms_of_json() {
    let whole = Example::new().export(0..0, &[]);
    let (event, end) = (&whole[2], &whole[8]);
    for (line, expected) in [
        ("null".to_owned(), "expected a JSON object, found null"),
        ("[]".to_owned(), "expected a JSON object, found an array"),
        ("5".to_owned(), "expected a JSON object, found a number"),
        ("evt_1".to_owned(), "not valid JSON at column 1"),
        ("{}".to_owned(), "missing field `id`"),
        ("{\"leaf\":{\"index\":-1}}".to_owned(), "expected a non-negative integer at column"),
        ("{\"leaf\":null}".to_owned(), "expected a JSON object, found null at column"),
        ("{\"node\":{\"level\":300}}".to_owned(), "expected an integer from 0 to 255 at column"),
        (
            event.replacen("\"reason\":null", "\"reason\":[]", 1),
            "expected a string, found an array",
        ),
        (event.replacen("\"metadata\":{", "\"metadata\":5,\"x\":{", 1), "expected a JSON object"),
        (event.replacen("\"schema_version\":1", "\"schema_version\":1.5", 1), "found a number"),
        (event.replacen("\"source\":{", "\"source\":\"x\",\"y\":{", 1), "found a string"),
        (end.replacen("\"history\":[", "\"history\":{},\"x\":[", 1), "expected an array"),
    ] {
        let mut lines = whole.clone();
        lines.insert(1, line.clone());
        let faults = faults(&lines);
        let detail = faults.iter().find(|fault| fault.starts_with("malformed: line 2 "));
        let detail = detail.expect("the line is malformed");
        assert!(detail.contains(expected), "{line}: {detail}");
        for word in ["struct", "Canonical", "Trailer", "u64", "variant", "invalid type", "line 1 "]
        {
            assert!(!detail.contains(word), "{line}: {detail}");
        }
    }
}
