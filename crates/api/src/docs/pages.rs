//! Guides for integrators, that the introduction of the OpenAPI document links to: `docs/api/*.md`
//! and the API changelog, as HTML.

use pulldown_cmark::{Options, Parser, html};

macro_rules! guides {
    ($($name:literal),+) => {
        [$(($name, include_str!(concat!("../../../../docs/api/", $name, ".md")))),+]
    };
}

const GUIDES: [(&str, &str); 7] = guides![
    "authentication",
    "errors",
    "impersonation",
    "limits",
    "pagination",
    "retries",
    "versions"
];
const CHANGES: (&str, &str) = ("changes", include_str!("../../../../openapi/CHANGELOG.md"));

/// All guides as HTML, by the name in their URL.
pub fn all() -> impl Iterator<Item = (&'static str, String)> {
    GUIDES.into_iter().chain([CHANGES]).map(|(name, markdown)| (name, page(markdown)))
}

/// An HTML page of one guide. Its links are relative, for servers behind a path prefix.
fn page(markdown: &str) -> String {
    let title = markdown.lines().next().unwrap_or_default().trim_start_matches("# ");
    let markdown = markdown.replace("](/docs/", "](./");
    let mut body = String::new();
    html::push_html(&mut body, Parser::new_ext(&markdown, Options::ENABLE_TABLES));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} - Postern API</title>\n\
         <link rel=\"stylesheet\" href=\"./pages.css\">\n\
         <p><a href=\"./\">Postern API</a></p>\n{body}</html>\n"
    )
}
