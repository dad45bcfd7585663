//! `tollgate dev`: everything in one directory, a first account, project and key, and a demo API behind the gate.

use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use tollgate_core::{KeyId, ProjectId, Secret};
use tollgate_server::config::{Accepts, Config, Errors, Product};
use tollgate_server::demo;
use tollgate_server::operations::{Actor, App, Doing, KeyRequest, ManageError, Project, RotateRequest};
use tollgate_server::serve::{bind, next_port};

use crate::serve::{Running, run_async};

/// Arguments of `tollgate dev`.
#[derive(Debug, clap::Args)]
pub(crate) struct DevArgs {
    /// Address and port of the server; the demo API takes the next port, the admin listener the one after
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The data directory
    #[arg(long, value_name = "DIR", default_value = "./tollgate-data")]
    data: PathBuf,
    /// Write address, ids and secret to this file, mode 0600, once everything answers
    #[arg(long, value_name = "FILE")]
    env: Option<PathBuf>,
}

/// What a later start must find again. No secret is in it.
#[derive(Debug, Serialize, Deserialize)]
struct Remembered {
    project: String,
    key: String,
}

/// The first account, project and key, with the secret that was just made.
struct Sample {
    project: Project,
    key: KeyId,
    secret: Secret,
}

/// Runs the server and the demo API until they are told to stop.
pub(crate) fn run(args: DevArgs) -> anyhow::Result<()> {
    anyhow::ensure!(args.listen.ip().is_loopback(), "dev listens on loopback only: give --listen 127.0.0.1:PORT");
    run_async(async move {
        let public = bind(args.listen, "--listen").await?;
        let address = public.local_addr()?;
        let demo_listener = bind(next_port(args.listen, 1), "--listen").await?;
        let demo_address = demo_listener.local_addr()?;
        let mut running = Running::start_on(config(&args, address), public).await?;
        running.server.listen(demo_listener, demo::router(running.web.clone()));
        let sample = sample(&running.web.app, &args.data).await?;
        let sign_in = sign_in_link(&running.web.app, &sample.project).await?;
        if let Some(path) = &args.env {
            write_env(path, address, &sample)?;
        }
        print_welcome(&args, address, demo_address, &sample, &sign_in)?;
        running.until_stopped().await
    })
}

fn config(args: &DevArgs, address: SocketAddr) -> Config {
    let product = |name: &str, route: &str, accepts: &[Accepts], errors| Product {
        name: name.to_owned(),
        audience: None,
        hosts: Vec::new(),
        routes: vec![route.to_owned()],
        accepts: accepts.to_vec(),
        scope: Some(name.to_owned()),
        errors,
        count: true,
        unit: None,
    };
    let mut config = Config {
        public_url: format!("http://{address}"),
        listen: address,
        admin_listen: next_port(args.listen, 2),
        data_dir: args.data.clone(),
        product: vec![
            product("demo", "/v1/projects/{project_id}/**", &[Accepts::Token, Accepts::Basic], Errors::Google),
            product(
                "sms",
                "/xms/v1/{service_plan_id}/**",
                &[Accepts::Token, Accepts::Basic, Accepts::ApiToken],
                Errors::Xms,
            ),
        ],
        ..Config::default()
    };
    // Nobody balances a laptop: stop at once.
    config.http.drain_wait_seconds = 0;
    config
}

/// Makes account, project and key at the first start. A later start rotates the key's secret: it cannot be shown again.
async fn sample(app: &App, data: &Path) -> anyhow::Result<Sample> {
    let file = data.join("dev.json");
    let remembered =
        std::fs::read_to_string(&file).ok().and_then(|text| serde_json::from_str::<Remembered>(&text).ok());
    if let Some(remembered) = remembered
        && let Some(sample) = rotated(app, &remembered).await?
    {
        return Ok(sample);
    }
    let doing = Doing::by(&Actor::Operator);
    let account = app.create_account(&doing, "Demo account", None).await?;
    let project = app.create_project(&doing, account.id, "demo").await?;
    let scopes = app.scopes().iter().map(|&scope| scope.to_owned()).collect();
    let request = KeyRequest { display_name: "demo-key".to_owned(), scopes: Some(scopes), ..KeyRequest::default() };
    let (view, secret) = app.create_key(&doing, &project, request).await?;
    let remembered = Remembered { project: project.id.to_string(), key: view.key.id.to_string() };
    std::fs::write(&file, serde_json::to_string(&remembered)?)
        .with_context(|| format!("{} cannot be written", file.display()))?;
    Ok(Sample { project, key: view.key.id, secret })
}

