//! What the fuzz targets share: a Tollgate in this process, and the naive readings that the properties of core are tried with.
#![forbid(unsafe_code)]

#[path = "../../crates/core/tests/properties/reference.rs"]
pub mod reference;
pub mod world;
