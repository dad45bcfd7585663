//! The decision table of the gate.

use super::*;
use crate::clock::End;
use crate::credential::{Above, AccountEntry, KeyEntry};
use crate::id::AccountId;
use crate::random::SystemRandom;

struct World {
    key: KeyEntry,
    own: ProjectEntry,
    account: AccountEntry,
    product: Product,
}

fn id() -> ProjectId {
    ProjectId::new(Timestamp(0), &SystemRandom::default())
}

fn world() -> World {
    let random = SystemRandom::default();
    let account = AccountEntry { id: AccountId::new(Timestamp(0), &random), suspended: false };
    let own = ProjectEntry { id: id(), account: account.id, parent: None, archived: false };
    let key = KeyEntry {
        id: KeyId::new(Timestamp(0), &random),
        project: own.id,
        generation: 0,
        disabled: false,
        ends: End::NEVER,
        scopes: Scopes::parse("demo").expect("a scope"),
        addresses: Box::default(),
        token_rate: None,
        secrets: Box::default(),
    };
    let product = Product {
        name: "demo".into(),
        audience: "https://demo".into(),
        accepts_token: true,
        accepts_basic: false,
        accepts_api_token: false,
        scope: Some("demo".into()),
        errors: ErrorShape::Google,
        count: true,
        unit: None,
    };
    World { key, own, account, product }
}

impl World {
    fn decide(&self, path_project: PathProject<'_>, address: Option<&str>) -> Result<ProjectId, Denial> {
        decide(&Question {
            product: &self.product,
            key: &self.key,
            own: &self.own,
            scopes: &self.key.scopes,
            path_project,
            address: address.map(|text| text.parse().expect("an address")),
        })
    }
}

#[test]
fn a_key_reaches_its_own_project_and_its_subprojects_only() {
    let world = world();
    let sub = ProjectEntry { id: id(), parent: Some(world.own.id), ..world.own };
    let other = ProjectEntry { id: id(), ..world.own };
    let gone = ProjectEntry { archived: true, ..sub };
    let denied = Err(Denial::WrongProject { key: world.key.id, project: world.own.id });
    assert_eq!(world.decide(PathProject::None, None), Ok(world.own.id));
    assert_eq!(world.decide(PathProject::Known(&world.own), None), Ok(world.own.id));
    assert_eq!(world.decide(PathProject::Known(&sub), None), Ok(sub.id));
    assert_eq!(world.decide(PathProject::Known(&other), None), denied);
    assert_eq!(world.decide(PathProject::Known(&gone), None), denied);
    assert_eq!(world.decide(PathProject::Unknown, None), denied);
}

#[test]
fn a_service_plan_in_the_path_is_told_from_a_project() {
    let mut world = world();
    let plan = PlanId::new(Timestamp(0), &SystemRandom::default());
    let denied = |takes_plan| Err(Denial::PlanInPath { key: world.key.id, project: world.own.id, plan, takes_plan });
    let expected = [denied(false), denied(true)];
    let named = PathProject::Plan { id: plan, takes_plan: true };
    assert_eq!(world.decide(named, None), expected[0], "a product that accepts no API token");
    world.product.accepts_api_token = true;
    assert_eq!(world.decide(named, None), expected[1]);
    assert_eq!(world.decide(PathProject::Plan { id: plan, takes_plan: false }, None), expected[0]);
}

#[test]
fn a_key_of_a_subproject_does_not_reach_the_parent() {
    let mut world = world();
    let parent = world.own;
    world.own = ProjectEntry { id: id(), parent: Some(parent.id), ..parent };
    assert!(matches!(world.decide(PathProject::Known(&parent), None), Err(Denial::WrongProject { .. })));
}

#[test]
fn scope_and_address_are_checked() {
    let mut world = world();
    world.key.addresses = vec!["10.0.0.0/8".parse().expect("a network")].into();
    assert_eq!(world.decide(PathProject::None, Some("10.1.2.3")), Ok(world.own.id));
    assert_eq!(world.decide(PathProject::None, Some("11.1.2.3")), Err(Denial::WrongAddress));
    assert_eq!(world.decide(PathProject::None, None), Err(Denial::WrongAddress));
    world.key.scopes = Scopes::default();
    assert_eq!(world.decide(PathProject::None, Some("10.1.2.3")), Err(Denial::WrongScope("demo".into())));
}

