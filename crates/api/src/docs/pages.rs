//! Guides for integrators, that the introduction of the OpenAPI document links to: `docs/api/*.md`
//! and the API changelog, as HTML.

use pulldown_cmark::{Options, Parser, html};

use crate::http::html_page;

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

fn page(markdown: &str) -> String {
    let (title, markdown) = markdown.split_once('\n').unwrap_or((markdown, ""));
    let markdown = markdown.replace("](/docs/", "](./");
    let mut body = String::new();
    html::push_html(&mut body, Parser::new_ext(&markdown, Options::ENABLE_TABLES));
    let nav = "<a href=\"./\">API documentation</a> <a href=\"../problems\">Problems</a>";
    html_page(title.trim_start_matches("# "), "./", nav, &body)
}
