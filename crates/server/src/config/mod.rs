//! The configuration file: every field, its meaning and its default. `tollgate config template` is made from this.

mod check;
mod load;
mod mail;
mod reference;

use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tollgate_core::signing::Algorithm;

pub use check::{Products, Routes};
pub use load::ConfigError;
pub use mail::Mail;
pub(crate) use mail::smtp_url;
pub use reference::{markdown, template};

/// The whole configuration. Times are in the unit that the field's name ends with.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The URL under which clients reach this server: the issuer of tokens, used character for character. Nothing is ever
    /// taken from a request's Host header instead.
    pub public_url: String,
    /// Address and port of the public listener.
    #[schemars(with = "String")]
    pub listen: SocketAddr,
    /// Address and port of the admin listener, which serves /metrics. Loopback only.
    #[schemars(with = "String")]
    pub admin_listen: SocketAddr,
    /// The directory of the SQLite file, the master key, the lock and the operator's socket.
    #[schemars(with = "String")]
    pub data_dir: PathBuf,
    /// A file with the master key: 32 bytes as 64 hex digits. Without it, one is made in the data directory (SQLite only).
    #[schemars(with = "Option<String>")]
    pub master_key_file: Option<PathBuf>,
    /// Files of older master keys, which are still accepted for reading.
    #[schemars(with = "Vec<String>")]
    pub older_master_key_files: Vec<PathBuf>,
    /// The audience that every product accepts. Without it, the public URL.
    pub audience: Option<String>,
    /// The first letters of all secrets.
    pub brand: String,
    /// Where the data is kept.
    pub database: Database,
    /// Access tokens and the keys that sign them.
    pub tokens: Tokens,
    /// Limits per access key.
    pub limits: Limits,
    /// The ledger.
    pub metering: Metering,
    /// The gate's doors.
    pub gate: Gate,
    /// Token introspection.
    pub introspection: Introspection,
    /// Mail that the server sends.
    pub mail: Mail,
    /// Connections and the way they end.
    pub http: Http,
    /// The log.
    pub log: Log,
    /// The dashboard.
    pub dashboard: Dashboard,
    /// The APIs behind the gate, one table each.
    pub product: Vec<Product>,
}

/// Where the data is kept.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// A PostgreSQL URL. Without it, an SQLite file in the data directory.
    pub url: Option<String>,
    /// A file that holds the PostgreSQL URL, so that its password need not stand here.
    #[schemars(with = "Option<String>")]
    pub url_file: Option<PathBuf>,
}

/// Access tokens and the keys that sign them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tokens {
    /// How long a token lives: 61 to 86400 seconds.
    pub lifetime_seconds: i64,
    /// ES256, EdDSA or RS256. A change takes effect with the next rotation.
    #[schemars(with = "String")]
    pub algorithm: Algorithm,
    /// How far the clocks of nodes may be apart: 0 to 60 seconds.
    pub leeway_seconds: i64,
    /// After how many days a new signing key takes over. 0 switches the schedule off.
    pub rotation_days: i64,
    /// For how long verifiers may keep the JWKS: 60 to 86400 seconds.
    pub jwks_max_age_seconds: i64,
}

/// Limits per access key. A rate of 0 switches a limit off.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Token requests at once.
    pub token_burst: u32,
    /// Token requests per second after that.
    pub token_per_second: u32,
    /// Calls with Basic at the gate at once.
    pub basic_burst: u32,
    /// Calls with Basic at the gate per second after that.
    pub basic_per_second: u32,
    /// Wrong secrets for one KEY ID at once; more are answered 429. The right secret works all the same.
    pub guess_burst: u32,
    /// Wrong secrets for one KEY ID per second after that.
    pub guess_per_second: u32,
    /// How many access keys a project of a new account may have.
    pub keys_per_project: i64,
    /// How many credentials are held in memory.
    pub directory_entries: usize,
}

/// What a counted call survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// The end of the process at any moment.
    #[default]
    Process,
    /// A power cut too.
    Disk,
}

/// The ledger.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Metering {
    /// On SQLite: process (a counted call survives kill -9) or disk (it survives a power cut too). PostgreSQL always syncs.
    pub durability: Durability,
    /// KEY IDs that may report units for all accounts: those of the platform's own APIs.
    pub all_accounts: Vec<String>,
}

/// The gate's doors.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Gate {
    /// Gateways whose X-Forwarded-For is believed.
    #[schemars(with = "Vec<String>")]
    pub trusted_peers: Vec<IpNet>,
}