#[test]
fn deactivation_cascades_from_everything_above_the_key() {
    let now = Timestamp::from_seconds(100);
    let live = |change: fn(&mut World, &mut ProjectEntry)| {
        let mut world = world();
        let mut parent = ProjectEntry { id: id(), ..world.own };
        change(&mut world, &mut parent);
        world.key.live(&Above { project: world.own, parent: Some(parent), account: world.account }, now)
    };
    assert_eq!(live(|_, _| {}), Ok(()));
    assert_eq!(live(|world, _| world.key.disabled = true), Err(Inactive::KeyDisabled));
    assert_eq!(live(|world, _| world.key.ends = Some(Timestamp::from_seconds(100)).into()), Err(Inactive::KeyEnded));
    assert_eq!(live(|world, _| world.own.archived = true), Err(Inactive::ProjectArchived));
    assert_eq!(live(|_, parent| parent.archived = true), Err(Inactive::ProjectArchived));
    assert_eq!(live(|world, _| world.account.suspended = true), Err(Inactive::AccountSuspended));
}

#[test]
fn only_an_expired_token_is_told_that_it_expired() {
    let key = KeyId::new(Timestamp(0), &SystemRandom::default());
    let plan = PlanId::new(Timestamp(0), &SystemRandom::default());
    let wrong_kind = Denial::WrongKind { came: CredentialKind::ApiToken, wants: "an access token" };
    let all = [
        Denial::AmbiguousPath,
        Denial::NoRoute,
        Denial::NoCredential,
        Denial::TwoCredentials,
        Denial::Malformed,
        wrong_kind,
        Denial::Unknown(CredentialKind::Token),
        Denial::Revoked,
        Denial::Inactive(Inactive::KeyDisabled),
        Denial::Inactive(Inactive::KeyEnded),
        Denial::Inactive(Inactive::ProjectArchived),
        Denial::Inactive(Inactive::AccountSuspended),
        Denial::WrongAudience,
        Denial::WrongProject { key, project: id() },
        Denial::NoPlanInPath { is_project: true },
        Denial::PlanInPath { key, project: id(), plan, takes_plan: true },
        Denial::WrongScope("demo".into()),
        Denial::WrongAddress,
        Denial::TooMany(3),
    ];
    for denial in all {
        assert!(!denial.message().contains("expired"), "{denial:?}");
    }
    assert_eq!(Denial::Expired(1_700_000_000).message(), "Jwt expired at 2023-11-14T22:13:20Z");
}

const KINDS: [CredentialKind; 5] = [
    CredentialKind::Token,
    CredentialKind::Basic,
    CredentialKind::ApiToken,
    CredentialKind::BareSecret,
    CredentialKind::Personal,
];

#[test]
fn a_product_accepts_what_it_names_and_nothing_else() {
    for bits in 0..8_u8 {
        let accepts = [1, 2, 4].map(|bit| bits & bit != 0);
        let [accepts_token, accepts_basic, accepts_api_token] = accepts;
        let product = Product { accepts_token, accepts_basic, accepts_api_token, ..world().product };
        assert_eq!(KINDS.map(|kind| product.accepts(kind)), [accepts[0], accepts[1], accepts[2], false, false]);
        let words = product.accepted_words();
        for (kind, accepted) in KINDS.into_iter().zip(accepts) {
            assert_eq!(words.contains(kind.words()), accepted, "{words}: {}", kind.words());
        }
        assert_eq!(words == "no credential", bits == 0);
    }
    let codes = ["access-token", "access-key", "api-token", "key-secret", "personal-token"];
    assert_eq!(KINDS.map(CredentialKind::code), codes);
}

#[test]
fn a_denial_is_logged_by_its_word_and_says_who_came_and_what_to_do() {
    let key = KeyId::new(Timestamp(0), &SystemRandom::default());
    let (project, plan) = (id(), PlanId::new(Timestamp(0), &SystemRandom::default()));
    let in_path = |takes_plan| Denial::PlanInPath { key, project, plan, takes_plan };
    let (key_text, project_text, plan_text) = (key.to_string(), project.to_string(), plan.to_string());
    let remedy = "or send the API token";
    for (denial, code, said) in [
        (Denial::NoRoute, "no_route", vec!["No product"]),
        (Denial::Revoked, "token_revoked", vec!["revoked"]),
        (
            Denial::Unknown(CredentialKind::BareSecret),
            "unknown_credential",
            vec!["a KEY SECRET without its KEY ID came"],
        ),
        (Denial::WrongProject { key, project }, "wrong_project", vec![&*key_text, &*project_text]),
        (Denial::NoPlanInPath { is_project: true }, "no_plan_in_path", vec!["the path names a Project ID"]),
        (Denial::NoPlanInPath { is_project: false }, "no_plan_in_path", vec!["the path names no SERVICE PLAN ID"]),
        (in_path(true), "plan_in_path", vec![&*key_text, &*project_text, &*plan_text, remedy]),
        (in_path(false), "plan_in_path", vec![&*key_text, &*project_text, &*plan_text]),
    ] {
        let message = denial.message();
        assert_eq!(denial.code(), code);
        assert!(said.iter().all(|part| message.contains(part)), "{message}");
    }
    assert!(!in_path(false).message().contains(remedy), "what the route does not take is not advised");
}
