//! `POST /oauth2/token` as clients in the field use it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::world::{World, id};

/// Header and claims of a token, unverified.
pub(crate) fn decoded(token: &str) -> [Value; 2] {
    let mut parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).expect("base64url"));
    let mut part = || parts.next().expect("three parts");
    [part(), part()].map(|bytes| serde_json::from_slice(&bytes).expect("JSON"))
}

on_both_engines! {
    async fn a_token_says_who_what_where_and_until_when(world: World) {
        let key = world.customer(&["sms", "demo"]).await;
        let answer = world.ask_token(&key, "").await.is(200);
        assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
        assert_eq!(answer.header("access-control-allow-origin"), "");
        let body = answer.json();
        assert_eq!(body.as_object().map(serde_json::Map::len), Some(4), "no refresh token: {body}");
        assert_eq!((&body["token_type"], &body["expires_in"], &body["scope"]), (&json!("bearer"), &json!(3600), &json!("demo sms")));

        let [header, claims] = decoded(&id(&body, "access_token"));
        assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!("ES256")));
        assert_eq!(header.as_object().map(serde_json::Map::len), Some(3), "typ, alg and kid alone: {header}");
        let now = world.now().seconds();
        for (claim, value) in [
            ("iss", json!("https://tollgate.example")), ("aud", json!("https://tollgate.example")), ("sub", json!(key.id)),
            ("client_id", json!(key.id)), ("iat", json!(now)), ("exp", json!(now + 3_600)), ("scope", json!("demo sms")),
            ("project_id", json!(key.project)), ("account_id", json!(key.account)), ("key_generation", json!(0)),
        ] {
            assert_eq!(claims[claim], value, "{claim}");
        }
        assert!(id(&claims, "jti").len() >= 16);
    }

    async fn a_foreign_library_verifies_a_token_by_the_jwks(world: World) {
        for algorithm in ["ES256", "EdDSA", "RS256"] {
            let fresh = World::new(None).await.reopen(|config| config.tokens.algorithm = algorithm.parse().expect("known")).await;
            fresh.make("/v1/signingKeys/rotate", &json!({})).await;
            fresh.pass(300);
            fresh.make("/v1/signingKeys/rotate", &json!({})).await;
            let key = fresh.customer(&["demo"]).await;
            let token = fresh.token(&key).await;
            let header = jsonwebtoken::decode_header(&token).expect("a JWT");
            assert_eq!(format!("{:?}", header.alg), algorithm.to_uppercase().replace("EDDSA", "EdDSA"));
            let set = fresh.ask("GET", "/.well-known/jwks.json").send().await.is(200).text;
            let set: jsonwebtoken::jwk::JwkSet = serde_json::from_str(&set).expect("a JWKS");
            let jwk = set.find(header.kid.as_deref().expect("a kid")).expect("the signer is published");
            let mut rules = jsonwebtoken::Validation::new(header.alg);
            rules.set_audience(&["https://tollgate.example"]);
            rules.set_issuer(&["https://tollgate.example"]);
            rules.validate_exp = false;
            let decoding = jsonwebtoken::DecodingKey::from_jwk(jwk).expect("a public key");
            let claims = jsonwebtoken::decode::<Value>(&token, &decoding, &rules).expect("the signature fits").claims;
            assert_eq!(claims["sub"], key.id);
        }
        let key = world.customer(&["demo"]).await;
        let token = world.token(&key).await;
        let set = world.ask("GET", "/.well-known/jwks.json").send().await.is(200).text;
        assert!(set.contains(&id(&decoded(&token)[0], "kid")));
    }

    async fn a_client_authenticates_by_basic_or_in_the_body(world: World) {
        let key = world.customer(&[]).await;
        let ask = || world.ask("POST", "/oauth2/token");
        let pair = format!("client_id={}&client_secret={}", key.id, key.secret);
        let grant = "grant_type=client_credentials";
        ask().form(&format!("{grant}&{pair}")).send().await.is(200);
        ask().basic(&key.id, &key.secret).form(&format!("{grant}&client_id={}", key.id)).send().await.is(200);
        let encoded = |text: &str| text.replace('-', "%2D").replace('_', "%5f");
        ask().basic(&encoded(&key.id), &encoded(&key.secret)).form(grant).send().await.is(200);
        let lower = crate::ask::basic(&key.id, &key.secret).replace("Basic", "bASIC");
        ask().header("authorization", &lower).form(grant).send().await.is(200);
        ask().basic(&key.id.to_uppercase(), &key.secret).form(grant).send().await.is(200);
        let typed = ask().basic(&key.id, &key.secret).header("content-type", "application/x-www-form-urlencoded; charset=UTF-8");
        typed.body(grant).send().await.is(200);
    }

    async fn a_scope_narrows_a_token_and_is_always_named(world: World) {
        let key = world.customer(&["sms", "demo"]).await;
        let narrow = world.ask_token(&key, "&scope=sms").await.is(200).json();
        assert_eq!(narrow["scope"], "sms");
        assert_eq!(decoded(&id(&narrow, "access_token"))[1]["scope"], "sms");
        assert_eq!(world.ask_token(&key, "&scope=").await.is(200).json()["scope"], "demo sms", "empty counts as absent");
        assert_eq!(world.ask_token(&key, "&scope=sms+demo+sms").await.is(200).json()["scope"], "demo sms");
        let bare = world.customer(&[]).await;
        assert_eq!(world.ask_token(&bare, "").await.is(200).json()["scope"], "");
        for wrong in ["introspect", "sms+nonsense", "%22", "sms%0a"] {
            world.ask_token(&key, &format!("&scope={wrong}")).await.oauth(400, "invalid_scope");
        }
    }

    async fn a_resource_narrows_the_audience_to_a_product(world: World) {
        let key = world.customer(&["sms", "demo"]).await;
        let audience = async |resource: &str| {
            let body = world.ask_token(&key, &format!("&resource={resource}")).await.is(200).json();
            decoded(&id(&body, "access_token"))[1]["aud"].clone()
        };
        assert_eq!(audience("https://tollgate.example/sms").await, "https://tollgate.example/sms");
        assert_eq!(audience("https%3A%2F%2Ftollgate.example").await, "https://tollgate.example");
        for wrong in ["https://tollgate.example/", "https://elsewhere.example", "sms"] {
            world.ask_token(&key, &format!("&resource={wrong}")).await.oauth(400, "invalid_target");
        }
    }

    async fn unknown_parameters_are_ignored_and_become_no_claim(world: World) {
        let key = world.customer(&["demo"]).await;
        let body = world.ask_token(&key, "&account_id=other&sub=other&audience=x&lifetime=9999999").await.is(200).json();
        let [_, claims] = decoded(&id(&body, "access_token"));
        assert_eq!((&claims["account_id"], &claims["sub"]), (&json!(key.account), &json!(key.id)));
        assert_eq!(body["expires_in"], 3600);
        assert_eq!(claims.as_object().map(serde_json::Map::len), Some(11));
    }

    async fn the_lifetime_is_the_configured_one(world: World) {
        let world = world.reopen(|config| config.tokens.lifetime_seconds = 61).await;
        let key = world.customer(&["demo"]).await;
        let body = world.ask_token(&key, "").await.is(200).json();
        assert_eq!(body["expires_in"], 61);
        let [_, claims] = decoded(&id(&body, "access_token"));
        assert_eq!(claims["exp"].as_i64(), claims["iat"].as_i64().map(|at| at + 61));
    }

    async fn issuing_tokens_writes_no_row_per_token(world: World) {
        let key = world.customer(&["demo"]).await;
        let rows = "SELECT CAST(SUM(n) AS TEXT) FROM (SELECT COUNT(*) AS n FROM revoked_tokens UNION ALL SELECT COUNT(*) FROM
            audit_events UNION ALL SELECT COUNT(*) FROM usage_hourly UNION ALL SELECT COUNT(*) FROM key_secrets) AS counts";
        let before = world.texts(rows).await;
        for _ in 0..20 {
            world.token(&key).await;
        }
        world.usage(&key.account, "key").await;
        assert_eq!(world.texts(rows).await, before);
        assert_eq!(world.texts("SELECT CAST(COUNT(*) AS TEXT) FROM credential_activity").await, ["1"], "one row per secret");
    }
}
