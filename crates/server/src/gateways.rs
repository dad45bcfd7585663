//! Configurations of gateways that ask Tollgate, filled in: one source for the dashboard, `tollgate gateway print` and
//! `deploy/gateways`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use askama::Template;
use http::HeaderName;
use tollgate_core::gate::ErrorShape;
use tollgate_core::route;

use crate::config::{Config, Errors, Product};
use crate::http::{IDENTITY, outage};

/// A gateway, and the way in which it asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gateway {
    /// `auth_request` of nginx.
    Nginx,
    /// `forward_auth` of Caddy.
    Caddy,
    /// ForwardAuth of Traefik.
    Traefik,
    /// ext_authz of Envoy over gRPC.
    Envoy,
    /// ext_authz of Envoy over HTTP.
    EnvoyHttp,
    /// The filter ExternalAuth of the Gateway API.
    Kubernetes,
    /// The SecurityPolicy of Envoy Gateway.
    EnvoyGateway,
}

impl Gateway {
    /// Every one.
    pub const ALL: [Self; 7] =
        [Self::Nginx, Self::Caddy, Self::Traefik, Self::Envoy, Self::EnvoyHttp, Self::Kubernetes, Self::EnvoyGateway];

    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Caddy => "Caddy",
            Self::Traefik => "Traefik",
            Self::Envoy => "Envoy (gRPC)",
            Self::EnvoyHttp => "Envoy (HTTP)",
            Self::Kubernetes => "Kubernetes Gateway API",
            Self::EnvoyGateway => "Envoy Gateway",
        }
    }

    /// The file in `deploy/gateways`.
    pub fn file(self) -> &'static str {
        match self {
            Self::Nginx => "nginx.conf",
            Self::Caddy => "Caddyfile",
            Self::Traefik => "traefik.yaml",
            Self::Envoy => "envoy-grpc.yaml",
            Self::EnvoyHttp => "envoy-http.yaml",
            Self::Kubernetes => "kubernetes.yaml",
            Self::EnvoyGateway => "envoy-gateway.yaml",
        }
    }

    /// Whether it finds other services by name, and not by address.
    fn in_cluster(self) -> bool {
        matches!(self, Self::Kubernetes | Self::EnvoyGateway)
    }
}

/// Host and port of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    host: String,
    port: u16,
}

impl Place {
    fn new(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port }
    }
}

impl From<SocketAddr> for Place {
    fn from(address: SocketAddr) -> Self {
        Self::new(address.ip().to_string(), address.port())
    }
}

impl FromStr for Place {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(address.into());
        }
        let is_name = |host: &str| {
            !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
        };
        let parts = text.rsplit_once(':').filter(|(host, _)| is_name(host));
        let place = parts.and_then(|(host, port)| Some(Self::new(host, port.parse().ok()?)));
        place.ok_or_else(|| "give host and port, such as 127.0.0.1:3000".to_owned())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Who is where. What is left out is filled in from the configuration.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// Where the gateway listens.
    pub listen: Option<SocketAddr>,
    /// Where the gateway reaches Tollgate.
    pub tollgate: Option<Place>,
    /// Where the API behind the gateway is.
    pub api: Option<Place>,
}

/// A header that tells the API who calls.
struct Header {
    name: String,
    variable: String,
}

/// What clients of a route read while the gate does not answer.
struct Shape {
    pattern: String,
    text: String,
}

fn header(name: HeaderName) -> Header {
    Header { variable: name.as_str().replace('-', "_"), name: name.to_string() }
}

/// What all templates are filled with.
struct Facts {
    listen: SocketAddr,
    tollgate: Place,
    api: Place,
    hosts: Vec<String>,
    identity: Vec<Header>,
    rest_seconds: u64,
}

#[derive(Template)]
#[template(path = "gateways/nginx.conf", escape = "none")]
struct Nginx<'a> {
    facts: &'a Facts,
    unavailable: String,
    shapes: Vec<Shape>,
}

#[derive(Template)]
#[template(path = "gateways/Caddyfile", escape = "none")]
struct Caddy<'a> {
    facts: &'a Facts,
}

