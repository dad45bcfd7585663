//! What was acknowledged is kept: `kill -9` at random moments under load, and nothing is lost, back, or counted twice.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use crate::kill_load::{Dice, Managed, Manager, call};
use crate::kill_model::{Calls, KnownKey, check_usage};
use crate::server::{House, Server};
use crate::wire::{Request, once};
use crate::world::{Key, World, connect};

const ROUNDS: u64 = 8;
const CALLERS: usize = 4;
const MANAGERS: u64 = 2;

#[test]
fn a_kill_loses_nothing_that_was_acknowledged_with_durability_process() {
    kill_and_compare("process", 0x5eed_0001);
}

#[test]
fn a_kill_loses_nothing_that_was_acknowledged_with_durability_disk() {
    kill_and_compare("disk", 0x5eed_0002);
}

/// What is known over all rounds.
struct Known {
    world: World,
    callers: Vec<Key>,
    calls: BTreeMap<String, Calls>,
    keys: Vec<KnownKey>,
    acknowledged: Vec<(&'static str, String)>,
}

fn kill_and_compare(durability: &str, seed: u64) {
    let limits = "keys_per_project = 100000\ntoken_per_second = 0\nbasic_per_second = 0\nguess_per_second = 0";
    let mut house = House::new(&format!("[limits]\n{limits}\n[metering]\ndurability = '{durability}'"));
    let mut server = house.start();
    let world = World::new(server.operator());
    let callers: Vec<Key> = (0..CALLERS).map(|number| world.key(&format!("caller {number}"))).collect();
    let calls = callers.iter().map(|key| (key.id.clone(), Calls::default())).collect();
    let mut known = Known { world, callers, calls, keys: Vec::new(), acknowledged: Vec::new() };
    let mut dice = Dice(seed);
    for round in 0..ROUNDS {
        let moment = Duration::from_millis(30 + dice.below(300));
        let doubtful = known.load_and_kill(server, round, moment, &mut dice);
        server = house.start();
        known.compare(&server, &doubtful);
    }
    let calls: i64 = known.calls.values().map(|calls| calls.acknowledged).sum();
    let changes = known.acknowledged.len();
    assert!(calls > 100 && changes > 10, "too little load: {calls} calls, {changes} changes");
}

impl Known {
    /// Lets the load run until the moment of the kill. Returns the names of keys that may or may not exist.
    fn load_and_kill(&mut self, server: Server, round: u64, moment: Duration, dice: &mut Dice) -> Vec<String> {
        let public = server.public();
        let requests: Vec<(String, Request)> = self
            .callers
            .iter()
            .enumerate()
            .map(|(at, key)| {
                let gate = self.world.gate();
                let request = if at == 0 { gate.basic(&key.id, &key.secret) } else { gate.bearer(&key.token(&public)) };
                (key.id.clone(), request)
            })
            .collect();
        let managers: Vec<Manager> = (0..MANAGERS)
            .map(|number| Manager {
                operator: connect(&server.operator()),
                public: connect(&public),
                world: self.world.clone(),
                dice: Dice(dice.below(u64::MAX) | 1),
                name: format!("round {round} manager {number}"),
                managed: Managed::default(),
            })
            .collect();
        let (calls, managed) = std::thread::scope(|scope| {
            let callers: Vec<_> =
                requests.iter().map(|(id, request)| (id, scope.spawn(|| call(&public, request)))).collect();
            let managers: Vec<_> = managers.into_iter().map(|manager| scope.spawn(move || manager.run())).collect();
            // The moment of the kill is random; no condition is waited for.
            std::thread::sleep(moment);
            server.kill();
            let calls: Vec<_> =
                callers.into_iter().map(|(id, worker)| (id, worker.join().expect("a caller"))).collect();
            let managed: Vec<_> = managers.into_iter().map(|worker| worker.join().expect("a manager")).collect();
            (calls, managed)
        });
        for (id, calls) in calls {
            let sum = self.calls.get_mut(id).expect("a caller's key");
            sum.acknowledged += calls.acknowledged;
            sum.unanswered += calls.unanswered;
        }
        let mut doubtful = Vec::new();
        for managed in managed {
            self.keys.extend(managed.keys);
            self.acknowledged.extend(managed.acknowledged);
            doubtful.extend(managed.doubtful_names);
        }
        doubtful
    }

    fn compare(&mut self, server: &Server, doubtful: &[String]) {
        self.compare_lists(doubtful);
        self.compare_audit();
        let keys = std::mem::take(&mut self.keys);
        self.keys = keys.into_iter().filter_map(|known| known.checked(server, &self.world, &self.callers[0])).collect();
        check_usage(&self.world, &mut self.calls);
    }

    /// The counter of live keys agrees with the list, and a key that nobody knows is one whose answer never came.
    fn compare_lists(&mut self, doubtful: &[String]) {
        let operator = &self.world.operator;
        let list = once(operator, &Request::get(format!("{}?pageSize=1000", self.world.keys()))).expect(200).json();
        let list = list["accessKeys"].as_array().expect("keys").clone();
        let project = once(operator, &Request::get(format!("/v1/projects/{}", self.world.project))).expect(200).json();
        assert_eq!(project["accessKeys"].as_u64(), u64::try_from(list.len()).ok(), "the counter of live keys");
        let known: BTreeSet<&str> =
            self.keys.iter().map(|known| &*known.key.id).chain(self.callers.iter().map(|key| &*key.id)).collect();
        for key in list.iter().filter(|key| !known.contains(text(key, "accessKeyId"))) {
            let name = text(key, "displayName");
            assert!(doubtful.iter().any(|doubtful| doubtful == name), "nobody made the key {name}");
            let delete = Request::new("DELETE", format!("{}/{}", self.world.keys(), text(key, "accessKeyId")));
            once(operator, &delete).expect(200);
        }
    }

    /// Every acknowledged change is in the audit trail.
    fn compare_audit(&self) {
        let (mut events, mut page) = (BTreeMap::<(String, String), usize>::new(), String::new());
        loop {
            let target = format!("/v1/accounts/{}/auditEvents?pageSize=1000&pageToken={page}", self.world.account);
            let answer = once(&self.world.operator, &Request::get(target)).expect(200).json();
            for event in answer["auditEvents"].as_array().expect("events") {
                *events.entry((text(event, "action").to_owned(), text(event, "target").to_owned())).or_default() += 1;
            }
            text(&answer, "nextPageToken").clone_into(&mut page);
            if page.is_empty() {
                break;
            }
        }
        let mut acknowledged = BTreeMap::<(String, String), usize>::new();
        for (action, id) in &self.acknowledged {
            *acknowledged.entry(((*action).to_owned(), id.clone())).or_default() += 1;
        }
        for (change, count) in acknowledged {
            let found = events.get(&change).copied().unwrap_or(0);
            assert!(
                found == count || found == count + 1,
                "{change:?} was acknowledged {count} times, the trail has {found}"
            );
        }
    }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("no {field} in {value}"))
}