/// Token introspection.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Introspection {
    /// KEY IDs that may introspect tokens of all accounts: those of the platform's own APIs.
    pub all_accounts: Vec<String>,
}

/// Connections and the way they end.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// How long a client may take to send a request's header.
    pub header_seconds: u64,
    /// How long a client may take to send a request's body.
    pub request_seconds: u64,
    /// For how long a client may take nothing of an answer before its connection is closed. An HTTP/2 client that was silent
    /// for that long is sent a PING, and has as long again to answer it.
    pub write_seconds: u64,
    /// After SIGTERM, how long /readyz says 503 before connections are refused, so that balancers notice.
    pub drain_wait_seconds: u64,
    /// After that, how long requests under way may take.
    pub drain_seconds: u64,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The log, on standard error.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// error, warn, info, debug or trace, for Tollgate's own lines; libraries are heard from warn on.
    pub level: String,
    /// text or json.
    pub format: LogFormat,
}

/// The dashboard.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Dashboard {
    /// Whom to contact, in plain text of at most 2000 characters: shown on the help page, its lines kept. Everybody can read
    /// it.
    pub contact: String,
}

/// The shape of a product's denials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Errors {
    /// `{"error":{"code":404,"message":"…","status":"NOT_FOUND","details":[…]}}`
    #[default]
    Google,
    /// `{"code":"…","text":"…"}`
    Xms,
    /// `{"error":"…","error_description":"…"}`
    Oauth,
}

/// A kind of credential that a product accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Accepts {
    /// Access tokens.
    Token,
    /// KEY ID and KEY SECRET by HTTP Basic.
    Basic,
    /// API tokens of service plans.
    ApiToken,
}

/// An API behind the gate.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// Its name in usage and logs: lower-case letters, digits and hyphens.
    pub name: String,
    /// Its own audience, which a client may ask for with `resource`. Without it, public URL and name.
    pub audience: Option<String>,
    /// Hosts that it serves; without any, all.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Its routes: literal segments, {project_id}, {service_plan_id}, other {names}, and ** at the end.
    pub routes: Vec<String>,
    /// Which credentials it accepts: token, basic, api-token. The last wants {service_plan_id} in every route.
    #[serde(default = "token_only")]
    pub accepts: Vec<Accepts>,
    /// The scope that a call must hold. Without it, none.
    pub scope: Option<String>,
    /// The shape of its denials: google, xms or oauth.
    #[serde(default)]
    pub errors: Errors,
    /// Whether its calls are counted.
    #[serde(default = "yes")]
    pub count: bool,
    /// What its units are called in the plural, for example message parts. Without it, it counts no units beside its calls.
    pub unit: Option<String>,
}

fn token_only() -> Vec<Accepts> {
    vec![Accepts::Token]
}

fn yes() -> bool {
    true
}

impl Default for Config {
    fn default() -> Self {
        Self {
            public_url: "http://127.0.0.1:8080".to_owned(),
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            admin_listen: SocketAddr::from(([127, 0, 0, 1], 8090)),
            data_dir: PathBuf::from("tollgate-data"),
            master_key_file: None,
            older_master_key_files: Vec::new(),
            audience: None,
            brand: "tg".to_owned(),
            database: Database::default(),
            tokens: Tokens::default(),
            limits: Limits::default(),
            metering: Metering::default(),
            gate: Gate::default(),
            introspection: Introspection::default(),
            mail: Mail::default(),
            http: Http::default(),
            log: Log::default(),
            dashboard: Dashboard::default(),
            product: Vec::new(),
        }
    }
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            lifetime_seconds: 3_600,
            algorithm: Algorithm::Es256,
            leeway_seconds: 5,
            rotation_days: 30,
            jwks_max_age_seconds: 300,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            token_burst: 30,
            token_per_second: 10,
            basic_burst: 30,
            basic_per_second: 10,
            guess_burst: 20,
            guess_per_second: 1,
            keys_per_project: 10,
            directory_entries: 1_000_000,
        }
    }
}

impl Default for Gate {
    fn default() -> Self {
        let loopback = ["127.0.0.0/8", "::1/128"];
        Self { trusted_peers: loopback.iter().map(|net| net.parse().expect("a network")).collect() }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self { header_seconds: 10, request_seconds: 30, write_seconds: 30, drain_wait_seconds: 2, drain_seconds: 6 }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Text }
    }
}