#[derive(Template)]
#[template(path = "gateways/traefik.yaml", escape = "none")]
struct Traefik<'a> {
    facts: &'a Facts,
}

#[derive(Template)]
#[template(path = "gateways/envoy.yaml", escape = "none")]
struct Envoy<'a> {
    facts: &'a Facts,
    grpc: bool,
}

#[derive(Template)]
#[template(path = "gateways/kubernetes.yaml", escape = "none")]
struct Kubernetes<'a> {
    facts: &'a Facts,
}

#[derive(Template)]
#[template(path = "gateways/envoy-gateway.yaml", escape = "none")]
struct EnvoyGateway<'a> {
    facts: &'a Facts,
}

/// The configuration of a gateway.
pub fn print(gateway: Gateway, config: &Config, places: &Places) -> String {
    let facts = &facts(gateway, config, places);
    let text = match gateway {
        Gateway::Nginx => {
            let unavailable = outage(ErrorShape::Google).body(None);
            Nginx { facts, unavailable, shapes: shapes(&config.product) }.render()
        }
        Gateway::Caddy => Caddy { facts }.render(),
        Gateway::Traefik => Traefik { facts }.render(),
        Gateway::Envoy => Envoy { facts, grpc: true }.render(),
        Gateway::EnvoyHttp => Envoy { facts, grpc: false }.render(),
        Gateway::Kubernetes => Kubernetes { facts }.render(),
        Gateway::EnvoyGateway => EnvoyGateway { facts }.render(),
    };
    // Templates lose the end of their last line.
    format!("{}\n", text.unwrap_or_default().trim_end())
}

fn facts(gateway: Gateway, config: &Config, places: &Places) -> Facts {
    let loopback = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    let own = if config.listen.ip().is_unspecified() { loopback(config.listen.port()) } else { config.listen };
    let (tollgate, api) = if gateway.in_cluster() {
        (Place::new("tollgate", config.listen.port()), Place::new("your-api", 80))
    } else {
        (own.into(), loopback(3000).into())
    };
    // Where one product serves every host, the gateway does so too.
    let all_named = config.product.iter().all(|product| !product.hosts.is_empty());
    let mut hosts: Vec<_> =
        config.product.iter().filter(|_| all_named).flat_map(|product| product.hosts.clone()).collect();
    hosts.sort();
    hosts.dedup();
    Facts {
        listen: places.listen.unwrap_or(loopback(8000)),
        tollgate: places.tollgate.clone().unwrap_or(tollgate),
        api: places.api.clone().unwrap_or(api),
        hosts,
        identity: IDENTITY.map(header).into(),
        rest_seconds: (config.http.header_seconds / 2).max(1),
    }
}

/// The routes in the order in which the gate tries them, as expressions over `host path`, down to the last whose errors are not
/// those of the default.
fn shapes(products: &[Product]) -> Vec<Shape> {
    let routes = products.iter().flat_map(|product| product.routes.iter().map(move |route| (product, route)));
    let mut routes: Vec<_> =
        routes.filter_map(|(product, text)| Some((route::Template::parse(text).ok()?, product, text))).collect();
    routes.sort_by(|(one, of_one, _), (other, of_other, _)| {
        one.precedence(other).then_with(|| of_one.hosts.is_empty().cmp(&of_other.hosts.is_empty()))
    });
    let last = routes.iter().rposition(|(_, product, _)| product.errors != Errors::Google);
    routes.truncate(last.map_or(0, |last| last + 1));
    let shape = |(_, product, text): (_, &Product, &String)| Shape {
        pattern: format!("~^{} {}/?(\\?|$)", any_of(&product.hosts), path_pattern(text)),
        text: outage(product.errors.into()).body(None),
    };
    routes.into_iter().map(shape).collect()
}

fn any_of(hosts: &[String]) -> String {
    let escaped: Vec<_> = hosts.iter().map(|host| escaped(&host.to_lowercase())).collect();
    if escaped.is_empty() { "[^ ]*".to_owned() } else { format!("({})", escaped.join("|")) }
}

