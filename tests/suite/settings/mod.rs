//! Settings of an org.

mod update_settings;
