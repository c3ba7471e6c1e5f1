//! Lines that contradict each other or themselves.

use super::*;

#[test]
fn hashes_of_an_exported_event_contradict_it() {
    let example = Example::new();
    for trailer in [example.leaf(0), example.node(1, 0)] {
        let report = verify(&example.export(0..0, &[trailer]), Vec::new());
        assert_eq!((kinds(&report), report.verdict()), (vec!["malformed"], Verdict::NotValid));
        let detail = &report.faults[0].detail;
        assert!(detail.starts_with("line 9: ") && detail.contains("entry 0"), "{detail}");
    }
}

#[test]
fn an_entry_has_one_hash() {
    let example = Example::with_removal(2, 2);
    for twice in [[example.leaf(0), example.leaf(0)], [example.node(1, 0), example.leaf(0)]] {
        let trailers = [&[example.leaf(1)], &twice[..]].concat();
        let report = verify(&example.export(0..2, &trailers), Vec::new());
        let details: Vec<&str> = report.faults.iter().map(|fault| fault.detail.as_str()).collect();
        assert!(details.contains(&"line 9: entry 0 has two hashes"), "{report:?}");
        assert!(kinds(&report).contains(&"malformed"), "{report:?}");
    }
}

#[test]
fn an_event_of_the_log_is_not_pending() {
    let mut lines = Example::new().export(0..0, &[]);
    lines[2] = lines[2].replacen("\"opening\":{", "\"opening\":{\"pending\":true,", 1);
    let report = verify(&lines, Vec::new());
    assert_eq!((kinds(&report), report.verdict()), (vec!["malformed"], Verdict::NotValid));
    assert!(report.faults[0].detail.starts_with("line 3: event evt_2 "), "{report:?}");
}
