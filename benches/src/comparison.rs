//! What is compared: some servers that are asked for the same, the first of them the measure of the others.

use crate::http::Request;
use crate::load::{Load, NAME, Variation};
use crate::servers::{Full, MANY_KEYS, Servers};
use crate::subject::{Access, Limit, Subject};
use crate::tollgate::{Tollgate, UNCOUNTED};

/// Servers that take turns at one kind of request.
pub(crate) struct Comparison<'a> {
    pub(crate) name: String,
    pub(crate) connections: u32,
    pub(crate) by: By,
    /// The first one is what the others are measured by.
    pub(crate) players: Vec<Player<'a>>,
}

impl Comparison<'_> {
    /// Whether anything is aimed at.
    pub(crate) fn has_target(&self) -> bool {
        self.players.iter().any(|player| player.target.is_some() || player.p99_target.is_some())
    }
}

/// What a ratio is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// CPU time of the server per request: less is better.
    Cpu,
    /// Requests per second, where several processes share the core: more is better.
    Rate,
    /// How many times our CPU time per request a peer takes: more is better.
    Saving,
}

/// One server with what it is asked.
pub(crate) struct Player<'a> {
    pub(crate) subject: &'a Subject,
    /// What tells it from another player of the same server.
    pub(crate) label: String,
    pub(crate) load: Load,
    pub(crate) counted: bool,
    /// The ratio to stay below, or above where more is better.
    pub(crate) target: Option<f64>,
    /// Milliseconds that 99 of 100 requests may take.
    pub(crate) p99_target: Option<f64>,
}

impl<'a> Player<'a> {
    fn new(subject: &'a Subject, request: Request) -> Self {
        let label = subject.name.to_owned();
        Self { subject, label, load: Load::of(request), counted: false, target: None, p99_target: None }
    }

    fn counted(self) -> Self {
        Self { counted: true, ..self }
    }

    fn refused(self) -> Self {
        Self { load: Load { refused: true, ..self.load }, ..self }
    }

    fn varied(self, variation: Variation) -> Self {
        Self { load: Load { variation, ..self.load }, ..self }
    }

    fn labelled(self, label: &str) -> Self {
        Self { label: label.to_owned(), ..self }
    }

    fn below(self, target: f64) -> Self {
        Self { target: Some(target), ..self }
    }

    fn with_p99_below(self, milliseconds: f64) -> Self {
        Self { p99_target: Some(milliseconds), ..self }
    }
}

/// Everything that is compared, in the order of the report.
pub(crate) fn all<'a>(servers: &'a Servers, connections: u32) -> Vec<Comparison<'a>> {
    let mut all = tokens(servers);
    all.extend(gate(servers));
    all.extend(others(servers));
    all.extend(on_postgres(servers));
    all.extend([16, 256].map(|connections| gate_at(servers, connections)));
    if let Some(full) = &servers.full {
        all.extend(at_scale(servers, full));
    }
    for comparison in &mut all {
        if comparison.connections == 0 {
            comparison.connections = connections;
        }
    }
    all
}

fn comparison<'a>(name: impl Into<String>, players: impl IntoIterator<Item = Player<'a>>) -> Comparison<'a> {
    Comparison { name: name.into(), connections: 0, by: By::Cpu, players: players.into_iter().collect() }
}

fn token(limit: &Limit) -> Player<'_> {
    Player::new(&limit.subject, limit.access.token_request())
}

fn issued_by(tollgate: &Tollgate) -> Player<'_> {
    Player::new(&tollgate.subject, tollgate.access.token_request())
}

fn let_through_by(tollgate: &Tollgate) -> Player<'_> {
    Player::new(&tollgate.subject, tollgate.access.gate()).counted()
}

fn opaque(servers: &Servers) -> Player<'_> {
    Player::new(&servers.limit.subject, servers.limit.gate())
}

fn tokens(servers: &Servers) -> Vec<Comparison<'_>> {
    vec![
        comparison("token ES256 by Basic", [token(&servers.limit), issued_by(&servers.process).below(1.35)]),
        comparison("token EdDSA by Basic", [token(&servers.limit_eddsa), issued_by(&servers.eddsa).below(1.45)]),
        comparison("token RS256 by Basic", [token(&servers.limit_rs256), issued_by(&servers.rs256).below(1.1)]),
    ]
}

fn gate(servers: &Servers) -> Vec<Comparison<'_>> {
    let (limit, process) = (&servers.limit, &servers.process);
    let own = |request| Player::new(&process.subject, request);
    let seen = process.access.gate();
    let fresh = Variation::FreshTokens { issued_by: process.access.token_request() };
    vec![
        gate_at(servers, 0),
        comparison(
            "gate, JWT never seen, counted",
            [
                Player::new(&limit.subject, limit.verify()),
                own(process.access.gate()).varied(fresh).counted().below(1.2),
            ],
        ),
        comparison("gate, Basic, counted", [opaque(servers), own(process.access.gate_basic()).counted().below(1.7)]),
        comparison("gate, API token, counted", [opaque(servers), own(process.gate_api_token()).counted().below(1.7)]),
        comparison(
            "what counting adds to a gate call",
            [
                own(process.access.gate_below(UNCOUNTED)).labelled("the same, uncounted"),
                own(seen).counted().below(1.15),
            ],
        ),
        comparison(
            "gate, denied",
            [
                Player::new(&limit.subject, limit.denied()).refused(),
                own(process.access.gate_of_another_project()).refused(),
            ],
        ),
    ]
}

