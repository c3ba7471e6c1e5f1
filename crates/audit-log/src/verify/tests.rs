use std::ops::Range;

use postern_tlog::Verifier;
use serde_json::{Value, json};

use super::ExportVerifier;
use crate::{
    commitment::Opening,
    event::{CanonicalEvent, RETENTION_APPLIED},
    report::Report,
    testing::{EVENT, Log, ORIGIN, salts, signer},
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
    verifier.finish()
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
    assert!(report.faults[0].detail.contains("evt_2"), "{report:?}");
}

#[test]
fn an_unreadable_line_is_named_by_its_number() {
    let mut lines = Example::new().export(0..0, &[]);
    lines.splice(3..3, [String::new(), "{}".to_owned()]);
    let report = verify(&lines, Vec::new());
    assert_eq!(kinds(&report), ["incomplete"]);
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
    let report = report(ExportVerifier::new(keys(), Vec::new()).accept_partial(), &lines);
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
    assert_eq!(kinds(&verify(&lines, Vec::new())), ["incomplete"]);
}

#[test]
fn a_rewritten_or_truncated_log_is_reported() {
    let example = Example::new();
    let other = Log::of(9);
    let report = verify(&example.export(0..0, &[]), vec![other.checkpoint(5)]);
    assert_eq!(kinds(&report), ["rewritten"]);
    let report = verify(&example.export(0..0, &[]), vec![other.checkpoint(9)]);
    assert_eq!(kinds(&report), ["truncated"]);
}