fn path_pattern(route: &str) -> String {
    let segments = route.split('/').filter(|segment| !segment.is_empty()).map(|segment| match segment {
        "**" => "(/[^?]*)?".to_owned(),
        _ if segment.starts_with('{') => "/[^/?]+".to_owned(),
        _ => format!("/{}", escaped(segment)),
    });
    segments.collect()
}

/// A text as an expression that matches it alone.
fn escaped(text: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '/' | ':' | '@' | '~');
    text.chars().flat_map(|letter| (!is_plain(letter)).then_some('\\').into_iter().chain([letter])).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// The products of the README, and what `deploy/gateways` is made for.
    const SAMPLE: &str = r#"
[[product]]
name = "numbers"
routes = ["/v1/projects/{project_id}/**"]

[[product]]
name = "sms"
routes = ["/xms/v1/{service_plan_id}/**"]
accepts = ["token", "api-token"]
errors = "xms"
"#;

    fn config(text: &str) -> Config {
        Config::parse(Path::new("t.toml"), text).expect("a configuration")
    }

    /// With `UPDATE=1` the files are written anew.
    #[test]
    fn the_files_in_deploy_are_what_is_printed() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/gateways");
        for gateway in Gateway::ALL {
            let path = directory.join(gateway.file());
            let made = print(gateway, &config(SAMPLE), &Places::default());
            if std::env::var_os("UPDATE").is_some() {
                std::fs::create_dir_all(&directory).expect("deploy is writable");
                std::fs::write(&path, &made).expect("deploy is writable");
            }
            let committed = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(committed == made, "{} is out of date: run the tests once with UPDATE=1", path.display());
        }
    }

    #[test]
    fn every_configuration_names_every_identity_header() {
        for gateway in Gateway::ALL {
            let text = print(gateway, &config(SAMPLE), &Places::default());
            for name in &IDENTITY {
                assert!(text.contains(name.as_str()), "{name} in {gateway:?}");
            }
        }
    }

    #[test]
    fn an_outage_has_the_shape_of_its_route() {
        let config = config(&format!(
            "{SAMPLE}[[product]]\nname='maps'\nhosts=['Maps.example.com']\nroutes=['/maps.v1/{{x}}']\nerrors='oauth'\n"
        ));
        let shapes = shapes(&config.product);
        let patterns: Vec<_> = shapes.iter().map(|shape| &*shape.pattern).collect();
        assert_eq!(
            patterns,
            [
                r"~^(maps\.example\.com) /maps\.v1/[^/?]+/?(\?|$)",
                r"~^[^ ]* /v1/projects/[^/?]+(/[^?]*)?/?(\?|$)",
                r"~^[^ ]* /xms/v1/[^/?]+(/[^?]*)?/?(\?|$)",
            ]
        );
        assert!(shapes[0].text.starts_with(r#"{"error":"temporarily_unavailable""#), "{}", shapes[0].text);
        assert!(shapes[2].text.starts_with(r#"{"code":"unavailable""#), "{}", shapes[2].text);
    }

    #[test]
    fn a_gateway_takes_the_hosts_of_the_products_if_all_have_some() {
        let some = config(
            "[[product]]\nname='a'\nhosts=['a.example.com']\nroutes=['/a']\n[[product]]\nname='b'\nroutes=['/b']",
        );
        assert!(print(Gateway::Nginx, &some, &Places::default()).contains("server_name _;"));
        let all = config("[[product]]\nname='a'\nhosts=['a.example.com']\nroutes=['/a']");
        assert!(print(Gateway::Nginx, &all, &Places::default()).contains("server_name a.example.com;"));
        assert!(print(Gateway::Traefik, &all, &Places::default()).contains("rule: Host(`a.example.com`)\n"));
        assert!(print(Gateway::Caddy, &all, &Places::default()).contains("http://a.example.com:8000 {"));
    }

    #[test]
    fn places_are_host_and_port() {
        for text in ["127.0.0.1:80", "[::1]:80", "api.example.com:8080"] {
            assert_eq!(text.parse::<Place>().map(|place| place.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "api", ":80", "api:", "a b:80", "a;b:80", "http://a:80", "a:65536"] {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }
}
