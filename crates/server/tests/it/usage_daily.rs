//! Counters by day: they agree with those by hour after everything that can happen, and answer what is asked of days.

use serde_json::json;
use tollgate_server::operations::{CallsOf, DRAWN_DAYS};

use crate::world::World;

const DAY: i64 = 86_400;

/// What the hours say of each day, and what the days say.
const BY_HOUR: &str =
    "SELECT account_id || ' ' || (hour / 86400000000) || project_id || credential_id || product || ' '
    || SUM(calls) || ' ' || SUM(denied) FROM usage_hourly
    GROUP BY account_id, hour / 86400000000, project_id, credential_id, product ORDER BY 1";
const BY_DAY: &str = "SELECT account_id || ' ' || (day / 86400000000) || project_id || credential_id || product || ' '
    || calls || ' ' || denied FROM usage_daily ORDER BY 1";
const TOTALS_BY_HOUR: &str = "SELECT account_id || ' ' || (hour / 86400000000) || project_id || product || ' '
    || SUM(calls) || ' ' || SUM(denied) FROM usage_hourly
    GROUP BY account_id, hour / 86400000000, project_id, product ORDER BY 1";
const TOTALS: &str = "SELECT account_id || ' ' || (day / 86400000000) || project_id || product || ' '
    || calls || ' ' || denied FROM usage_daily_totals ORDER BY 1";

async fn days_agree(world: &World) -> Vec<String> {
    let days = world.texts(BY_DAY).await;
    assert_eq!(world.texts(BY_HOUR).await, days);
    assert_eq!(world.texts(TOTALS_BY_HOUR).await, world.texts(TOTALS).await);
    days
}

