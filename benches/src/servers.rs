//! All servers of a run. They wait on one core, and each is loaded in its turn.

use std::path::Path;

use tollgate_bench::Algorithm;

use crate::fill;
use crate::nginx::Nginx;
use crate::pages::Dashboard;
use crate::peer::Peer;
use crate::postgres::Postgres;
use crate::programs::Programs;
use crate::subject::Limit;
use crate::tollgate::{Settings, Tollgate};

/// How many keys the server with many keys has.
pub(crate) const MANY_KEYS: u32 = 1_000_000;
/// Hours of usage of the server with much usage; each has two thousand rows.
const HOURS: u32 = 5_000;
/// How many keys the others have of those that are copies of their first one.
const FEW_KEYS: u32 = 10;

/// What every run needs.
pub(crate) struct Servers {
    pub(crate) limit: Limit,
    pub(crate) limit_eddsa: Limit,
    pub(crate) limit_rs256: Limit,
    pub(crate) process: Tollgate,
    pub(crate) disk: Tollgate,
    pub(crate) eddsa: Tollgate,
    pub(crate) rs256: Tollgate,
    /// On PostgreSQL, which runs as long as it.
    pub(crate) postgres: Tollgate,
    /// Many keys are made here while it is measured.
    pub(crate) management: Tollgate,
    pub(crate) dashboard: Dashboard,
    pub(crate) full: Option<Full>,
    _database: Postgres,
}

/// What only the full grid needs.
pub(crate) struct Full {
    pub(crate) keys: Tollgate,
    pub(crate) rows: Tollgate,
    /// nginx with the limit server as its gate, and with Tollgate.
    pub(crate) nginx: [Nginx; 2],
    pub(crate) peer: Peer,
}

impl Servers {
    /// Starts them.
    pub(crate) fn start(programs: &Programs, work: &Path, is_full: bool) -> anyhow::Result<Self> {
        let database = Postgres::start()?;
        let limit = |algorithm| Limit::start(&programs.limit_server, work, algorithm);
        let start = |settings| Tollgate::start(&programs.tollgate, work, settings);
        let named = |name| Settings { name, ..Settings::default() };
        let signing = |name, algorithm| start(Settings { algorithm, ..named(name) });
        let process = start(Settings::default())?;
        fill::keys(&process.database, &process.access, FEW_KEYS)?;
        let limit_es256 = limit(Algorithm::Es256)?;
        let management = start(named("tollgate (management)"))?;
        fill::keys(&management.database, &management.manager, 50)?;
        let full = if is_full { Some(Full::start(programs, work, &limit_es256, &process)?) } else { None };
        Ok(Self {
            limit: limit_es256,
            limit_eddsa: limit(Algorithm::EdDsa)?,
            limit_rs256: limit(Algorithm::Rs256)?,
            process,
            disk: start(Settings { durability: "disk", ..named("tollgate (disk)") })?,
            eddsa: signing("tollgate (EdDSA)", Algorithm::EdDsa)?,
            rs256: signing("tollgate (RS256)", Algorithm::Rs256)?,
            postgres: start(Settings { postgres: Some(&database.url), ..named("tollgate (PostgreSQL)") })?,
            management,
            dashboard: Dashboard::start(&programs.tollgate, work)?,
            full,
            _database: database,
        })
    }

    /// Every Tollgate whose calls are counted.
    pub(crate) fn counting(&self) -> impl Iterator<Item = &Tollgate> {
        let full = self.full.iter().flat_map(|full| [&full.keys, &full.rows]);
        [&self.process, &self.disk, &self.postgres].into_iter().chain(full)
    }
}

impl Full {
    fn start(programs: &Programs, work: &Path, limit: &Limit, process: &Tollgate) -> anyhow::Result<Self> {
        let start = |name| Tollgate::start(&programs.tollgate, work, Settings { name, ..Settings::default() });
        let (keys, rows) = (start("tollgate (many keys)")?, start("tollgate (much usage)")?);
        println!("writing {MANY_KEYS} keys and {} rows of usage", HOURS * 2_000);
        fill::keys(&keys.database, &keys.access, MANY_KEYS)?;
        fill::usage(&rows.database, &rows.account, &rows.access.project, HOURS)?;
        let nginx = [
            Nginx::start("nginx, limit server", work, &limit.subject.address, "/gate")?,
            Nginx::start("nginx, tollgate", work, &process.subject.address, "/gate/nginx")?,
        ];
        Ok(Self { keys, rows, nginx, peer: Peer::start(work)? })
    }
}
