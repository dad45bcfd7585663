//! Sessions: cookies, cross-site requests, growing delays, the password again, and what ends them.

use serde_json::json;
use tollgate_server::operations::{Actor, Doing};

use crate::world::World;

const PASSWORD: &str = "seven-geese-fly";

/// The path of a link that was printed.
fn path(url: &str) -> String {
    url.strip_prefix("https://tollgate.example").expect("a page of the public URL").to_owned()
}

/// Sets up as the first start does: the session's cookie, and the first project's path.
async fn set_up(world: &World) -> (String, String) {
    let link = path(&world.app.setup_link(&Doing::by(&Actor::Operator)).await.expect("a link").url);
    let token = link.split_once("token=").expect("a token").1.to_owned();
    world.ask("GET", &link).send().await.is(200);
    let form = format!("token={token}&email=Owner%40Example.com&password={PASSWORD}&account=Example&project=first");
    let answer = world.ask("POST", "/setup").header("sec-fetch-site", "same-origin").form(&form).send().await.is(303);
    let cookie = answer.header("set-cookie").split(';').next().expect("a pair").to_owned();
    let project = answer.header("location").strip_suffix("/keys/new").expect("the new key's form").to_owned();
    world.ask("GET", &link).send().await.is(404);
    world.ask("POST", "/setup").form(&form).send().await.is(404);
    (cookie, project)
}

async fn sign_in(world: &World, email: &str, password: &str) -> crate::ask::Answer {
    let form = format!("email={email}&password={password}&next=%2Fhelp");
    world.ask("POST", "/sign-in").header("sec-fetch-site", "same-origin").form(&form).send().await
}

on_both_engines! {
    async fn set_up_works_once_and_leads_to_the_first_key(world: World) {
        let (cookie, project) = set_up(&world).await;
        world.ask("GET", &format!("{project}/keys/new")).header("cookie", &cookie).send().await.is(200);
        world.app.setup_link(&Doing::by(&Actor::Operator)).await.err().expect("it is set up");
        let answer = sign_in(&world, "owner%40example.com", PASSWORD).await.is(303);
        assert_eq!(answer.header("location"), "/help");
    }
}

#[tokio::test]
async fn the_cookie_is_bound_to_the_host_and_no_script_reads_it() {
    let world = World::on_sqlite().await;
    set_up(&world).await;
    let answer = sign_in(&world, "owner%40example.com", PASSWORD).await.is(303);
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("__Host-tollgate=tgc_"), "{cookie}");
    for part in ["; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
    assert!(!cookie.contains("Domain"));
    let page = world.ask("GET", "/sign-in").send().await.is(200);
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"));
    assert_eq!(page.header("referrer-policy"), "same-origin");
    assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
    assert_eq!(page.header("cache-control"), "no-store");
}

#[tokio::test]
async fn another_sites_page_changes_nothing() {
    let world = World::on_sqlite().await;
    let (cookie, project) = set_up(&world).await;
    let settings = format!("{project}/settings");
    let post = |name: &str, value: &str| {
        world.ask("POST", &settings).header("cookie", &cookie).header(name, value).form("display_name=stolen")
    };
    for site in ["cross-site", "same-site"] {
        post("sec-fetch-site", site).send().await.is(403);
    }
    for origin in ["https://evil.example", "null", "https://tollgate.example.evil.example"] {
        post("origin", origin).send().await.is(403);
    }
    let page = world.ask("GET", &settings).header("cookie", &cookie).send().await.is(200);
    assert!(!page.text.contains("stolen"));
    post("origin", "https://tollgate.example").send().await.is(303);
}

#[tokio::test]
async fn wrong_passwords_are_delayed_and_tell_nothing_about_who_exists() {
    let world = World::on_sqlite().await;
    set_up(&world).await;
    let mut pages = Vec::new();
    for email in ["owner%40example.com", "nobody%40example.com"] {
        let answer = sign_in(&world, email, "wrong-wrong-wrong").await.is(422);
        let id = answer.header("request-id").to_owned();
        let text = answer.text.replace(&id, "").replace(&email.replace("%40", "@"), "");
        pages.push(text);
    }
    assert_eq!(pages[0], pages[1]);
    for _ in 0..4 {
        sign_in(&world, "owner%40example.com", "wrong-wrong-wrong").await.is(422);
    }
    let answer = sign_in(&world, "owner%40example.com", PASSWORD).await.is(429);
    assert!(answer.text.contains("Try again in"), "{}", answer.text);
    let wait: i64 = answer.header("retry-after").parse().expect("seconds");
    world.pass(wait);
    sign_in(&world, "owner%40example.com", PASSWORD).await.is(303);
}

