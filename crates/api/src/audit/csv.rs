//! Encodings of an export: NDJSON (one JSON object per line), and CSV without text that a
//! spreadsheet could run as a formula.

use std::borrow::Cow;

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
            encoder.record(COLUMNS, csv::QuoteStyle::Necessary);
        }
        encoder
    }

    pub fn event(&mut self, event: &VerifiableEvent) {
        match self.format {
            Format::Ndjson => self.line(event),
            Format::Csv => self.row(&cells(event)),
        }
    }

    /// Writes a trailer. CSV contains only the checkpoint of [`Trailer::End`]: the data for offline
    /// verification is in NDJSON exports.
    pub fn trailer(&mut self, trailer: &Trailer) {
        match (self.format, trailer) {
            (Format::Ndjson, trailer) => self.line(trailer),
            (Format::Csv, Trailer::End(end)) => {
                let mut row = [""; COLUMNS.len()];
                row[0] = "checkpoint";
                // Unchanged: it is signed.
                row[1] = &end.checkpoint;
                self.record(row, csv::QuoteStyle::Always);
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

    fn row(&mut self, cells: &[String]) {
        let cells = cells.iter().map(|cell| escape_formulas(cell).into_owned());
        // Programs that separate cells at semicolons or tabs too keep a quoted cell whole.
        self.record(cells, csv::QuoteStyle::Always);
    }

    fn record(
        &mut self,
        cells: impl IntoIterator<Item = impl AsRef<[u8]>>,
        quote: csv::QuoteStyle,
    ) {
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .quote_style(quote)
            .from_writer(std::mem::take(&mut self.written));
        writer.write_record(cells).expect("writing to memory does not fail");
        self.written = writer.into_inner().expect("writing to memory does not fail");
    }
}

/// Characters at which a program may begin a new cell.
const SEPARATORS: [char; 5] = [';', '\t', '|', '\r', '\n'];

/// Characters that begin a formula. Some spreadsheets also accept the full-width ones.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// Inserts an apostrophe before text that a spreadsheet could run as a formula (OWASP, CSV
/// injection): at the beginning of the cell, and after each separator.
///
/// A program that separates cells at semicolons, as Excel does in many countries, ignores quotes in
/// the middle of a cell.
fn escape_formulas(cell: &str) -> Cow<'_, str> {
    if !cell.contains(SEPARATORS) && !begins_formula(cell) {
        return Cow::Borrowed(cell);
    }
    let mut escaped = String::with_capacity(cell.len() + 1);
    for part in cell.split_inclusive(SEPARATORS) {
        if begins_formula(part) {
            escaped.push('\'');
        }
        escaped.push_str(part);
    }
    Cow::Owned(escaped)
}

/// Whether a cell with this text is a formula. Programs may remove spaces and quotes around it.
fn begins_formula(text: &str) -> bool {
    text.trim_start_matches(|c: char| c == '"' || c.is_whitespace() && !FORMULA.contains(&c))
        .starts_with(FORMULA)
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
    use super::{ExportEncoder, Format, escape_formulas};

    /// Names of attackers. Some are formulas only for a reader with another separator than a comma.
    const CELLS: [&str; 11] = [
        "=1+1",
        "x;=1+cmd|'/c calc'!A0;y",
        "x;\"=1+1\";y",
        "x; \" =1+1",
        "x\t=1+1\ty",
        "x\t\t=1+1",
        "x|@SUM(A1)",
        ";-1",
        "x;＝1",
        "x\r\n=1",
        "\"=1",
    ];

    /// Cells of a row, as a reader with this separator reads them.
    fn read(row: &[u8], separator: u8) -> Vec<String> {
        let mut reader = csv::ReaderBuilder::new();
        let reader = reader.has_headers(false).flexible(true).delimiter(separator);
        let records = reader.from_reader(row).into_records();
        let texts = |row: csv::StringRecord| row.iter().map(str::to_owned).collect::<Vec<_>>();
        records.flat_map(|row| texts(row.expect("the row is UTF-8"))).collect()
    }

    #[test]
    fn no_separator_begins_a_formula() {
        for cell in CELLS {
            let mut encoder = ExportEncoder::new(Format::Csv);
            encoder.take();
            let row = ["id", cell, cell, "{\"name\":\"a;\"}"].map(str::to_owned);
            encoder.row(&row);
            let row = encoder.take();
            assert_eq!(read(&row, b',').len(), 4, "{cell:?} is one cell");
            for separator in [b',', b';', b'\t', b'|'] {
                let cells = read(&row, separator);
                let formula = |cell: &String| {
                    cell.trim_start_matches(' ')
                        .starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'])
                };
                assert!(!cells.iter().any(formula), "{cell:?} is no formula: {cells:?}");
            }
        }
    }

    #[test]
    fn cells_with_other_separators_are_quoted() {
        let mut encoder = ExportEncoder::new(Format::Csv);
        encoder.take();
        encoder.row(&["a;b", "a\tb", "a|b", "", "7"].map(str::to_owned));
        let row = String::from_utf8(encoder.take()).expect("the row is UTF-8");
        assert_eq!(row, "\"a;b\",\"a\tb\",\"a|b\",\"\",\"7\"\r\n");
    }

    #[test]
    fn formulas_are_escaped() {
        for cell in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"] {
            assert!(escape_formulas(cell).starts_with('\''), "{cell}");
        }
        assert_eq!(
            escape_formulas("ana@acme.example; a-b"),
            "ana@acme.example; a-b",
            "other text is unchanged"
        );
    }
}
