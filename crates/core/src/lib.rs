//! The pure half of Tollgate: identifiers, secrets, tokens, OAuth wire types, routes, the gate's decision and the clock.
//!
//! Nothing here does I/O. Time and randomness are arguments, so that every rule can be tested without waiting.

pub mod calendar;
pub mod clock;
pub mod credential;
pub mod form;
pub mod gate;
pub mod id;
pub mod keyset;
pub mod master;
pub mod name;
pub mod oauth;
pub mod page;
pub mod path;
pub mod random;
pub mod rate;
pub mod recovery;
pub mod role;
pub mod route;
pub mod scope;
pub mod secret;
pub mod signing;
pub mod token;

pub use clock::{Clock, Timestamp};
pub use id::{AccountId, CredentialId, KeyId, PlanId, ProjectId, RequestId, UserId};
pub use random::Random;
pub use role::{Right, Role};
pub use scope::Scopes;
pub use secret::Secret;
