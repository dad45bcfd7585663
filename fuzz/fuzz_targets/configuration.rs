//! The configuration file. What is taken can be used: values in their ranges, products whose routes no two share. What is
//! refused is refused with a line of the file, and without the password that may stand in it.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use tollgate_fuzz::reference::{self, Segment};
use tollgate_server::config::{Config, ConfigError, Product};

/// Stands for a password in the inputs.
const PASSWORD: &str = "hunter2";

fuzz_target!(|text: &str| {
    let path = Path::new("fuzz.toml");
    match Config::parse(path, text) {
        Ok(config) => {
            assert!((61..=86_400).contains(&config.tokens.lifetime_seconds));
            assert!(config.admin_listen.ip().is_loopback());
            assert!(!config.public_url.ends_with('/'));
            assert_eq!(config.products().expect("checked products").iter().count(), config.product.len());
            no_two_share_a_route(&config.product);
            let longer = Config::parse(path, &format!("{text}\n[hunter]\n"));
            assert!(matches!(longer, Err(ConfigError::UnknownField { field, .. }) if field == "hunter"));
        }
        Err(error) => {
            if let ConfigError::Malformed { line, .. } | ConfigError::UnknownField { line, .. } = &error {
                assert!((1..=text.split('\n').count()).contains(line), "{error}");
            }
            let message = error.to_string();
            assert!(!holds_password(text) || !message.contains(PASSWORD), "{message}");
        }
    }
});

/// Whether the password stands once, in the value of a URL: names of fields, routes and the like are quoted in messages.
fn holds_password(text: &str) -> bool {
    let is_url = |line: &str| {
        let value = line.strip_prefix("url = \"").or_else(|| line.strip_prefix("smtp_url = \""));
        value.and_then(|value| value.strip_suffix('"')).is_some_and(|value| !value.contains(['"', '\\']))
    };
    let plain = !text.contains("\"\"\"") && !text.contains("'''") && text.matches(PASSWORD).count() == 1;
    plain && text.lines().any(|line| line.contains(PASSWORD) && is_url(line))
}

fn no_two_share_a_route(products: &[Product]) {
    let mut routes: Vec<(Vec<Segment>, &[String])> = Vec::new();
    for product in products {
        for text in &product.routes {
            let template = reference::template(text).expect("a template");
            for (other, hosts) in &routes {
                let shared =
                    product.hosts.iter().any(|host| hosts.iter().any(|known| known.eq_ignore_ascii_case(host)));
                let everywhere = product.hosts.is_empty() && hosts.is_empty();
                let same = reference::same_paths(&template, other);
                assert!(!same || !(shared || everywhere), "two routes for the same paths: {text}");
            }
            routes.push((template, &product.hosts));
        }
    }
}
