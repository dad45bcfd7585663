//! Tollgate as a library: store, operations and HTTP doors. The binary is in `crates/cli`.

pub mod config;
pub mod gateways;
mod grpc;
pub mod http;
mod log_text;
pub mod logging;
pub mod operations;
mod room;
pub mod serve;
mod store;
mod untaken;
mod write_limit;
