//! The management API in JSON, with the google.rpc error envelope.

pub(crate) mod accounts;
pub(crate) mod audit;
pub(crate) mod caller;
pub(crate) mod denials;
pub(crate) mod keys;
pub(crate) mod members;
pub(crate) mod page;
pub(crate) mod people;
pub(crate) mod plans;
pub(crate) mod projects;
pub(crate) mod rotation;
pub(crate) mod signing;
pub(crate) mod subprojects;
pub(crate) mod usage;
pub(crate) mod usage_events;
pub(crate) mod views;
