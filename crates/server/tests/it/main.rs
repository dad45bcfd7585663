//! What Tollgate does, asked of its router: no ports, no waiting, a new database for each test, and both engines for
//! everything that touches the store.

#[macro_use]
mod world;
mod accounts;
mod ask;
mod audit_pages;
mod bearer;
mod deactivation;
mod denials;
mod documents;
mod factor;
mod forms;
mod gate_doors;
mod help_pages;
mod identities;
mod introspection;
mod key_races;
mod key_rules;
mod keys;
mod layering;
mod ledger;
mod mail;
mod members;
mod new_key_page;
mod opening;
mod outage;
mod page_roles;
mod pages;
mod passwords;
mod people_api;
mod person;
mod personal_tokens;
mod plans;
mod postgres;
mod request_pages;
mod revocation;
mod rotation;
mod sessions;
mod signing_keys;
mod sms_pages;
mod token_endpoint;
mod token_refusals;
mod units;
mod usage_daily;
mod usage_pages;
