//! Operations of the OpenAPI document.

use std::fmt::{Display, Formatter, Result};

use postern_tests::App;
use serde_json::Value;

/// An operation of the OpenAPI document.
pub struct DocumentedOperation {
    pub method: String,
    pub path: String,
    /// Names of its string query parameters, without `cursor`.
    pub query: Vec<String>,
    /// Example of the request body.
    pub body: Option<Value>,
    /// JSON pointers to the ids in the body.
    pub ids_in_body: Vec<String>,
    /// True if the operation needs no access token.
    pub is_public: bool,
}

impl Display for DocumentedOperation {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// All operations of the document.
pub async fn documented_operations(t: &App) -> Vec<DocumentedOperation> {
    let document = t.anonymous().get("/openapi.json").await.expect(200).json;
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths is an object") {
        for (method, operation) in methods.as_object().expect("a path is an object") {
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let is_text = |parameter: &Value| parameter["schema"]["type"] != "integer";
            let query = parameters.iter().filter(|parameter| {
                parameter["in"] == "query" && parameter["name"] != "cursor" && is_text(parameter)
            });
            let body = operation.pointer("/requestBody/content/application~1json/example").cloned();
            let ids_in_body = body.as_ref().map(|body| ids_in(body, "")).unwrap_or_default();
            operations.push(DocumentedOperation {
                method: method.to_uppercase(),
                path: path.clone(),
                query: query
                    .map(|parameter| {
                        parameter["name"].as_str().expect("name is a string").to_owned()
                    })
                    .collect(),
                body,
                ids_in_body,
                is_public: operation["security"].as_array().is_none_or(Vec::is_empty),
            });
        }
    }
    assert!(
        operations.len() >= 40,
        "the document has at least 40 operations, not {}",
        operations.len()
    );
    operations
}

/// JSON pointers to the ids in a body: fields named `…_id` or `org`, and strings that look like an
/// id.
fn ids_in(value: &Value, at: &str) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            fields.iter().flat_map(|(name, value)| ids_in(value, &format!("{at}/{name}"))).collect()
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .flat_map(|(n, value)| ids_in(value, &format!("{at}/{n}")))
            .collect(),
        Value::String(text) => {
            let name = at.rsplit('/').next().unwrap_or_default();
            let is_id = name.ends_with("_id")
                || name == "org"
                || text.split_once('_').is_some_and(|(_, rest)| rest.len() == 26);
            if is_id { vec![at.to_owned()] } else { Vec::new() }
        }
        _ => Vec::new(),
    }
}
