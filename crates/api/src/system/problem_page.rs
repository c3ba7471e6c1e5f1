//! Pages of the problems in HTML. They contain only texts of the catalogue, which have no character
//! that needs to be escaped, and nothing from the request.

use std::fmt::Write;

use crate::http::{Code, OperationRef, ProblemOperations, document::problems, html_page};

/// Page of one problem.
pub fn of(code: Code, operations: &ProblemOperations) -> String {
    let (status, name, title) = (code.status(), code.name(), code.title());
    let example = serde_json::to_string_pretty(&problems::example_body(code))
        .expect("the example serializes to JSON");
    let content = format!(
        "<p class=\"code\">{} <code>{name}</code></p>\n\
         <h2>Cause</h2>\n<p>{}</p>\n<h2>Remedy</h2>\n<p>{}</p>\n\
         <h2>Example</h2>\n<pre>HTTP/1.1 {status}\n\
         content-type: application/problem+json\n\n{example}</pre>\n\
         <h2>Operations</h2>\n{}",
        status.as_u16(),
        marked_up(code.cause()),
        marked_up(code.remedy()),
        operation_list(code, operations)
    );
    let nav = "<a href=\"../problems\">All problems</a> <a href=\"../docs/\">API documentation</a>";
    html_page(title, "../docs/", nav, &content)
}

/// Index of all problems.
pub fn index() -> String {
    let mut content = "<p>Error responses have one of these codes. Each page has the cause, an \
                       example, the remedy, and the operations that return the problem.</p>\n"
        .to_owned();
    let mut last = None;
    for code in Code::ALL {
        let status = code.status();
        if last.is_some_and(|last| last != status) {
            content += "</dl>\n";
        }
        if last != Some(status) {
            writeln!(content, "<h2>{status}</h2>\n<dl>").expect("writing to a string succeeds");
        }
        last = Some(status);
        writeln!(
            content,
            "<dt><a href=\"problems/{name}\"><code>{name}</code></a></dt><dd>{}</dd>",
            code.title(),
            name = code.name()
        )
        .expect("writing to a string succeeds");
    }
    content += "</dl>\n";
    html_page("Problems", "docs/", "<a href=\"docs/\">API documentation</a>", &content)
}

fn operation_list(code: Code, operations: &ProblemOperations) -> String {
    if operations.all_return(code) {
        return "<p>All operations.</p>\n".to_owned();
    }
    let items = operations.of(code);
    if items.is_empty() {
        return "<p>Requests that do not reach an operation.</p>\n".to_owned();
    }
    let items = items.iter().map(|OperationRef { id, tag, method, path }| {
        format!("<li><a href=\"../docs/#/{tag}/{id}\">{id}</a> <code>{method} {path}</code></li>\n")
    });
    format!("<ul>\n{}</ul>\n", items.collect::<String>())
}

/// A text of the catalogue with its code spans as elements.
fn marked_up(text: &str) -> String {
    let parts = text.split('`').enumerate().map(|(index, part)| {
        if index % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() }
    });
    parts.collect()
}
