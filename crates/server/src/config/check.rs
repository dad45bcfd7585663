//! Checking the values of a configuration, and making products and routes of it.

use std::sync::Arc;

use tollgate_core::Scopes;
use tollgate_core::gate::{ErrorShape, Product as CoreProduct};
use tollgate_core::name::DisplayName;
use tollgate_core::path::CallPath;
use tollgate_core::route::{Captured, Template};

use super::{Accepts, Config, ConfigError, Errors, Product};

/// The products, and the route table that leads to them.
#[derive(Debug, Clone, Default)]
pub struct Products {
    products: Vec<Arc<CoreProduct>>,
    routes: Routes,
}

/// Route templates with the product that each belongs to, the most literal first.
#[derive(Debug, Clone, Default)]
pub struct Routes(Vec<Route>);

#[derive(Debug, Clone)]
struct Route {
    template: Template,
    hosts: Arc<[String]>,
    product: u16,
}

impl Products {
    /// The product at a place in the list.
    pub fn at(&self, index: u16) -> &Arc<CoreProduct> {
        &self.products[usize::from(index)]
    }

    /// All products.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<CoreProduct>> {
        self.products.iter()
    }

    /// The product that a call belongs to, and what the placeholders of its route held.
    pub fn find<'a>(&self, host: &str, path: CallPath<'a>) -> Option<(u16, Captured<'a>)> {
        self.routes.0.iter().find_map(|route| {
            let host_fits = route.hosts.is_empty() || route.hosts.iter().any(|known| known.eq_ignore_ascii_case(host));
            if host_fits { route.template.matches(path).map(|captured| (route.product, captured)) } else { None }
        })
    }
}

impl Config {
    /// The platform's one audience.
    pub fn platform_audience(&self) -> &str {
        self.audience.as_deref().unwrap_or(&self.public_url)
    }

    /// The products and their routes.
    ///
    /// # Errors
    /// A product that is named twice, or a route that is malformed or belongs to two products.
    pub fn products(&self) -> Result<Products, ConfigError> {
        let mut all = Products::default();
        for (index, product) in self.product.iter().enumerate() {
            let place = format!("product {}", product.name);
            check_name(&place, product)?;
            if all.products.iter().any(|known| *known.name == *product.name) {
                return Err(ConfigError::invalid(&place, "is configured twice; give each product a name of its own"));
            }
            let index = u16::try_from(index).map_err(|_| ConfigError::invalid(&place, "too many products"))?;
            let hosts: Arc<[String]> = product.hosts.clone().into();
            for text in &product.routes {
                let template = Template::parse(text)
                    .map_err(|error| ConfigError::invalid(&place, format!("route {text}: {error}")))?;
                if product.accepts.contains(&Accepts::ApiToken) && !template.takes_plan() {
                    let message = format!("route {text} has no {{service_plan_id}}, which api-token needs");
                    return Err(ConfigError::invalid(&place, message));
                }
                all.routes.0.push(Route { template, hosts: Arc::clone(&hosts), product: index });
            }
            all.products.push(Arc::new(self.core_product(product)));
        }
        all.routes.sort_and_check(&all.products)?;
        Ok(all)
    }

