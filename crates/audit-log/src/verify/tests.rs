mod contradictions;
mod faulty_lines;

use std::ops::Range;

use postern_tlog::Verifier;
use serde_json::{Value, json};

use super::ExportVerifier;
use crate::{
    commitment::Opening,
    event::{CanonicalEvent, RETENTION_APPLIED},
    report::Report,
    testing::{EVENT, Log, ORIGIN, salts, signer},
    verdict::Verdict,
};

/// A log of 8 events.
struct Example {
    events: Vec<Value>,
    log: Log,
}

impl Example {
    fn new() -> Self {
        Self::with_removal(0, 0)
    }

    /// Replaces the last event with one that records the removal of `expired` events below
    /// `first_kept`.
    fn with_removal(expired: u64, first_kept: u64) -> Self {
        let mut events: Vec<Value> = (0..8).map(event).collect();
        if expired > 0 {
            events[7]["action"] = RETENTION_APPLIED.into();
            events[7]["metadata"] = json!({ "events": expired, "first_kept": first_kept });
        }
        let leaves = events.iter().map(|event| {
            let json = event.to_string();
            CanonicalEvent::parse(&json).expect("the event is valid").leaf(&salts())
        });
        let log = Log::with_leaves(leaves.collect());
        for (event, leaf) in events.iter_mut().zip(&log.leaves) {
            event["opening"] = json!(Opening::of(&salts(), Some(*leaf), false));
        }
        Self { events, log }
    }

    /// Export without the `omitted` events. `trailers` account for these.
    fn export(&self, omitted: Range<usize>, trailers: &[Value]) -> Vec<String> {
        let end = json!({ "end": {
            "origin": ORIGIN, "events": 8 - omitted.len(), "filter": null,
            "checkpoint": self.log.checkpoint(8), "history": [self.log.checkpoint(4)],
        }});
        let events = (0..8).filter(|index| !omitted.contains(index));
        let lines = events.map(|index| &self.events[index]).chain(trailers).chain([&end]);
        lines.map(ToString::to_string).collect()
    }

    /// Export without the `omitted` events, with their leaf hashes.
    fn export_with_leaves(&self, omitted: Range<usize>) -> Vec<String> {
        let leaves: Vec<Value> = omitted.clone().map(|index| self.leaf(index)).collect();
        self.export(omitted, &leaves)
    }

    fn leaf(&self, index: usize) -> Value {
        let hash = self.log.leaves[index].to_base64();
        json!({ "leaf": { "index": index, "hash": hash, "event": self.events[index]["id"] } })
    }

    fn node(&self, level: u8, index: u64) -> Value {
        let hash = self.log.node(level, index).expect("the node is complete").to_base64();
        json!({ "node": { "level": level, "index": index, "hash": hash } })
    }
}

fn event(index: u64) -> Value {
    let mut event: Value = serde_json::from_str(EVENT).expect("the event is JSON");
    event["id"] = format!("evt_{index}").into();
    event["log"]["index"] = index.into();
    event
}

fn keys() -> Vec<Verifier> {
    vec![signer(ORIGIN, 1).verifier()]
}

fn verify(lines: &[String], stored: Vec<String>) -> Report {
    report(ExportVerifier::new(keys(), stored), lines)
}

fn report(mut verifier: ExportVerifier, lines: &[String]) -> Report {
    for line in lines {
        verifier.line(line.clone());
    }
    verifier.finish().expect("the lines are those of an export")
}

fn kinds(report: &Report) -> Vec<&str> {
    report.faults.iter().map(|fault| fault.kind.name()).collect()
}

#[test]
fn a_whole_export_is_valid_with_stored_checkpoints_of_every_size() {
    let example = Example::new();
    let stored: Vec<String> = (0..=8).map(|size| example.log.checkpoint(size)).collect();
    let report = verify(&example.export(0..0, &[]), stored);
    assert_eq!(report.faults, []);
    assert_eq!((report.origin.as_str(), report.size, report.events), (ORIGIN, 8, 8));
}

#[test]
fn an_altered_event_is_named() {
    let mut lines = Example::new().export(0..0, &[]);
    lines[2] = lines[2].replace("changed bo", "removed bo");
    let report = verify(&lines, Vec::new());
    assert_eq!(kinds(&report), ["altered"]);
    assert!(report.faults[0].detail.starts_with("line 3: event evt_2 (entry 2)"), "{report:?}");
}

#[test]
fn an_unreadable_line_is_named_by_its_number() {
    let mut lines = Example::new().export(0..0, &[]);
    lines.splice(3..3, [String::new(), "{}".to_owned()]);
    let report = verify(&lines, Vec::new());
    assert_eq!(kinds(&report), ["malformed"]);
    assert!(report.faults[0].detail.starts_with("line 5 is neither"), "{report:?}");
}

