//! What Tollgate does, asked of its router: no ports, no waiting, a new database for each test, and both engines for
//! everything that touches the store.

#[macro_use]
mod world;
mod ask;
mod bearer;
mod deactivation;
mod key_races;
mod key_rules;
mod keys;
mod layering;
mod postgres;
mod rotation;
mod token_endpoint;
mod token_refusals;