fn gate_at(servers: &Servers, connections: u32) -> Comparison<'_> {
    let name = "gate, JWT seen before, counted";
    let (process, disk) = (let_through_by(&servers.process), let_through_by(&servers.disk));
    if connections == 0 {
        return comparison(name, [opaque(servers), process.below(1.6), disk.with_p99_below(3.0)]);
    }
    let name = format!("{name}, {connections} conn.");
    Comparison { connections, ..comparison(name, [opaque(servers), process, disk]) }
}

fn others(servers: &Servers) -> Vec<Comparison<'_>> {
    let (process, management) = (&servers.process, &servers.management);
    let of = |name, player| comparison(name, [opaque(servers), player]);
    let own = |request| Player::new(&process.subject, request);
    let keys = format!("/v1/projects/{}/accessKeys", management.manager.project);
    let managing = |request| Player::new(&management.subject, management.manager.managing(request));
    let new_key = serde_json::json!({ "displayName": NAME, "scopes": ["demo"] });
    let (dashboard, page) = (&servers.dashboard.subject, servers.dashboard.keys_page());
    vec![
        of("introspection", own(process.manager.introspection(&process.access.token)).below(2.0)),
        of("JWKS", own(Request::get("/.well-known/jwks.json"))),
        of("management, 50 keys listed", managing(Request::get(&keys))),
        of("management, key made", managing(Request::post_json(&keys, &new_key)).varied(Variation::Names)),
        of("dashboard, page of 50 keys", Player::new(dashboard, page)),
    ]
}

fn on_postgres(servers: &Servers) -> Vec<Comparison<'_>> {
    let postgres = &servers.postgres;
    vec![
        comparison("token ES256, PostgreSQL", [token(&servers.limit), issued_by(postgres)]),
        comparison("gate, JWT seen before, PostgreSQL", [opaque(servers), let_through_by(postgres)]),
    ]
}

fn at_scale<'a>(servers: &'a Servers, full: &'a Full) -> Vec<Comparison<'a>> {
    let process = &servers.process;
    let by_keys = |tollgate: &'a Tollgate, request: Request, count| {
        let Access { key, secret, .. } = &tollgate.access;
        let variation = Variation::Keys { id: key.clone(), secret: secret.clone(), count };
        Player::new(&tollgate.subject, request).varied(variation)
    };
    let token_of = |tollgate: &'a Tollgate, count| by_keys(tollgate, tollgate.access.token_request(), count);
    let call_of = |tollgate: &'a Tollgate, count| by_keys(tollgate, tollgate.access.gate_basic(), count).counted();
    let [bare, gated] = &full.nginx;
    let against_peer = |name, asked, ours: Player<'a>, target| Comparison {
        by: By::Saving,
        ..comparison(name, [Player::new(&full.peer.subject, asked), ours.below(target)])
    };
    let mut compared = vec![
        comparison(
            "token, of 1,000,000 keys against 10",
            [
                token_of(process, 10).labelled("10 keys"),
                token_of(&full.keys, 10).labelled("1,000,000 known, 10 at work").below(1.25),
                token_of(&full.keys, MANY_KEYS).labelled("1,000,000 at work"),
            ],
        ),
        comparison(
            "gate, Basic, of 1,000,000 keys against 10",
            [
                call_of(process, 10).labelled("10 keys"),
                call_of(&full.keys, 10).labelled("1,000,000 known, 10 at work").below(1.25),
                call_of(&full.keys, MANY_KEYS).labelled("1,000,000 at work"),
            ],
        ),
        comparison("token, after 10,000,000 ledger rows", [issued_by(process), issued_by(&full.rows).below(1.1)]),
        comparison(
            "gate, after 10,000,000 ledger rows",
            [let_through_by(process), let_through_by(&full.rows).below(1.1)],
        ),
        Comparison {
            by: By::Rate,
            ..comparison(
                "nginx with the gate (requests/s)",
                [
                    Player::new(&bare.subject, bare.request(&servers.limit.gate())),
                    Player::new(&gated.subject, gated.request(&process.access.gate())).below(0.9),
                ],
            )
        },
    ];
    let (asked, checked) = (full.peer.token_request(), full.peer.introspection());
    compared.push(against_peer("token ES256 against a peer (times)", asked, issued_by(process), 6.0));
    compared.push(against_peer("verification against a peer (times)", checked, let_through_by(process), 14.0));
    for connections in [16, 256] {
        let name = format!("token ES256 by Basic, {connections} conn.");
        compared.push(Comparison { connections, ..comparison(name, [token(&servers.limit), issued_by(process)]) });
    }
    compared
}