#[tokio::test]
async fn a_session_ends_by_time_and_when_it_is_not_used() {
    let world = World::on_sqlite().await;
    let (cookie, project) = set_up(&world).await;
    let seen = async || world.ask("GET", &project).header("cookie", &cookie).send().await.status;
    for _ in 0..6 {
        world.pass(2 * 86_400);
        assert_eq!(seen().await, 200);
    }
    world.pass(2 * 86_400);
    assert_eq!(seen().await, 303, "after fourteen days");
    let (cookie, project) = {
        let answer = sign_in(&world, "owner%40example.com", PASSWORD).await.is(303);
        (answer.header("set-cookie").split(';').next().expect("a pair").to_owned(), project.clone())
    };
    world.pass(3 * 86_400 + 1);
    world.ask("GET", &project).header("cookie", &cookie).send().await.is(303);
}

#[tokio::test]
async fn what_cannot_be_undone_asks_for_the_password_again() {
    let world = World::on_sqlite().await;
    let (cookie, project) = set_up(&world).await;
    let archive = format!("{project}/archive");
    let ask = |method: &str, path: &str| world.ask(method, path).header("cookie", &cookie);
    ask("GET", &archive).send().await.is(200);
    world.pass(901);
    for method in ["GET", "POST"] {
        let answer = ask(method, &archive).form("name=first").send().await.is(303);
        assert_eq!(answer.header("location"), format!("/confirm?next={}", archive.replace('/', "%2F")));
    }
    ask("POST", "/confirm").form("password=wrong-wrong&next=%2F").send().await.is(422);
    let answer = ask("POST", "/confirm").form(&format!("password={PASSWORD}&next={archive}")).send().await.is(303);
    assert_eq!(answer.header("location"), archive);
    let renewed = answer.header("set-cookie").split(';').next().expect("a pair").to_owned();
    assert_ne!(renewed, cookie, "a new cookie");
    world.ask("GET", &archive).header("cookie", &renewed).send().await.is(200);
    // The old one is taken for requests under way, and then no more.
    world.pass(31);
    ask("GET", &project).send().await.is(303);
}

#[tokio::test]
async fn a_session_lives_on_when_the_clock_is_set_forward_and_back() {
    let world = World::on_sqlite().await;
    let (cookie, project) = set_up(&world).await;
    world.pass(3_600);
    let answer = sign_in(&world, "owner%40example.com", PASSWORD).await.is(303);
    let ahead = answer.header("set-cookie").split(';').next().expect("a pair").to_owned();
    world.pass(-3_600);
    for cookie in [&cookie, &ahead] {
        world.ask("GET", &project).header("cookie", cookie).send().await.is(200);
    }
    // The password that was given in what is the future now is asked for again.
    world.ask("GET", &format!("{project}/archive")).header("cookie", &ahead).send().await.is(303);
}

#[tokio::test]
async fn the_way_back_leads_to_our_own_pages_only() {
    let world = World::on_sqlite().await;
    set_up(&world).await;
    for next in [
        "https%3A%2F%2Fevil.example",
        "%2F%2Fevil.example",
        "%2F%5Cevil.example",
        "javascript%3Aalert",
        "%2F%09%2Fevil.example",
    ] {
        let form = format!("email=owner%40example.com&password={PASSWORD}&next={next}");
        let answer = world.ask("POST", "/sign-in").form(&form).send().await.is(303);
        assert_eq!(answer.header("location"), "/", "{next}");
    }
}

#[tokio::test]
async fn a_change_of_role_gives_the_session_a_new_cookie() {
    let world = World::on_sqlite().await;
    let account = world.new_account().await;
    let member = world.member(&account, "developer").await;
    let user = world.texts("SELECT id FROM users").await.remove(0);
    let page = format!("/accounts/{account}/keys");
    assert!(member.page(&page).await.is(200).header("set-cookie").is_empty());
    world.pass(1);
    let roles = format!("/v1/accounts/{account}/members/{user}");
    world.ask("PATCH", &roles).operator().json(&json!({ "role": "admin" })).send().await.is(200);
    let answer = member.page(&page).await.is(200);
    assert!(answer.header("set-cookie").starts_with("__Host-tollgate=tgc_"));
}
