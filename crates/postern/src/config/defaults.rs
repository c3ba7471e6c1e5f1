/// Defaults and manual of all settings.
pub const DEFAULT: &str = include_str!("../../../../config.default.toml");
