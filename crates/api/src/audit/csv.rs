//! Encodings of an export: NDJSON (one JSON object per line), and CSV with cells escaped that a
//! spreadsheet could run as a formula.

use postern_audit_log::export::Trailer;
use postern_domain::{
    event::{ActorRef, Event, Source, VerifiableEvent},
    event_draft::Target,
};

use super::format::Format;

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

/// UTF-8 byte order mark. Without it, Excel reads the file in the code page of the computer.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Encoder of an export. Buffers its output until [`ExportEncoder::take`].
pub struct ExportEncoder {
    format: Format,
    written: Vec<u8>,
}

impl ExportEncoder {
    pub fn new(format: Format) -> Self {
        let mut encoder = Self { format, written: Vec::new() };
        if format == Format::Csv {
            encoder.written.extend(BYTE_ORDER_MARK);
            encoder.row(COLUMNS.map(str::to_owned).to_vec());
        }
        encoder
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
                let mut row = vec![String::new(); COLUMNS.len()];
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

    fn row(&mut self, cells: Vec<String>) {
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(std::mem::take(&mut self.written));
        writer
            .write_record(cells.into_iter().map(escape_formula))
            .expect("writing to memory does not fail");
        self.written = writer.into_inner().expect("writing to memory does not fail");
    }
}

/// Prefixes a cell that a spreadsheet could run as a formula with an apostrophe (OWASP, CSV
/// injection). Some spreadsheets also accept the full-width characters.
fn escape_formula(cell: String) -> String {
    let starts = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    if cell.starts_with(starts) { format!("'{cell}") } else { cell }
}

/// Cells of a row, in the order of [`COLUMNS`].
fn cells(VerifiableEvent { event, opening }: &VerifiableEvent) -> Vec<String> {
    let Event {
        id,
        occurred_at,
        org,
        actor,
        on_behalf_of,
        action,
        outcome,
        target: Target { kind, id: target_id, label },
        summary,
        reason,
        ticket_ref,
        metadata,
        source,
        schema_version,
        log,
        erased_fields,
    } = event;
    let org = org.as_ref();
    let time = occurred_at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
    let metadata = serde_json::to_string(metadata).expect("a JSON object serializes");
    let erased_fields =
        erased_fields.iter().map(|field| field.name()).collect::<Vec<_>>().join(" ");
    let mut cells = vec![id.to_string(), time];
    cells.extend([or_empty(org.map(|org| &org.id)), or_empty(org.map(|org| &org.slug))]);
    cells.extend(actor_cells(actor));
    cells.extend([
        or_empty(on_behalf_of.as_ref().map(|user| &user.id)),
        or_empty(on_behalf_of.as_ref().and_then(|user| user.email.as_ref())),
    ]);
    cells.extend([action.to_string(), outcome.to_string()]);
    cells.extend([kind.to_string(), or_empty(target_id.as_ref()), label.clone(), summary.clone()]);
    cells.extend([or_empty(reason.as_ref()), or_empty(ticket_ref.as_ref()), metadata]);
    cells.extend(source_cells(source));
    cells.extend([schema_version.to_string(), erased_fields]);
    cells.push(or_empty(log.as_ref().map(|log| log.index).as_ref()));
    cells.push(or_empty(opening.leaf.as_ref()));
    cells
}

fn actor_cells(ActorRef { kind, id, email, tier }: &ActorRef) -> [String; 4] {
    [kind.to_string(), or_empty(id.as_ref()), or_empty(email.as_ref()), or_empty(tier.as_ref())]
}

fn source_cells(source: &Source) -> [String; 5] {
    let Source { ip, user_agent, session_id, impersonation_id, request_id } = source;
    [
        or_empty(ip.as_ref()),
        or_empty(user_agent.as_ref()),
        or_empty(session_id.as_ref()),
        or_empty(impersonation_id.as_ref()),
        or_empty(request_id.as_ref()),
    ]
}

fn or_empty(value: Option<&impl ToString>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::escape_formula;

    #[test]
    fn formulas_are_escaped() {
        for cell in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"] {
            assert!(escape_formula(cell.to_owned()).starts_with('\''), "{cell}");
        }
        assert_eq!(
            escape_formula("ana@acme.example".to_owned()),
            "ana@acme.example",
            "other text is unchanged"
        );
    }
}
