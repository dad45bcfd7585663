//! The sample API against a stand-in for Tollgate, on loopback: what it asks, and what it makes of the answers.

mod surface;
mod tollgate;
mod trouble;
mod units;