on_both_engines! {
    async fn days_agree_with_hours_through_midnight_denials_and_a_restart(world: World) {
        let key = world.customer(&["demo", "sms"]).await;
        let stranger = world.customer(&["demo"]).await;
        // From 14:13 on the first day until the third.
        for _ in 0..40 {
            world.call(&key).basic(&key.id, &key.secret).send().await.is(200);
            world.call(&stranger).basic(&key.id, &key.secret).send().await.is(403);
            world.pass(3_600);
        }
        world.usage(&key.account, "day").await;
        assert_eq!(days_agree(&world).await.len(), 3);
        let world = world.reopen(|_| {}).await;
        world.call(&key).basic(&key.id, &key.secret).send().await.is(200);
        world.usage(&key.account, "day").await;
        days_agree(&world).await;
        let usage = world.usage(&key.account, "day").await;
        let calls: Vec<_> = usage["usage"].as_array().expect("days").iter().map(|row| row["calls"].clone()).collect();
        assert_eq!(calls, [10, 24, 7]);
    }

    async fn the_migration_fills_the_days_from_the_hours(world: World) {
        let key = world.customer(&["demo"]).await;
        for _ in 0..30 {
            world.call(&key).basic(&key.id, &key.secret).send().await.is(200);
            world.pass(3_600);
        }
        world.usage(&key.account, "day").await;
        let before = days_agree(&world).await;
        world.execute("DROP TABLE usage_daily").await;
        world.execute("DROP TABLE usage_daily_totals").await;
        world.execute("DELETE FROM _sqlx_migrations WHERE version = 3").await;
        let world = world.reopen(|_| {}).await;
        assert_eq!((days_agree(&world).await, before.len()), (before, 2));
    }

    async fn keys_over_many_months_have_the_sums_of_their_days(world: World) {
        let key = world.customer(&["demo"]).await;
        let second = world.new_key(&key.project, &json!({ "displayName": "second", "scopes": ["demo"] })).await;
        let first_day = world.now().day();
        // Some 200 days, and a call of the second key on every other of them.
        for round in 0..40 {
            world.call(&key).basic(&key.id, &key.secret).send().await.is(200);
            if round % 2 == 0 {
                world.call(&key).basic(&second.id, &second.secret).send().await.is(200);
            }
            world.pass(5 * DAY);
        }
        let now = world.now().day();
        let ask = async |from: i64, to: i64, group: &str| {
            let (from, to) = (first_day.plus_seconds(from), now.plus_seconds(to));
            let path = format!("/v1/accounts/{}/usage?groupBy={group}&from={from}&to={to}", key.account);
            world.read(&path).await
        };
        // The last is the one whole month of October.
        let whole = [(0, 0), (0, DAY), (9 * DAY, -7 * DAY), (0, -160 * DAY), (0, 400 * DAY), (10 * DAY, -159 * DAY)];
        let broken = [(3 * DAY + 7_200, DAY), (50_400, -3_600), (54_000, -3 * DAY + 50_400)];
        for (from, to) in whole.into_iter().chain(broken) {
            let hours = ask(from, to, "hour").await;
            for group in ["project", "key", "product", "day"] {
                assert_eq!(ask(from, to, group).await["totalCalls"], hours["totalCalls"], "{group} {from} {to}");
            }
        }
        let all = ask(0, DAY, "key").await;
        let calls: Vec<_> = all["usage"].as_array().expect("keys").iter().map(|row| row["calls"].clone()).collect();
        assert_eq!(calls, [40, 20]);
        world.execute("DROP TABLE usage_monthly").await;
        world.execute("DELETE FROM _sqlx_migrations WHERE version = 4").await;
        let world = world.reopen(|_| {}).await;
        world.execute("ALTER TABLE usage_monthly ADD COLUMN units INT NOT NULL DEFAULT 0").await;
        let path = format!("/v1/accounts/{}/usage?groupBy=key&from={first_day}", key.account);
        assert_eq!(world.read(&path).await["totalCalls"], 60, "the migration fills the months from the days");
    }

    async fn whole_days_and_hours_give_the_same_sums(world: World) {
        let key = world.customer(&["demo"]).await;
        for _ in 0..30 {
            world.call(&key).basic(&key.id, &key.secret).send().await.is(200);
            world.pass(3_600);
        }
        let midnight = world.now().day().plus_seconds(-DAY);
        let ask = async |from: i64, to: i64, group: &str| {
            let (from, to) = (midnight.plus_seconds(from), midnight.plus_seconds(to));
            let path = format!("/v1/accounts/{}/usage?groupBy={group}&from={from}&to={to}", key.account);
            world.read(&path).await["totalCalls"].as_i64().expect("a sum")
        };
        for group in ["project", "key", "product", "day", "hour"] {
            assert_eq!(ask(0, DAY, group).await, 10, "{group}: 14:13 to 23:13");
            assert_eq!(ask(DAY, 2 * DAY, group).await, 20, "{group}");
            assert_eq!(ask(0, 2 * DAY, group).await, 30, "{group}");
            assert_eq!(ask(DAY, DAY, group).await, 0, "{group}");
            assert_eq!(ask(23 * 3_600, DAY, group).await, 1, "{group}: one hour");
            assert_eq!(ask(23 * 3_600, DAY + 3_600, group).await, 2, "{group}: the hours around midnight");
            assert_eq!(ask(22 * 3_600, 2 * DAY, group).await, 22, "{group}: two hours and a day");
            assert_eq!(ask(0, DAY + 3_600, group).await, 11, "{group}: a day and an hour");
            assert_eq!(ask(15 * 3_600, 90 * DAY, group).await, 29, "{group}: nothing is counted later than now");
        }
    }

    async fn calls_by_day_are_those_of_the_range_on_30_days(world: World) {
        let key = world.customer(&["demo"]).await;
        let below = world.new_subproject(&key.project).await;
        let second = world.new_key(&key.project, &json!({ "displayName": "second", "scopes": ["demo"] })).await;
        let other = world.new_project(&key.account).await;
        let third = world.new_key(&other, &json!({ "displayName": "third", "scopes": ["demo"] })).await;
        let call = async |id: &str, secret: &str, project: &str| {
            world.gate(&format!("/v1/projects/{project}/things")).basic(id, secret).send().await.is(200);
        };
        call(&key.id, &key.secret, &key.project).await;
        world.pass(DAY);
        call(&key.id, &key.secret, &key.project).await;
        call(&key.id, &key.secret, &below).await;
        world.pass(28 * DAY);
        call(&second.id, &second.secret, &key.project).await;
        call(&third.id, &third.secret, &other).await;
        let parsed = |text: &str| text.parse().expect("an id");
        let (account, project) = (key.account.parse().expect("an id"), key.project.parse().expect("an id"));
        let keys = async |first: &str, last: &str| {
            world.app.calls_by_day(CallsOf::Keys(account, project, parsed(first), parsed(last))).await.expect("calls")
        };
        let both = keys(&key.id, &third.id).await;
        assert_eq!(both.len(), 2, "another project's key lies in the range and is not asked for");
        let mut expected = [0; DRAWN_DAYS];
        (expected[0], expected[1]) = (1, 2);
        assert_eq!(both[&key.id], expected);
        assert_eq!((both[&second.id][29], both[&second.id].iter().sum::<i64>()), (1, 1));
        assert_eq!(keys(&second.id, &second.id).await.len(), 1);
        world.pass(DAY);
        assert_eq!(keys(&key.id, &key.id).await[&key.id][0], 2, "the first day is over the edge");

        let ids = [&key.project, &below, &other].map(|id| id.parse().expect("an id"));
        let (first, last) = (ids.iter().min().expect("some"), ids.iter().max().expect("some"));
        let projects = world.app.calls_by_day(CallsOf::Projects(account, *first, *last)).await.expect("calls");
        let sums = [&key.project, &below, &other].map(|id| projects[id].iter().sum::<i64>());
        assert_eq!(sums, [2, 1, 1]);
        let strangers = world.customer(&["demo"]).await.account.parse().expect("an id");
        let none = world.app.calls_by_day(CallsOf::Projects(strangers, *first, *last)).await.expect("calls");
        assert!(none.is_empty());
    }
}
