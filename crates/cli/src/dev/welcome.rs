//! What `tollgate dev` says: to people on the screen, to scripts in a file.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;

use super::sample::Sample;
use super::{Addresses, DevArgs};

/// Written under another name first: whoever sees the file sees all of it.
pub(super) fn write_env(path: &Path, addresses: Addresses, sample: &Sample) -> anyhow::Result<()> {
    let unfinished = path.with_extension("new");
    let context = || format!("{} cannot be written", path.display());
    let _ = std::fs::remove_file(&unfinished);
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished).with_context(context)?;
    let lines = [
        ("URL", format!("http://{}", addresses.tollgate)),
        ("ACCOUNT_ID", sample.project.account.to_string()),
        ("PROJECT_ID", sample.project.id.to_string()),
        ("KEY_ID", sample.key.to_string()),
        ("KEY_SECRET", sample.secret.expose().to_owned()),
        ("SUBPROJECT_ID", sample.subproject.to_string()),
        ("SERVICE_PLAN_ID", sample.plan.to_string()),
        ("API_TOKEN", sample.api_token.expose().to_owned()),
        ("SAMPLE_URL", format!("http://{}", addresses.sample)),
    ];
    for (name, value) in lines {
        writeln!(file, "TOLLGATE_{name}={value}").with_context(context)?;
    }
    std::fs::rename(&unfinished, path).with_context(context)
}

/// The first screen: what there is, and lines that send a message and show that it was counted.
pub(super) fn print(args: &DevArgs, addresses: Addresses, sample: &Sample) -> anyhow::Result<()> {
    let Addresses { tollgate, sample: api } = addresses;
    let (key, secret, project, account) =
        (sample.key, sample.secret.expose(), sample.project.id, sample.project.account);
    let program = std::env::current_exe().map_or_else(|_| "tollgate".to_owned(), |path| path.display().to_string());
    // The lines are pasted into another terminal, which may stand anywhere.
    let data = std::path::absolute(&args.data)?;
    let data = data.display();
    let mut out = std::io::stdout().lock();
    write!(
        out,
        "\nTollgate runs at http://{tollgate}, and a sample SMS API behind its gate at http://{api}.\n\n\
         Sign in to the dashboard, once, as the owner of its account:\n\
         {sign_in}\n\n\
         Account ID       {account}\n\
         Project ID       {project}\n\
         KEY ID           {key}\n\
         KEY SECRET       {secret}\n\
         SERVICE PLAN ID  {plan}\n\
         API token        {api_token}\n\
         Secrets are shown once; the next start makes others.\n\n\
         Get a token, send a message with it, and see both on the account's usage:\n\n\
         TOKEN=$(curl -s -u {key}:{secret} -d grant_type=client_credentials http://{tollgate}/oauth2/token | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')\n\
         curl -s -w '\\n' -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' -d '{{\"from\":\"12025550100\",\"to\":[\"+12025550134\"],\"body\":\"Hello\"}}' http://{api}/xms/v1/{project}/batches\n\
         {program} --data {data} usage show --account {account} --by key\n\n",
        sign_in = sample.sign_in,
        plan = sample.plan,
        api_token = sample.api_token.expose(),
    )?;
    Ok(out.flush()?)
}
