//! Reading of the configuration setting by setting: a setting with an error is replaced by its
//! default, so that it does not hide errors of other settings.

use figment::{
    Figment, Source,
    value::{Dict, Num, Value},
};
use serde::de::DeserializeOwned;

use super::{environment::Environment, faults::Fault};

/// Reads sections and collects their errors.
pub struct SectionReader {
    /// Defaults and overrides.
    figment: Figment,
    overrides: Dict,
    defaults: Dict,
    pub faults: Vec<Fault>,
}

/// Reports a rule of a section: whether the rule holds, and the setting with the accepted values,
/// such as `hours: must be from 1 to 720`. A rule depends on all settings that its text names.
pub type Rule<'r> = &'r mut dyn FnMut(bool, &str);

impl SectionReader {
    pub fn new(figment: Figment, overrides: Dict, defaults: Dict) -> Self {
        let mut reader = Self { figment, overrides, defaults, faults: Vec::new() };
        let (overrides, defaults) = (reader.overrides.clone(), reader.defaults.clone());
        reader.compare(&overrides, &defaults, "");
        reader
    }

    /// Reads a section and checks values that no type can check. Settings with errors have their
    /// defaults.
    pub fn section<T: DeserializeOwned>(
        &mut self,
        name: &str,
        validate: impl FnOnce(&T, Rule<'_>),
    ) -> Option<T> {
        let section: T = self.deserialize(name)?;
        validate(&section, &mut |holds, text| self.apply(name, holds, text));
        Some(section)
    }

    /// Reads the section with the defaults of settings that have errors.
    fn deserialize<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let defaults = self.defaults.get(name)?.as_dict()?.clone();
        let values = self.figment.find_value(name).ok().and_then(Value::into_dict);
        let mut values = values.unwrap_or_default();
        values.retain(|key, _| defaults.contains_key(key));
        for (key, default) in &defaults {
            match values.get_mut(key) {
                // The other elements are checked, so that all errors of a list are reported.
                Some(Value::Array(_, elements)) if kind(default) == LIST => {
                    elements.retain(is_string);
                }
                Some(_) if !self.has_fault(&format!("{name}.{key}")) => {}
                _ => drop(values.insert(key.clone(), default.clone())),
            }
        }
        // Each round replaces one setting by its default, and the defaults are valid.
        loop {
            let error = match Value::from(values.clone()).deserialize::<T>() {
                Ok(section) => return Some(section),
                Err(error) => error,
            };
            let Some((key, default)) =
                error.path.first().and_then(|key| defaults.get_key_value(key))
            else {
                self.add(name, Some(error.kind.to_string()), None);
                return None;
            };
            let cause = match values.insert(key.clone(), default.clone()) {
                Some(Value::Num(..)) => "out of range".to_owned(),
                _ => error.kind.to_string(),
            };
            self.add(&format!("{name}.{key}"), Some(cause), None);
        }
    }

    /// Applies a rule to a section.
    fn apply(&mut self, section: &str, holds: bool, text: &str) {
        let (setting, accepted) = text.split_once(": ").expect("the text of a rule has a setting");
        let path = format!("{section}.{setting}");
        if let Some(fault) = self.faults.iter_mut().find(|fault| fault.setting == path) {
            fault.accepted.get_or_insert_with(|| accepted.to_owned());
            return;
        }
        let mut words = accepted.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
        let depends_on_fault = words.any(|word| self.has_fault(&format!("{section}.{word}")));
        if !holds && !depends_on_fault {
            self.add(&path, None, Some(accepted.to_owned()));
        }
    }

    /// Reports settings that are unknown or differ in type from their default.
    fn compare(&mut self, overrides: &Dict, defaults: &Dict, at: &str) {
        for (key, value) in overrides {
            let path = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
            let cause = match (defaults.get(key), value) {
                (None, _) => "unknown setting".to_owned(),
                (Some(Value::Dict(_, defaults)), Value::Dict(_, overrides)) => {
                    self.compare(overrides, defaults, &path);
                    continue;
                }
                (Some(Value::Dict(..)), _) => "is a section, not a setting".to_owned(),
                (Some(default), value) if kind(default) != kind(value) => {
                    let example = if kind(default) == LIST { EXAMPLE } else { "" };
                    format!("expected {}{example}, found {}", kind(default), kind(value))
                }
                (Some(_), Value::Array(_, elements)) if !elements.iter().all(is_string) => {
                    let invalid = elements.iter().filter(|element| !is_string(element));
                    let found = invalid.map(shown).collect::<Vec<_>>().join(", ");
                    format!("expected a list of strings{EXAMPLE}, found {found} in it")
                }
                _ => continue,
            };
            self.add(&path, Some(cause), None);
        }
    }

    fn has_fault(&self, path: &str) -> bool {
        self.faults.iter().any(|fault| fault.setting == path)
    }

    fn add(&mut self, path: &str, cause: Option<String>, accepted: Option<String>) {
        let origin = self.origin(path);
        self.faults.push(Fault { setting: path.to_owned(), cause, accepted, origin });
    }

    /// File or environment variable that sets the setting. `None` for texts of tests.
    fn origin(&self, path: &str) -> Option<String> {
        if Value::from(self.overrides.clone()).find(path).is_none() {
            return Some("has its default".to_owned());
        }
        let value = self.figment.find_value(path).ok()?;
        let (mut value, mut path) = (&value, path.to_owned());
        // The variable of a section is that of one of its settings.
        while let Value::Dict(_, section) = value {
            let Some((key, nested)) = section.iter().next() else { break };
            path = format!("{path}.{key}");
            value = nested;
        }
        let metadata = self.figment.get_metadata(value.tag())?;
        match &metadata.source {
            Some(Source::File(file)) => Some(format!("set in {}", file.display())),
            _ if metadata.name == Environment::NAME => {
                Some(format!("set by {}", Environment::variable(&path)))
            }
            _ => None,
        }
    }
}

const LIST: &str = "a list";
const EXAMPLE: &str = " such as [\"a\", \"b\"]";

const fn is_string(value: &Value) -> bool {
    matches!(value, Value::String(..))
}

/// A whole number or a truth value, or the kind of another value.
fn shown(value: &Value) -> String {
    // Numbers are signed in files, and unsigned in variables.
    let signed = || value.to_i128().map(|number| number.to_string());
    let number = || signed().or_else(|| value.to_u128().map(|number| number.to_string()));
    let shown = value.to_bool().map(|value| value.to_string()).or_else(number);
    shown.unwrap_or_else(|| kind(value).to_owned())
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(..) | Value::Char(..) => "a string",
        Value::Bool(..) => "true or false",
        Value::Num(_, Num::F32(_) | Num::F64(_)) => "a decimal number",
        Value::Num(..) => "a whole number",
        Value::Array(..) => LIST,
        Value::Dict(..) => "a section",
        Value::Empty(..) => "nothing",
    }
}
