//! What the token endpoint refuses, how, and how often.

use crate::ask::Ask;
use crate::world::{Key, World};

const GRANT: &str = "grant_type=client_credentials";

/// A well-formed secret that fits no key: the digits of another one.
async fn foreign_secret(world: &World) -> String {
    world.customer(&[]).await.secret
}

fn form(world: &World) -> Ask {
    world.ask("POST", "/oauth2/token")
}

on_both_engines! {
    async fn two_ways_of_client_authentication_at_once_are_refused(world: World) {
        let key = world.customer(&[]).await;
        let other = world.customer(&[]).await;
        let both = format!("{GRANT}&client_id={}&client_secret={}", key.id, key.secret);
        form(&world).basic(&key.id, &key.secret).form(&both).send().await.oauth(400, "invalid_request");
        let differs = format!("{GRANT}&client_id={}", other.id);
        form(&world).basic(&key.id, &key.secret).form(&differs).send().await.oauth(400, "invalid_request");
        let twice = form(&world).basic(&key.id, &key.secret).basic(&key.id, &key.secret).form(GRANT);
        twice.send().await.oauth(400, "invalid_request");
    }

    async fn a_request_that_is_wrong_in_its_form_is_told_so(world: World) {
        let key = world.customer(&[]).await;
        let ask = |body: &str| form(&world).basic(&key.id, &key.secret).form(body).send();
        for repeated in ["grant_type=client_credentials", "scope=&scope=", "x=1&x=2", "%73cope=a&scope=a"] {
            ask(&format!("{GRANT}&{repeated}")).await.oauth(400, "invalid_request");
        }
        ask("scope=x").await.oauth(400, "invalid_request");
        ask("grant_type=").await.oauth(400, "invalid_request");
        for grant in ["password", "authorization_code", "refresh_token", "Client_Credentials", "client_credentials+"] {
            ask(&format!("grant_type={grant}")).await.oauth(400, "unsupported_grant_type");
        }
        let many: String = (0..101).map(|at| format!("&f{at}=1")).collect();
        ask(&format!("{GRANT}{many}")).await.oauth(400, "invalid_request");
        ask(&format!("{GRANT}&x={}", "x".repeat(65_536))).await.oauth(413, "invalid_request");
    }

    async fn only_plain_forms_are_read(world: World) {
        let key = world.customer(&[]).await;
        let ask = || form(&world).basic(&key.id, &key.secret);
        ask().header("content-type", "application/json").body("{}").send().await.oauth(415, "invalid_request");
        ask().header("content-type", "multipart/form-data; boundary=x").body("").send().await.oauth(415, "invalid_request");
        ask().body(GRANT).send().await.oauth(415, "invalid_request");
        ask().form(GRANT).header("content-encoding", "gzip").send().await.oauth(415, "invalid_request");
    }

    async fn other_methods_are_told_which_one_to_use(world: World) {
        for path in ["/oauth2/token", "/oauth2/revoke", "/oauth2/introspect"] {
            for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "HEAD"] {
                let answer = world.ask(method, path).send().await.is(405);
                assert_eq!(answer.header("allow"), "POST", "{method} {path}");
                assert_eq!(answer.header("access-control-allow-origin"), "");
            }
        }
        let answer = world.ask("POST", "/.well-known/jwks.json").send().await.is(405);
        assert_eq!(answer.header("allow"), "GET,HEAD");
    }

    async fn credentials_in_the_url_are_refused(world: World) {
        let key = world.customer(&[]).await;
        let pair = format!("client_id={}&client_secret={}", key.id, key.secret);
        let answer = world.ask("POST", &format!("/oauth2/token?{pair}")).form(GRANT).send().await;
        answer.oauth(400, "invalid_request");
        assert!(!answer.text.contains(&key.secret));
    }

    async fn a_client_that_does_not_authenticate_gets_401_with_a_challenge(world: World) {
        let key = world.customer(&[]).await;
        let cut = &key.secret[..key.secret.len() - 1];
        let bad = |value: &str| form(&world).header("authorization", value).form(GRANT);
        let asks = vec![
            form(&world).form(GRANT),
            form(&world).form(&format!("{GRANT}&client_id={}", key.id)),
            form(&world).form(&format!("{GRANT}&client_id={}&client_secret={cut}", key.id)),
            form(&world).form(&format!("{GRANT}&client_id={}&client_secret={}%00", key.id, key.secret)),
            form(&world).basic(&key.id, cut).form(GRANT),
            form(&world).basic(&key.id, &format!("{}0", key.secret)).form(GRANT),
            form(&world).basic(&key.id, &format!("{}\0", key.secret)).form(GRANT),
            form(&world).basic("", "").form(GRANT),
            form(&world).basic("nobody", &key.secret).form(GRANT),
            form(&world).basic(&key.id, "").form(GRANT),
            bad("Basic"), bad("Basic !!!"), bad("Basic bm8gY29sb24="), bad("Basic Og"), bad("Bearer abc"), bad("Digest a=b"), bad(""),
        ];
        for ask in asks {
            let answer = ask.send().await;
            answer.oauth(401, "invalid_client");
            assert_eq!(answer.challenge(), "Basic realm=\"tollgate\"");
            assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
            let words = answer.json()["error_description"].as_str().expect("a text").to_owned();
            assert!(words.bytes().all(|byte| matches!(byte, 0x20 | 0x21 | 0x23..=0x5B | 0x5D..=0x7E)), "{words}");
        }
    }

    async fn an_unknown_key_and_a_wrong_secret_cannot_be_told_apart(world: World) {
        let key = world.customer(&[]).await;
        let foreign = foreign_secret(&world).await;
        let deleted = world.customer(&[]).await;
        world.ask("DELETE", &deleted.path()).operator().send().await.is(200);
        let wrong = form(&world).basic(&key.id, &foreign).form(GRANT).send().await;
        wrong.oauth(401, "invalid_client");
        for (id, secret) in [
            ("01995a31-0000-7000-8000-000000000000", &foreign), (&*deleted.id, &deleted.secret), (&*deleted.id, &foreign),
            ("no id at all", &foreign), (&*key.id, &"no secret".to_owned()),
        ] {
            let answer = form(&world).basic(id, secret).form(GRANT).send().await;
            assert_eq!(answer.comparable(), wrong.comparable(), "{id}");
        }
    }

    async fn a_key_that_may_not_be_used_is_refused_like_an_unknown_one(world: World) {
        let key = world.customer(&[]).await;
        let unknown = form(&world).basic("01995a31-0000-7000-8000-000000000000", &key.secret).form(GRANT).send().await;
        world.key_verb(&key, "disable", &serde_json::json!({})).await;
        assert_eq!(world.ask_token(&key, "").await.comparable(), unknown.comparable());
    }

    async fn guesses_are_throttled_and_the_right_secret_goes_on_working(world: World) {
        let key = world.customer(&["demo"]).await;
        let foreign = foreign_secret(&world).await;
        let unknown = Key { id: "01995a31-0000-7000-8000-000000000000".to_owned(), ..key.clone() };
        for id in [&key.id, &unknown.id] {
            let mut refused = 0;
            while refused < 200 {
                let guess = form(&world).basic(id, &foreign).header("x-forwarded-for", &format!("203.0.113.{refused}"));
                let answer = guess.form(GRANT).send().await;
                if answer.status == 429 {
                    assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|wait| wait > 0));
                    answer.oauth(429, "slow_down");
                    break;
                }
                answer.oauth(401, "invalid_client");
                refused += 1;
            }
            assert!(refused < 200, "a guess too many for {id}");
        }
        let malformed = form(&world).basic(&key.id, "short").form(GRANT).send().await;
        malformed.oauth(429, "slow_down");
        world.ask_token(&key, "").await.is(200);
        world.call(&key).basic(&key.id, &key.secret).send().await.is(200);
        world.call(&key).basic(&key.id, &foreign).send().await.is(429);
        world.ask("GET", &key.path()).basic(&key.id, &foreign).send().await.google(429, "RESOURCE_EXHAUSTED");
        world.pass(1);
        form(&world).basic(&key.id, &foreign).form(GRANT).send().await.oauth(401, "invalid_client");
    }

    async fn a_key_gets_so_many_tokens_and_then_waits(world: World) {
        let key = world.customer(&[]).await;
        let other = world.new_key(&key.project, &serde_json::json!({ "displayName": "other" })).await;
        for _ in 0..30 {
            world.ask_token(&key, "").await.is(200);
        }
        let answer = world.ask_token(&key, "").await;
        answer.oauth(429, "slow_down");
        assert_eq!(answer.header("retry-after"), "1");
        world.ask_token(&other, "").await.is(200);
        world.pass(1);
        for _ in 0..10 {
            world.ask_token(&key, "").await.is(200);
        }
        world.ask_token(&key, "").await.oauth(429, "slow_down");
        let world = world.reopen(|config| config.limits.token_per_second = 0).await;
        for _ in 0..100 {
            world.ask_token(&key, "").await.is(200);
        }
    }

    async fn exactly_one_host_header_is_wanted(world: World) {
        let key = world.customer(&["demo"]).await;
        let none = form(&world).without("host").basic(&key.id, &key.secret).form(GRANT);
        none.send().await.oauth(400, "invalid_request");
        let two = form(&world).header("host", "other.example").basic(&key.id, &key.secret).form(GRANT);
        two.send().await.oauth(400, "invalid_request");
        world.ask("GET", &key.path()).without("host").operator().send().await.google(400, "INVALID_ARGUMENT");
    }
}