    fn core_product(&self, product: &Product) -> CoreProduct {
        let audience = product.audience.clone().unwrap_or_else(|| format!("{}/{}", self.public_url, product.name));
        CoreProduct {
            name: product.name.as_str().into(),
            audience: audience.into(),
            accepts_token: product.accepts.contains(&Accepts::Token),
            accepts_basic: product.accepts.contains(&Accepts::Basic),
            accepts_api_token: product.accepts.contains(&Accepts::ApiToken),
            scope: product.scope.as_deref().map(Into::into),
            errors: product.errors.into(),
            count: product.count,
            unit: product.unit.as_deref().map(Into::into),
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let within = |field: &str, value: i64, low: i64, high: i64| {
            let message = || format!("{value} is out of range; use {low} to {high}");
            if (low..=high).contains(&value) { Ok(()) } else { Err(ConfigError::invalid(field, message())) }
        };
        within("tokens.lifetime_seconds", self.tokens.lifetime_seconds, 61, 86_400)?;
        within("tokens.leeway_seconds", self.tokens.leeway_seconds, 0, 60)?;
        within("tokens.rotation_days", self.tokens.rotation_days, 0, 3_650)?;
        within("tokens.jwks_max_age_seconds", self.tokens.jwks_max_age_seconds, 60, 86_400)?;
        within("limits.keys_per_project", self.limits.keys_per_project, 1, 100_000)?;
        let write_seconds = i64::try_from(self.http.write_seconds).unwrap_or(i64::MAX);
        within("http.write_seconds", write_seconds, 1, 3_600)?;
        let url = &self.public_url;
        let is_plain = (url.starts_with("https://") || url.starts_with("http://")) && !url.contains(['?', '#', ' ']);
        if !is_plain || url.ends_with('/') {
            return Err(ConfigError::invalid(
                "public_url",
                "must be http:// or https:// without query and final slash",
            ));
        }
        if !self.admin_listen.ip().is_loopback() {
            return Err(ConfigError::invalid("admin_listen", "must be a loopback address such as 127.0.0.1:8090"));
        }
        if self.brand.is_empty() || !self.brand.bytes().all(|byte| byte.is_ascii_lowercase()) || self.brand.len() > 8 {
            return Err(ConfigError::invalid("brand", "must be 1 to 8 lower-case letters"));
        }
        if !["error", "warn", "info", "debug", "trace"].contains(&self.log.level.as_str()) {
            return Err(ConfigError::invalid("log.level", "must be error, warn, info, debug or trace"));
        }
        let contact = &self.dashboard.contact;
        if contact.chars().count() > 2_000 || contact.chars().any(|letter| letter.is_control() && letter != '\n') {
            return Err(ConfigError::invalid("dashboard.contact", "must be plain text of at most 2000 characters"));
        }
        if self.database.url.is_some() && self.database.url_file.is_some() {
            return Err(ConfigError::invalid("database", "give url or url_file, not both"));
        }
        self.mail.check()?;
        let lists = [
            ("introspection.all_accounts", &self.introspection.all_accounts),
            ("metering.all_accounts", &self.metering.all_accounts),
        ];
        for (field, ids) in lists {
            for id in ids {
                let known = id.parse::<tollgate_core::KeyId>();
                known.map_err(|_| ConfigError::invalid(field, format!("{id} is not a KEY ID")))?;
            }
        }
        self.products().map(|_| ())
    }
}

impl From<Errors> for ErrorShape {
    fn from(errors: Errors) -> Self {
        match errors {
            Errors::Google => Self::Google,
            Errors::Xms => Self::Xms,
            Errors::Oauth => Self::OAuth,
        }
    }
}

fn check_name(place: &str, product: &Product) -> Result<(), ConfigError> {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if product.name.is_empty() || product.name.len() > 64 || !product.name.bytes().all(good) {
        return Err(ConfigError::invalid(place, "a name is 1 to 64 lower-case letters, digits and hyphens"));
    }
    if product.routes.is_empty() {
        return Err(ConfigError::invalid(place, "needs at least one route"));
    }
    if product.accepts.is_empty() {
        return Err(ConfigError::invalid(place, "accepts nothing; use accepts = [\"token\"]"));
    }
    if product.unit.as_deref().is_some_and(|unit| DisplayName::parse(unit, 40).is_err()) {
        return Err(ConfigError::invalid(place, "unit is a word or two, such as message parts"));
    }
    let scope = product.scope.as_deref().map(|scope| Scopes::from_words([scope].into_iter()));
    scope.transpose().map_err(|error| ConfigError::invalid(place, format!("scope: {error}")))?;
    Ok(())
}

impl Routes {
    fn sort_and_check(&mut self, products: &[Arc<CoreProduct>]) -> Result<(), ConfigError> {
        self.0.sort_by(|one, other| {
            let literal_first = one.template.precedence(&other.template);
            literal_first.then_with(|| one.hosts.is_empty().cmp(&other.hosts.is_empty()))
        });
        for (at, one) in self.0.iter().enumerate() {
            let mut same_paths =
                self.0[at + 1..].iter().take_while(|other| one.template.precedence(&other.template).is_eq());
            if let Some(other) = same_paths.find(|other| one.shares_a_host(other)) {
                let names = [one, other].map(|route| &*products[usize::from(route.product)].name);
                let message = format!("and product {} have a route for the same paths; keep one", names[1]);
                return Err(ConfigError::invalid(&format!("product {}", names[0]), message));
            }
        }
        Ok(())
    }
}

impl Route {
    fn shares_a_host(&self, other: &Self) -> bool {
        let is_theirs = |host: &String| other.hosts.iter().any(|known| known.eq_ignore_ascii_case(host));
        self.hosts.is_empty() && other.hosts.is_empty() || self.hosts.iter().any(is_theirs)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn products(text: &str) -> Result<Products, String> {
        let config = Config::parse(Path::new("t.toml"), text).map_err(|error| error.to_string())?;
        config.products().map_err(|error| error.to_string())
    }

    #[test]
    fn a_call_finds_the_product_of_its_most_literal_route_and_host() {
        let all = products(
            "[[product]]\nname='all'\nroutes=['/**']\n[[product]]\nname='sms'\nroutes=['/xms/v1/{service_plan_id}/**']\n\
             [[product]]\nname='here'\nhosts=['a.example.com']\nroutes=['/**']\n",
        )
        .expect("three products");
        let name = |host, path| {
            let found = all.find(host, CallPath::parse(path).expect("plain")).expect("a product");
            all.at(found.0).name.to_string()
        };
        assert_eq!(name("x", "/xms/v1/abc/batches"), "sms");
        assert_eq!(name("x", "/other"), "all");
        assert_eq!(name("A.example.com", "/other"), "here");
    }

    #[test]
    fn two_products_cannot_have_the_same_route() {
        let error =
            products("[[product]]\nname='a'\nroutes=['/x/{id}']\n[[product]]\nname='b'\nroutes=['/x/{project_id}']");
        assert!(error.expect_err("refused").contains("same paths"));
        let on = |name: &str, host: &str| format!("[[product]]\nname='{name}'\nroutes=['/x']\nhosts=['{host}']\n");
        let three = |host| products(&[on("a", "a.example"), on("b", "b.example"), on("c", host)].concat());
        assert!(three("c.example").is_ok());
        assert!(three("a.example").expect_err("refused").contains("same paths"), "another stands between them");
        assert!(three("A.Example").expect_err("refused").contains("same paths"), "a host has many spellings");
        assert!(products("[[product]]\nname='A'\nroutes=['/x']").is_err());
        assert!(products("[[product]]\nname='a'\nroutes=[]").is_err());
        assert!(products("[[product]]\nname='a'\nroutes=['x']").is_err());
    }

    #[test]
    fn api_tokens_want_a_service_plan_in_every_route() {
        let sms = |routes| products(&format!("[[product]]\nname='sms'\naccepts=['api-token']\nroutes=[{routes}]"));
        assert!(sms("'/xms/{service_plan_id}/**'").expect("a product").at(0).accepts_api_token);
        let error = sms("'/xms/{service_plan_id}/**', '/xms/{project_id}/numbers'").expect_err("refused");
        assert!(error.contains("/xms/{project_id}/numbers has no {service_plan_id}"), "{error}");
    }
}
