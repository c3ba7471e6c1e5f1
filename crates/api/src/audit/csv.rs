//! Encodings of an export: NDJSON (one JSON object per line), and CSV with cells escaped that a
//! spreadsheet could run as a formula.

use postern_domain::{
    event::{ActorRef, Event, OnBehalfOf, Source, Target, VerifiableEvent},
    export::Trailer,
    org::OrgRef,
};

use crate::http::Format;

const COLUMNS: [&str; 28] = [
    "id",
    "occurred_at",
    "org_id",
    "org_slug",
    "actor_type",
    "actor_id",
    "actor_email",
    "actor_tier",
    "on_behalf_of_id",
    "on_behalf_of_email",
    "action",
    "outcome",
    "target_type",
    "target_id",
    "target_label",
    "summary",
    "reason",
    "ticket_ref",
    "metadata",
    "ip",
    "user_agent",
    "session_id",
    "impersonation_id",
    "request_id",
    "schema_version",
    "erased_fields",
    "log_index",
    "leaf",
];

/// Encoder of an export. Buffers its output until [`Table::take`].
pub struct Table {
    format: Format,
    written: Vec<u8>,
}

impl Table {
    pub fn new(format: Format) -> Self {
        let mut table = Self { format, written: Vec::new() };
        if format == Format::Csv {
            table.row(COLUMNS.map(str::to_owned));
        }
        table
    }

    pub fn event(&mut self, event: &VerifiableEvent) {
        match self.format {
            Format::Ndjson => self.line(event),
            Format::Csv => self.row(cells(event)),
        }
    }

    /// Writes a trailer. CSV contains only the checkpoint of [`Trailer::End`]: the data for offline
    /// verification is in NDJSON exports.
    pub fn trailer(&mut self, trailer: &Trailer) {
        match (self.format, trailer) {
            (Format::Ndjson, trailer) => self.line(trailer),
            (Format::Csv, Trailer::End(end)) => {
                let mut row = COLUMNS.map(|_| String::new());
                "checkpoint".clone_into(&mut row[0]);
                row[1].clone_from(&end.checkpoint);
                self.row(row);
            }
            (Format::Csv, _) => {}
        }
    }

    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.written)
    }

    fn line(&mut self, value: &impl serde::Serialize) {
        serde_json::to_writer(&mut self.written, value).expect("domain types serialize to JSON");
        self.written.push(b'\n');
    }

    fn row(&mut self, cells: [String; COLUMNS.len()]) {
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(std::mem::take(&mut self.written));
        writer.write_record(cells.map(harmless)).expect("writing to memory does not fail");
        self.written = writer.into_inner().expect("writing to memory does not fail");
    }
}

/// Prefixes a cell that a spreadsheet could run as a formula with an apostrophe (OWASP, CSV
/// injection). Some spreadsheets also accept the full-width characters.
fn harmless(cell: String) -> String {
    let starts = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    if cell.starts_with(starts) { format!("'{cell}") } else { cell }
}

fn cells(VerifiableEvent { event, opening }: &VerifiableEvent) -> [String; COLUMNS.len()] {
    let Event {
        id,
        occurred_at,
        org,
        actor: ActorRef { kind, id: actor_id, email, tier },
        on_behalf_of,
        action,
        outcome,
        target: Target { kind: target_type, id: target_id, label },
        summary,
        reason,
        ticket_ref,
        metadata,
        source: Source { ip, user_agent, session_id, impersonation_id, request_id },
        schema_version,
        log,
        erased_fields,
    } = event;
    let (org_id, slug) =
        org.as_ref().map(|OrgRef { id, slug }| (id.to_string(), slug.clone())).unzip();
    let impersonated =
        on_behalf_of.as_ref().map(|OnBehalfOf { id, email }| (id.to_string(), email.clone()));
    let (impersonated_id, impersonated_email) = impersonated.unzip();
    [
        id.to_string(),
        occurred_at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true),
        org_id.unwrap_or_default(),
        slug.unwrap_or_default(),
        kind.to_string(),
        or_empty(actor_id.as_ref()),
        or_empty(email.as_ref()),
        or_empty(tier.as_ref()),
        impersonated_id.unwrap_or_default(),
        impersonated_email.flatten().unwrap_or_default(),
        action.to_string(),
        outcome.to_string(),
        target_type.to_string(),
        or_empty(target_id.as_ref()),
        label.clone(),
        summary.clone(),
        or_empty(reason.as_ref()),
        or_empty(ticket_ref.as_ref()),
        serde_json::to_string(metadata).expect("a JSON object serializes"),
        or_empty(ip.as_ref()),
        or_empty(user_agent.as_ref()),
        or_empty(session_id.as_ref()),
        or_empty(impersonation_id.as_ref()),
        or_empty(request_id.as_ref()),
        schema_version.to_string(),
        erased_fields.iter().map(|part| part.name()).collect::<Vec<_>>().join(" "),
        or_empty(log.as_ref().map(|log| log.index).as_ref()),
        or_empty(opening.leaf.as_ref()),
    ]
}

fn or_empty(value: Option<&impl ToString>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn no_cell_begins_a_formula() {
        for cell in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"] {
            assert!(harmless(cell.to_owned()).starts_with('\''), "{cell}");
        }
        assert_eq!(harmless("ana@acme.example".to_owned()), "ana@acme.example");
    }
}