/// `None` when the key or its project is gone, or its file says nonsense: then a new one is made.
async fn rotated(app: &App, remembered: &Remembered) -> anyhow::Result<Option<Sample>> {
    let (Ok(project), Ok(key)) = (remembered.project.parse::<ProjectId>(), remembered.key.parse::<KeyId>()) else {
        return Ok(None);
    };
    let doing = Doing::by(&Actor::Operator);
    let project = match app.project(project).await {
        Ok(project) if project.archived_at.is_none() => project,
        Ok(_) | Err(ManageError::NotFound(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let request = RotateRequest { overlap_seconds: 0, revoke_tokens: false };
    let ended = app.end_overlap(&doing, &project, key).await;
    let rotation = match ended {
        Ok(_) => app.rotate_secret(&doing, &project, key, request).await,
        Err(error) => Err(error),
    };
    match rotation {
        Ok((_, secret)) => Ok(Some(Sample { project, key, secret })),
        Err(ManageError::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A link that signs in as the owner of the sample's account, once.
async fn sign_in_link(app: &App, project: &Project) -> anyhow::Result<String> {
    let doing = Doing::by(&Actor::Operator);
    let account = app.account(project.account).await?;
    let owner = app.sample_owner(&doing, "owner@example.com", &account).await?;
    Ok(app.sign_in_link(&doing, &owner).await?.url)
}

/// Written under another name first: whoever sees the file sees all of it.
fn write_env(path: &Path, address: SocketAddr, sample: &Sample) -> anyhow::Result<()> {
    let unfinished = path.with_extension("new");
    let context = || format!("{} cannot be written", path.display());
    let _ = std::fs::remove_file(&unfinished);
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished).with_context(context)?;
    let text = format!(
        "TOLLGATE_URL=http://{address}\nTOLLGATE_ACCOUNT_ID={}\nTOLLGATE_PROJECT_ID={}\nTOLLGATE_KEY_ID={}\nTOLLGATE_KEY_SECRET={}\n",
        sample.project.account,
        sample.project.id,
        sample.key,
        sample.secret.expose(),
    );
    file.write_all(text.as_bytes()).with_context(context)?;
    std::fs::rename(&unfinished, path).with_context(context)
}

fn print_welcome(
    args: &DevArgs,
    address: SocketAddr,
    demo: SocketAddr,
    sample: &Sample,
    sign_in: &str,
) -> anyhow::Result<()> {
    let (key, secret, project, account) =
        (sample.key, sample.secret.expose(), sample.project.id, sample.project.account);
    let program = std::env::current_exe().map_or_else(|_| "tollgate".to_owned(), |path| path.display().to_string());
    // The lines are pasted into another terminal, which may stand anywhere.
    let data = std::path::absolute(&args.data)?;
    let data = data.display();
    let mut out = std::io::stdout().lock();
    write!(
        out,
        "\nTollgate runs at http://{address}, and a demo API behind its gate at http://{demo}.\n\n\
         Sign in to the dashboard, once, as the owner of its account:\n\
         {sign_in}\n\n\
         Account ID  {account}\n\
         Project ID  {project}\n\
         KEY ID      {key}\n\
         KEY SECRET  {secret}   (shown once; the next start makes another)\n\n\
         Get a token, call the demo API, and see the call counted:\n\n\
         TOKEN=$(curl -s -u {key}:{secret} -d grant_type=client_credentials http://{address}/oauth2/token | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')\n\
         curl -H \"Authorization: Bearer $TOKEN\" http://{demo}/v1/projects/{project}/hello\n\
         {program} --data {data} usage show --account {account} --by key\n\n"
    )?;
    Ok(out.flush()?)
}
