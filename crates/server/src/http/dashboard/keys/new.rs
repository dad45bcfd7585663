//! NEW KEY: one name, CONFIRM, and the secret in the answer.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use tollgate_core::Timestamp;
use tollgate_core::name::DisplayName;
use tollgate_core::rate::Rate;

use super::reveal::{exists, reveal};
use crate::http::Web;
use crate::http::dashboard::failure::Failure;
use crate::http::dashboard::fields::{Fields, FormErrors};
use crate::http::dashboard::frame::{Frame, Here};
use crate::http::dashboard::page::{Page, wrong};
use crate::http::dashboard::who::InProject;
use crate::http::rights::ManageKeys;
use crate::operations::{Addresses, KeyRequest};

/// Characters of a display name.
const LONGEST_NAME: usize = 64;

/// What was typed.
#[derive(Default)]
struct Typed {
    display_name: String,
    expires: String,
    expires_on: String,
    scopes: Option<Vec<String>>,
    addresses: String,
    burst: String,
    per_second: String,
}

#[derive(Template)]
#[template(path = "key-new.html")]
struct NewKeyPage {
    frame: Frame,
    account: String,
    project: String,
    project_name: String,
    form: String,
    typed: Typed,
    scopes: Vec<(String, bool)>,
    errors: FormErrors,
}

pub(crate) async fn show(State(web): State<Web>, at: InProject<ManageKeys>) -> Result<Response, Failure> {
    Ok(Page(page(&web, &at, web.app.new_form(), Typed::default(), FormErrors::default()).await?).into_response())
}

pub(crate) async fn create(
    State(web): State<Web>,
    at: InProject<ManageKeys>,
    fields: Fields,
) -> Result<Response, Failure> {
    // A form without its id could be sent twice.
    let Some(form) = at.me.form(fields.text("form")) else {
        let errors = FormErrors::one("", "The form was not complete. Nothing was made; send it again");
        return Ok(wrong(page(&web, &at, web.app.new_form(), Typed::of(&fields), errors).await?));
    };
    if let Some(key) = web.app.form_target(&form).await? {
        return exists(&web, &at, &key, false).await;
    }
    let typed = Typed::of(&fields);
    let errors = match typed.request(web.app.now()) {
        Ok(request) => match web.app.create_key(&at.me.doing(Some(&form)), &at.project, request).await {
            Ok((view, secret)) => return reveal(&web, &at, &view, &secret, false).await,
            Err(error) => {
                // The same form at the same moment was faster.
                if let Some(key) = web.app.form_target(&form).await? {
                    return exists(&web, &at, &key, false).await;
                }
                FormErrors::of(error)?
            }
        },
        Err(errors) => errors,
    };
    Ok(wrong(page(&web, &at, fields.text("form").to_owned(), typed, errors).await?))
}

async fn page(
    web: &Web,
    at: &InProject<ManageKeys>,
    form: String,
    typed: Typed,
    errors: FormErrors,
) -> Result<NewKeyPage, Failure> {
    let is_product = |scope: &str| web.app.products.iter().any(|product| product.scope.as_deref() == Some(scope));
    let is_ticked = |scope: &str| match &typed.scopes {
        Some(ticked) => ticked.iter().any(|one| one == scope),
        None => is_product(scope),
    };
    let scopes = web.app.scopes().into_iter().map(|scope| (scope.to_owned(), is_ticked(scope))).collect();
    Ok(NewKeyPage {
        frame: Frame::in_project(web, &at.me, &at.account, &at.project, Here::ProjectKeys).await?,
        account: at.account.id.to_string(),
        project: at.project.id.to_string(),
        project_name: at.project.display_name.clone(),
        form,
        typed,
        scopes,
        errors,
    })
}

impl Typed {
    fn of(fields: &Fields) -> Self {
        let text = |name: &str| fields.text(name).chars().take(5_000).collect::<String>();
        let scopes = fields.all("scope").take(100).map(ToOwned::to_owned).collect();
        Self {
            display_name: text("display_name"),
            expires: text("expires"),
            expires_on: text("expires_on"),
            scopes: fields.is_set("options").then_some(scopes),
            addresses: text("addresses"),
            burst: text("burst"),
            per_second: text("per_second"),
        }
    }

    /// The request, or all that is wrong with what was typed.
    fn request(&self, now: Timestamp) -> Result<KeyRequest, FormErrors> {
        let name = DisplayName::parse(&self.display_name, LONGEST_NAME);
        let name = name.map_err(|error| FormErrors::one("display_name", error.to_string()));
        let end = end(&self.expires, &self.expires_on, now);
        let addresses = networks(&self.addresses);
        let rate = rate(&self.burst, &self.per_second);
        match (name, end, addresses, rate) {
            (Ok(name), Ok(expires_at), Ok(addresses), Ok(token_rate)) => Ok(KeyRequest {
                display_name: name.as_str().to_owned(),
                scopes: self.scopes.clone(),
                expires_at,
                addresses,
                token_rate,
            }),
            (name, end, addresses, rate) => {
                let wrong = [name.err(), end.err(), addresses.err(), rate.err()];
                Err(wrong.into_iter().flatten().fold(FormErrors::default(), FormErrors::and))
            }
        }
    }
}

/// When the key ends: never, after some days, or at the end of a day in UTC.
fn end(expires: &str, on: &str, now: Timestamp) -> Result<Option<Timestamp>, FormErrors> {
    match expires {
        "" | "never" => Ok(None),
        "on" => {
            let end = Timestamp::parse(&format!("{on}T23:59:59Z"));
            end.map(Some).map_err(|_| FormErrors::one("expires_on", "must be a day such as 2027-01-31"))
        }
        days => match days.parse() {
            Ok(days @ 1..=3_650_i64) => Ok(Some(now.plus_seconds(days * 86_400))),
            _ => Err(FormErrors::one("expires_on", "must be one of the choices")),
        },
    }
}

/// Networks or single addresses, apart by blanks, commas or line ends.
fn networks(text: &str) -> Result<Addresses, FormErrors> {
    let wrong = || FormErrors::one("addresses", "must be addresses or networks such as 203.0.113.0/24, at most 100");
    let words: Vec<&str> = text.split([' ', ',', '\n', '\r', '\t']).filter(|word| !word.is_empty()).collect();
    if words.len() > 100 {
        return Err(wrong());
    }
    let network = |word: &&str| word.parse().or_else(|_| word.parse::<std::net::IpAddr>().map(Into::into));
    words.iter().map(network).collect::<Result<_, _>>().map_err(|_| wrong())
}

/// Both numbers, or none.
fn rate(burst: &str, per_second: &str) -> Result<Option<Rate>, FormErrors> {
    if burst.trim().is_empty() && per_second.trim().is_empty() {
        return Ok(None);
    }
    let number = |text: &str, field| {
        let number = text.trim().parse().ok().filter(|number| (1..=1_000_000).contains(number));
        number.ok_or_else(|| {
            FormErrors::one(field, "must be a number from 1 to 1000000; leave both empty for the default")
        })
    };
    Ok(Some(Rate { burst: number(burst, "burst")?, per_second: number(per_second, "per_second")? }))
}
