//! Reading of the configuration section by section, so that an error in one does not hide errors in
//! others.

use figment::{
    Figment,
    value::{Dict, Value},
};
use serde::de::DeserializeOwned;

/// Reads sections and collects their errors.
pub struct SectionReader {
    figment: Figment,
    pub faults: Vec<String>,
}

/// Reports a rule that a section violates: whether the rule holds, and the setting with the
/// accepted values.
pub type Rule<'r> = &'r mut dyn FnMut(bool, &str);

impl SectionReader {
    pub fn new(figment: Figment, overrides: &Dict, defaults: &Dict) -> Self {
        let mut faults = Vec::new();
        compare(overrides, defaults, "", &mut faults);
        Self { figment, faults }
    }

    /// Reads a section and checks values that no type can check. `None` if it cannot be read.
    pub fn section<T: DeserializeOwned>(
        &mut self,
        name: &str,
        validate: impl FnOnce(&T, Rule<'_>),
    ) -> Option<T> {
        match self.figment.extract_inner::<T>(name) {
            Ok(section) => {
                validate(&section, &mut |holds, expected| {
                    if !holds {
                        self.faults.push(format!("{name}.{expected}"));
                    }
                });
                Some(section)
            }
            Err(errors) => {
                self.add_errors(name, errors);
                None
            }
        }
    }

    /// Adds the errors that [`compare`] does not report: numbers out of the range of their type,
    /// and texts that are no value of their string enum.
    fn add_errors(&mut self, section: &str, errors: figment::Error) {
        for error in errors {
            let setting =
                error.path.iter().find(|part| *part != section).cloned().unwrap_or_default();
            let prefix = format!("{section}.{setting}:");
            let is_reported = self.faults.iter().any(|fault| fault.starts_with(&prefix));
            if !setting.is_empty() && !is_reported {
                self.faults.push(format!("{prefix} {}", error.kind));
            }
        }
    }
}

/// Reports settings that are unknown or differ in type from their default.
fn compare(overrides: &Dict, defaults: &Dict, at: &str, faults: &mut Vec<String>) {
    for (key, value) in overrides {
        let path = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
        match (defaults.get(key), value) {
            (None, _) => faults.push(format!("{path}: unknown setting")),
            (Some(Value::Dict(_, defaults)), Value::Dict(_, overrides)) => {
                compare(overrides, defaults, &path, faults);
            }
            (Some(Value::Dict(..)), _) => {
                faults.push(format!("{path}: is a section, not a setting"));
            }
            (Some(default), value) if kind(default) != kind(value) => {
                faults.push(format!("{path}: expected {}, found {}", kind(default), kind(value)));
            }
            _ => {}
        }
    }
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(..) | Value::Char(..) => "a string",
        Value::Bool(..) => "true or false",
        Value::Num(..) => "a number",
        Value::Array(..) => "a list",
        Value::Dict(..) => "a section",
        Value::Empty(..) => "nothing",
    }
}
