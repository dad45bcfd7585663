//! SERVICE PLAN ID and API token, from the command line.

use serde_json::Value;

use crate::dev::Dev;

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn a_plan_is_made_rotated_and_deleted() {
    let dev = Dev::start();
    let sample = dev.setting("TOLLGATE_SERVICE_PLAN_ID");
    assert_eq!(dev.run(&format!("plan delete {sample} --yes")).code, 0);
    assert_eq!(dev.run("plan list").err, "No service plans.\n");
    let created = dev.run("plan create main -o json");
    assert_eq!(created.code, 0, "{created:?}");
    let answer = json(&created.out);
    let id = answer["servicePlan"]["servicePlanId"].as_str().expect("a SERVICE PLAN ID");
    let first = answer["secret"].as_str().expect("an API token");
    assert!(!created.err.contains(first) && created.err.contains("cannot be shown again"));
    assert_eq!(dev.run("plan create main").code, 5);

    let second = dev.run(&format!("api-token create {id} -o env"));
    let expected = format!(
        "TOLLGATE_PROJECT_ID={}\nTOLLGATE_SERVICE_PLAN_ID={id}\nTOLLGATE_API_TOKEN=tgt_",
        dev.setting("TOLLGATE_PROJECT_ID")
    );
    assert!(second.out.starts_with(&expected), "{second:?}");
    assert_eq!(dev.run(&format!("api-token rotate {id}")).code, 5, "two are live");
    let tokens = json(&dev.run(&format!("api-token list {id} -o json")).out);
    let old = tokens["apiTokens"][0]["apiTokenId"].as_str().expect("a token id").to_owned();
    assert_eq!(dev.run(&format!("api-token revoke {id} {old}")).code, 2, "nobody sits there to ask");
    assert_eq!(dev.run(&format!("api-token revoke {id} {old} --yes")).code, 0);
    assert_eq!(dev.run(&format!("api-token revoke {id} {old} --yes")).code, 4);
    assert_eq!(dev.run(&format!("api-token rotate {id} --overlap 0")).code, 2);

    let rotated = dev.run(&format!("api-token rotate {id} --overlap 1h --secret-file token"));
    assert_eq!(rotated.code, 0, "{rotated:?}");
    let token = std::fs::read_to_string(dev.path().join("token")).expect("written");
    assert!(token.starts_with("tgt_") && !rotated.out.contains(token.trim()) && !rotated.err.contains(token.trim()));
    let shown = dev.run(&format!("plan get {id}"));
    assert_eq!(shown.out.matches("tgt_").count(), 2, "the hints of two tokens: {shown:?}");
    for later in [format!("plan get {id} -o json"), "plan list -o json".to_owned(), "audit export".to_owned()] {
        let out = dev.run(&later).out;
        assert!(!out.contains(first) && !out.contains(token.trim()), "{later}");
    }

    assert_eq!(dev.run(&format!("plan delete {id}")).code, 2);
    assert_eq!(dev.run(&format!("plan delete {id} --yes")).code, 0);
    assert_eq!(dev.run(&format!("plan get {id}")).code, 4);
    assert_eq!(dev.run("plan get 0123").code, 2);
}
