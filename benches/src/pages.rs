//! How long the dashboard's pages take with 1,000 access keys in one project, each used on every day of a year.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::fill;
use crate::http::{self, Request};
use crate::once::now;
use crate::process::Process;
use crate::subject::Subject;
use crate::tollgate::free_port_for_three;

const KEYS: u32 = 1_000;
/// How often each page is asked for, and how often before that is not measured.
const REQUESTS: usize = 200;
const WARM_UP: usize = 5;
/// What a page may take at the median, in milliseconds.
const TARGET: f64 = 10.0;

/// A row for each key and each day of a year up to today, at some hour of the day.
const HOURS: &str = "WITH RECURSIVE days (day) AS (
        SELECT unixepoch() / 86400 * 86400000000 - 364 * 86400000000 UNION ALL
        SELECT day + 86400000000 FROM days WHERE day + 86400000000 <= unixepoch() * 1000000)
    INSERT INTO usage_hourly (account_id, hour, project_id, credential_id, product, calls, denied)
    SELECT $1, day + abs(random()) % 24 * 3600000000, $2, access_keys.id, 'numbers', abs(random()) % 100000, abs(random()) % 9
    FROM days CROSS JOIN access_keys WHERE project_id = $2 ORDER BY 1, 2, 3, 4";
/// What the server itself would have counted by day.
const DAYS: &str = "INSERT INTO usage_daily (account_id, day, project_id, credential_id, product, calls, denied)
    SELECT account_id, hour - hour % 86400000000, project_id, credential_id, product, SUM(calls), SUM(denied)
    FROM usage_hourly GROUP BY 1, 2, 3, 4, 5";
const TOTALS: &str = "INSERT INTO usage_daily_totals (account_id, day, project_id, product, calls, denied)
    SELECT account_id, day, project_id, product, SUM(calls), SUM(denied) FROM usage_daily GROUP BY 1, 2, 3, 4";
const MONTHS: &str = "INSERT INTO usage_monthly (account_id, month, project_id, credential_id, product, calls, denied)
    SELECT account_id, unixepoch(day / 1000000, 'unixepoch', 'start of month') * 1000000, project_id, credential_id, product,
    SUM(calls), SUM(denied) FROM usage_daily GROUP BY 1, 2, 3, 4, 5";
const LAST_USES: &str = "INSERT INTO credential_activity (id, credential_id, used_at, address, agent)
    SELECT id, id, unixepoch() * 1000000, '192.0.2.7', 'curl/8.14.1' FROM access_keys WHERE project_id = $1";

