//! What Tollgate does: every operation is a method of [`App`], called by a handler and calling the store.

mod accounts;
mod authenticate;
mod backup;
mod denials;
mod directory;
mod gate;
mod introspection;
mod keys;
mod ledger;
mod ledger_commit;
mod limits;
mod manage;
mod master;
mod people;
mod plans;
mod projects;
mod revocations;
mod rotation;
mod signing;
mod start;
mod subprojects;
mod tokens;
mod trail;
mod units;
mod upkeep;
mod usage;
mod usage_days;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use ipnet::IpNet;
use quick_cache::sync::Cache;
use tollgate_core::id::RequestId;
use tollgate_core::keyset::{KeySet, KeyTimes};
use tollgate_core::master::MasterKeys;
use tollgate_core::scope;
use tollgate_core::signing::Algorithm;
use tollgate_core::token::Issuer;
use tollgate_core::{Clock, KeyId, Random, Timestamp};

use crate::config::{Config, Products};
use crate::store::Store;

pub use accounts::{AccountChange, CountedAccount};
pub use authenticate::{Caller, Client, KeyCaller, Verified};
pub use backup::{Backup, BackupError, Contents, Restored, back_up, restore};
pub use directory::Whose;
pub use gate::{Allowed, Authorization, Call, Grant, Refused};
pub use introspection::Introspected;
pub use keys::{Addresses, KeyChange, KeyRequest, KeyView};
pub use ledger::LedgerNumbers;
pub use manage::{Actor, Doing, ManageError, Page};
pub use people::{
    Attempt, Cookie, Enrolment, FactorAttempt, FactorChanged, FirstSetUp, Invitation, MadeLink, MemberPower, Person,
    ProofError, QrPath, SignInError, SignInStep, SignedIn,
};
pub use plans::{NewToken, PlanView};
pub use projects::ProjectChange;
pub use rotation::RotateRequest;
pub use signing::SigningFacts;
pub use start::StartError;
pub use tokens::Issued;
pub use trail::{TrailActor, TrailFilter};
pub use units::{Counted, Reporter, UnitsEvent};
pub use usage::{Statement, Usage, UsageQuestion};
pub use usage_days::{CallsByDay, CallsOf, DRAWN_DAYS};

pub use crate::store::accounts::Account;
pub use crate::store::activity::Activity;
pub use crate::store::audit::{Event, TrailEntry};
pub use crate::store::keys::SecretFacts;
pub use crate::store::ledger::DenialRow;
pub use crate::store::links::Link;
pub use crate::store::members::Member;
pub use crate::store::personal_tokens::PersonalToken;
pub use crate::store::plans::{Plan, TokenFacts};
pub use crate::store::projects::Project;
pub use crate::store::sessions::Session;
pub use crate::store::usage::{Grouping, Slice, UsageSum, UsedName};
pub use crate::store::users::{Seat, User};
pub use crate::store::{OpenError, StoreError};

use directory::Directory;
use ledger::Ledger;
use limits::Limits;
use people::{Delays, Passwords, Post};
use revocations::Revocations;

/// How many verified tokens are remembered.
const REMEMBERED_TOKENS: usize = 100_000;

/// The whole product: configuration, store, and what is held in memory.
pub struct App {
    /// The configuration as it was read.
    pub config: Config,
    /// The products and their routes.
    pub products: Products,
    issuer: Issuer,
    audience: Arc<str>,
    times: KeyTimes,
    algorithm: Algorithm,
    introspects_all: Vec<KeyId>,
    reports_all: Vec<KeyId>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    signing_random: aws_lc_rs::rand::SystemRandom,
    master: MasterKeys,
    store: Store,
    directory: Directory,
    signing: ArcSwap<KeySet>,
    verified: Cache<[u8; 32], Arc<Verified>>,
    revocations: Revocations,
    limits: Limits,
    delays: Delays,
    passwords: Passwords,
    post: Post,
    ledger: Ledger,
    /// Counts up from a random start, so that request ids of two processes differ.
    next_request: AtomicU64,
    changing_keys: tokio::sync::Mutex<()>,
    _lock: start::Lock,
}

impl App {
    /// The present instant.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A fresh id for a request.
    pub fn new_request(&self) -> RequestId {
        RequestId::with_tail(self.now(), self.next_request.fetch_add(1, Ordering::Relaxed))
    }

    /// The issuer of tokens: the configured public URL.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// Peers whose forwarded headers are believed.
    pub fn trusted_peers(&self) -> &[IpNet] {
        &self.config.gate.trusted_peers
    }

    /// The scopes that exist: the products' and our own.
    pub fn scopes(&self) -> Vec<&str> {
        let own = [scope::KEYS_MANAGE, scope::INTROSPECT, scope::USAGE_REPORT];
        let mut all: Vec<&str> =
            self.products.iter().filter_map(|product| product.scope.as_deref()).chain(own).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether the database answers and the ledger takes calls.
    pub async fn is_ready(&self) -> bool {
        self.ledger.is_well() && self.store.ping().await.is_ok()
    }

    /// What the ledger has done so far.
    pub fn ledger_numbers(&self) -> LedgerNumbers {
        self.ledger.numbers()
    }

    /// Writes what is still in memory and closes the store. Nothing may be recorded afterwards.
    pub async fn close(&self) {
        self.ledger.close().await;
        self.store.close().await;
    }
}
