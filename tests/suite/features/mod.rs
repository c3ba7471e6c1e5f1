//! Features of an org.

mod read_feature;