#[test]
fn recorded_removals_are_not_faults() {
    let report = verify(&Example::with_removal(3, 3).export_with_leaves(0..3), Vec::new());
    assert_eq!((report.faults.as_slice(), report.expired), (&[][..], 3));
}

#[test]
fn unrecorded_removals_are_faults() {
    for (expired, first_kept, omitted) in
        [(0, 0, 0..3), (3, 3, 0..4), (3, 3, 3..6), (3, 3, 2..5), (2, 3, 0..3)]
    {
        let example = Example::with_removal(expired, first_kept);
        let report = verify(&example.export_with_leaves(omitted.clone()), Vec::new());
        assert_eq!(kinds(&report), ["missing"], "{expired} expired, {omitted:?} omitted");
    }
}

#[test]
fn a_partial_export_must_be_accepted() {
    let example = Example::new();
    let mut lines = example.export(0..4, &[example.node(2, 0)]);
    let end = lines.last_mut().expect("the export has lines");
    *end = end.replace("\"filter\":null", "\"filter\":{\"q\":\"x\"}");
    assert_eq!(kinds(&verify(&lines, Vec::new())), ["incomplete"]);
    let report = report(ExportVerifier::new(keys(), Vec::<String>::new()).accept_partial(), &lines);
    assert_eq!((report.faults.as_slice(), report.omitted), (&[][..], 4));
}

#[test]
fn an_event_inside_a_subtree_is_a_fault() {
    let example = Example::with_removal(4, 4);
    let mut lines = example.export(0..4, &[example.node(2, 0)]);
    assert_eq!(kinds(&verify(&lines, Vec::new())), Vec::<&str>::new());
    // The leaf of this event is not part of the computed tree.
    let mut forged = event(2);
    let json = forged.to_string();
    let leaf = CanonicalEvent::parse(&json).expect("the event is valid").leaf(&salts());
    forged["opening"] = json!(Opening::of(&salts(), Some(leaf), false));
    lines.insert(0, forged.to_string());
    let end = lines.last_mut().expect("the export has lines");
    *end = end.replace("\"events\":4", "\"events\":5");
    assert_eq!(kinds(&verify(&lines, Vec::new())), ["malformed"]);
}

#[test]
fn a_rewritten_log_is_reported() {
    let report = verify(&Example::new().export(0..0, &[]), vec![Log::of(9).checkpoint(5)]);
    assert_eq!((kinds(&report), report.verdict()), (vec!["rewritten"], Verdict::NotValid));
}

#[test]
fn an_export_older_than_a_stored_checkpoint_is_inconclusive_unless_it_is_current() {
    let lines = Example::new().export(0..0, &[]);
    let stored = || vec![Log::of(9).checkpoint(9)];
    let older = verify(&lines, stored());
    assert_eq!((kinds(&older), older.verdict()), (vec!["older"], Verdict::Inconclusive));
    let current = report(ExportVerifier::new(keys(), stored()).current(), &lines);
    assert_eq!((kinds(&current), current.verdict()), (vec!["truncated"], Verdict::NotValid));
    // A fault beside it is not hidden.
    let altered = [&[lines[0].replace("changed bo", "removed bo")], &lines[1..]].concat();
    assert_eq!(verify(&altered, stored()).verdict(), Verdict::NotValid);
}

#[test]
fn a_cut_off_export_is_inconclusive() {
    let lines = Example::new().export(0..0, &[]);
    let mut cut = lines[..5].to_vec();
    let report = verify(&cut, Vec::new());
    assert_eq!((kinds(&report), report.verdict()), (vec!["incomplete"], Verdict::Inconclusive));
    assert!(report.faults[0].detail.contains("after line 5"), "{report:?}");
    cut.push(lines[5][..40].to_owned());
    let report = verify(&cut, Vec::new());
    assert_eq!((kinds(&report), report.verdict()), (vec!["incomplete"], Verdict::Inconclusive));
    assert!(report.faults[0].detail.contains("in line 6"), "{report:?}");
}

#[test]
fn a_file_without_a_line_of_an_export_is_not_verified() {
    for lines in [&[][..], &["id,occurred_at", "evt_1,2026"], &["{}"]] {
        let mut verifier = ExportVerifier::new(keys(), Vec::<String>::new());
        for line in lines {
            verifier.line((*line).to_owned());
        }
        assert!(verifier.finish().is_none(), "{lines:?}");
    }
}