/// The dashboard of a server that is full, and somebody who is signed in.
pub(crate) struct Dashboard {
    pub(crate) subject: Subject,
    cookie: String,
    pages: Vec<(&'static str, String)>,
}

/// One page: its name in the report, and its path.
struct Page {
    name: &'static str,
    path: String,
    bytes: usize,
    milliseconds: Vec<f64>,
}

/// Measures all pages and prints what they take.
pub(crate) fn run(program: &Path, work: &Path) -> anyhow::Result<String> {
    let dashboard = Dashboard::start(program, work)?;
    let page = |(name, path): &(&'static str, String)| {
        let bytes = dashboard.subject.call(&dashboard.request(path))?.length();
        Ok(Page { name, path: path.clone(), bytes, milliseconds: Vec::new() })
    };
    let mut pages = dashboard.pages.iter().map(page).collect::<anyhow::Result<Vec<_>>>()?;
    for turn in 0..WARM_UP + REQUESTS {
        for page in &mut pages {
            let took = dashboard.time(&page.path)?;
            if turn >= WARM_UP {
                page.milliseconds.push(took);
            }
        }
    }
    Ok(report(&mut pages))
}

/// As many keys as are wanted beside the one that is there. The id of the last one.
fn make_keys(socket: &Path, account: &str, project: &str) -> anyhow::Result<String> {
    let send = |method, path: &str, body: &Value| -> anyhow::Result<Value> {
        let stream = UnixStream::connect(socket).with_context(|| format!("cannot reach {}", socket.display()))?;
        http::call(stream, &Request { method, ..Request::post_json(path, body) })?.json()
    };
    send("PATCH", &format!("/v1/accounts/{account}"), &json!({ "keyLimit": KEYS }))?;
    let path = format!("/v1/projects/{project}/accessKeys");
    let mut last = Value::Null;
    for number in 1..KEYS {
        last = send("POST", &path, &json!({ "displayName": format!("worker-{number}"), "scopes": ["numbers"] }))?;
    }
    let id = last.pointer("/accessKey/accessKeyId").and_then(Value::as_str);
    id.map(str::to_owned).context("no accessKeyId in the answer")
}

/// A year of usage, written beside the server.
fn fill(database: &Path, account: &str, project: &str) -> anyhow::Result<()> {
    let (project, both) = ([project.to_owned()], [account.to_owned(), project.to_owned()]);
    let statements: [(_, &[String]); 5] =
        [(HOURS, &both), (DAYS, &[]), (TOTALS, &[]), (MONTHS, &[]), (LAST_USES, &project)];
    let written = fill::run(database, &statements)?;
    ensure!(written[0] == u64::from(KEYS) * 365, "{written:?} rows were written");
    Ok(())
}

fn pages(account: &str, project: &str, key: &str) -> Vec<(&'static str, String)> {
    let usage = |query: &str| format!("/accounts/{account}/usage?{query}");
    vec![
        ("keys list, 50 of 1,000", format!("/accounts/{account}/keys?project={project}")),
        ("key details", format!("/projects/{project}/keys/{key}")),
        ("projects", format!("/accounts/{account}/projects")),
        ("project overview", format!("/projects/{project}")),
        ("usage today by key", usage("period=today&group=key")),
        ("usage 30 days by day", usage("period=30d&group=day")),
        ("usage 30 days by key", usage("period=30d&group=key")),
        ("usage 30 days by project", usage("period=30d&group=project")),
        ("usage 30 days of the project", format!("/projects/{project}/usage?period=30d&group=product")),
        ("usage 12 months by day", usage("period=12m&group=day")),
        ("usage 12 months by project", usage("period=12m&group=project")),
        ("usage 12 months by key", usage("period=12m&group=key")),
        ("monthly statement", format!("/accounts/{account}/usage/statement")),
        ("audit log", format!("/accounts/{account}/audit")),
        ("members", format!("/accounts/{account}/members")),
    ]
}

impl Dashboard {
    /// Starts `tollgate dev`, fills it, and signs in.
    pub(crate) fn start(program: &Path, work: &Path) -> anyhow::Result<Self> {
        let data = work.join("pages");
        let log = work.join("tollgate-pages.log");
        let address = format!("127.0.0.1:{}", free_port_for_three()?);
        let arguments = ["dev".as_ref(), "--listen".as_ref(), address.as_ref(), "--data".as_ref(), data.as_os_str()];
        let mut process = Process::start(program, &arguments, &log)?;
        let said = process.wait_for("tollgate dev", || {
            let said = fs::read_to_string(&log).ok()?;
            said.contains("usage show").then_some(said)
        })?;
        let word = |name: &str| {
            let line = said.lines().find_map(|line| line.strip_prefix(name));
            line.map(|rest| rest.trim().to_owned()).with_context(|| format!("dev does not say {name}"))
        };
        let (account, project) = (word("Account ID")?, word("Project ID")?);
        let key = make_keys(&data.join("tollgate.sock"), &account, &project)?;
        fill(&data.join("tollgate.db"), &account, &project)?;

        let link =
            said.lines().map(str::trim).find(|line| line.contains("/sign-in/link?")).context("dev prints no link")?;
        let path = link.split_once(&*address).context("the link leads elsewhere")?.1;
        let entered = http::exchange(TcpStream::connect(&address)?, &Request::get(path))?;
        let cookie =
            entered.header("set-cookie").and_then(|text| text.split(';').next()).context("no session began")?;
        let cookie = cookie.to_owned();
        let subject = Subject { name: "tollgate (dashboard)", address, process };
        Ok(Self { subject, cookie, pages: pages(&account, &project, &key) })
    }

    /// The page that lists access keys.
    pub(crate) fn keys_page(&self) -> Request {
        self.request(&self.pages[0].1)
    }

    /// Milliseconds from the request to the last byte of its page, on a connection that is there already.
    fn time(&self, path: &str) -> anyhow::Result<f64> {
        let stream = TcpStream::connect(&self.subject.address)?;
        let request = self.request(path);
        let began = now();
        http::call(stream, &request)?;
        Ok(began.elapsed().as_secs_f64() * 1_000.0)
    }

    fn request(&self, path: &str) -> Request {
        Request { headers: vec![("cookie", self.cookie.clone())], ..Request::get(path) }
    }
}

fn report(pages: &mut [Page]) -> String {
    let mut text = format!("{:<30} {:>8} {:>8} {:>8}\n", "page", "median", "p90", "KB");
    let mut slow = BTreeMap::new();
    for page in pages {
        page.milliseconds.sort_by(f64::total_cmp);
        let (median, p90) = (at(&page.milliseconds, 50), at(&page.milliseconds, 90));
        let kilobytes = page.bytes.div_ceil(1_000);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:<30} {median:>5.1} ms {p90:>5.1} ms {kilobytes:>8}", page.name);
        if median >= TARGET {
            slow.insert(page.name, median);
        }
    }
    for (name, _) in slow {
        let _ = writeln!(text, "{name} is not below {TARGET} ms");
    }
    text
}

/// The value below which so many percent lie.
fn at(sorted: &[f64], percent: usize) -> f64 {
    let place = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(place).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_page_is_named() {
        let page = |name, milliseconds: f64| Page {
            name,
            path: String::new(),
            bytes: 20_001,
            milliseconds: vec![milliseconds, milliseconds, 90.0],
        };
        let text = report(&mut [page("quick", 2.0), page("slow", 11.0)]);
        assert!(text.contains("quick                            2.0 ms  90.0 ms       21\n"), "{text}");
        assert!(text.ends_with("slow is not below 10 ms\n"), "{text}");
    }
}