#[test]
fn an_uncovered_field_is_reported() {
    let lines = Example::new().export(0..0, &[]);
    let forge = |line: usize, original: &str, replacement: &str| {
        let mut forged = lines.clone();
        forged[line] = lines[line].replacen(original, replacement, 1);
        assert_ne!(forged, lines, "{original}");
        let report = verify(&forged, Vec::new());
        let details: Vec<String> = report.faults.iter().map(|f| f.detail.clone()).collect();
        (kinds(&report).join(" "), report.verdict(), details.join("; "))
    };
    let (kind, verdict, detail) = forge(2, "{", "{\"second_reason\":\"by order\",");
    assert_eq!((kind.as_str(), verdict), ("altered", Verdict::NotValid));
    assert!(detail.contains("line 3") && detail.contains("second_reason"), "{detail}");
    let (kind, ..) = forge(2, "\"count\":3", "\"count\":4,\"count\":3");
    assert!(kind.contains("malformed"), "a key that occurs twice: {kind}");
    let (kind, verdict, detail) = forge(8, "\"events\"", "\"certified_by\":\"X\",\"events\"");
    assert_eq!((kind.as_str(), verdict), ("unsupported", Verdict::Inconclusive));
    assert!(detail.contains("line 9") && detail.contains("certified_by"), "{detail}");
    let (kind, verdict, _) = forge(2, "\"schema_version\":1", "\"schema_version\":2");
    assert_eq!((kind.as_str(), verdict), ("unsupported", Verdict::Inconclusive));
}

#[test]
fn the_history_must_be_of_the_log_and_not_newer_than_the_checkpoint() {
    let example = Example::new();
    let lines = example.export(0..0, &[]);
    let other = signer("other.example/log", 1);
    let text = format!("other.example/log\n4\n{}\n", example.log.leaves[0].to_base64());
    let of_other = other.sign(&text).expect("the text is valid").to_text();
    for (note, expected) in [
        (Log::of(9).checkpoint(9), "it has 9 entries, more than the 8"),
        (of_other, "it is of another log: other.example/log"),
        (Log::of(9).checkpoint(8), "does not match"),
    ] {
        let mut forged = lines.clone();
        let mut end: Value = serde_json::from_str(&lines[8]).expect("the line is JSON");
        end["end"]["history"] = json!([note]);
        forged[8] = end.to_string();
        let keys = vec![signer(ORIGIN, 1).verifier(), other.verifier()];
        let report = report(ExportVerifier::new(keys, Vec::<String>::new()), &forged);
        assert_eq!(report.verdict(), Verdict::NotValid, "{expected}: {report:?}");
        assert!(report.faults[0].detail.contains(expected), "{report:?}");
    }
}

#[test]
fn inputs_of_another_log_or_key_are_inconclusive() {
    let example = Example::new();
    let lines = example.export(0..0, &[]);
    let other = signer("other.example/log", 1);
    let of_other =
        report(ExportVerifier::new(vec![other.verifier()], Vec::<String>::new()), &lines);
    let expected = (vec!["other_log"], Verdict::Inconclusive);
    assert_eq!((kinds(&of_other), of_other.verdict()), expected);
    let text = format!("other.example/log\n4\n{}\n", example.log.leaves[0].to_base64());
    let note = other.sign(&text).expect("the text is valid").to_text();
    let of_other = verify(&lines, vec![note]);
    assert_eq!((kinds(&of_other), of_other.verdict()), expected);
    // Signed by a key that the auditor stored with the checkpoint, but did not pass.
    let text = format!("{ORIGIN}\n4\n{}\n", example.log.leaves[0].to_base64());
    let note = signer(ORIGIN, 2).sign(&text).expect("the text is valid").to_text();
    let other_key = verify(&lines, vec![note]);
    let expected = (vec!["other_key"], Verdict::Inconclusive);
    assert_eq!((kinds(&other_key), other_key.verdict()), expected);
    let wrong_key = vec![signer(ORIGIN, 2).verifier()];
    let forged = report(ExportVerifier::new(wrong_key, Vec::<String>::new()), &lines);
    assert_eq!((kinds(&forged), forged.verdict()), (vec!["checkpoint"], Verdict::NotValid));
}

#[test]
fn an_empty_log_is_valid() {
    let log = Log::of(0);
    let end = json!({ "end": { "origin": ORIGIN, "events": 0, "filter": null,
        "checkpoint": log.checkpoint(0), "history": [] }});
    let report = verify(&[end.to_string()], vec![log.checkpoint(0)]);
    assert_eq!((report.faults.as_slice(), report.size), (&[][..], 0));
}
