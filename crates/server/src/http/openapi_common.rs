//! What the OpenAPI document says of all operations alike, said once: names, parameters, refusals, formats.

use utoipa::openapi::path::{Operation, Parameter};
use utoipa::openapi::schema::{Object, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{
    Components, ContentBuilder, HeaderBuilder, OpenApi, PathItem, Ref, RefOr, Response, ResponseBuilder,
};

pub(super) struct Common;

impl utoipa::Modify for Common {
    fn modify(&self, document: &mut OpenApi) {
        for (path, item) in &mut document.paths.paths {
            for operation in operations(item) {
                complete(path, operation);
            }
        }
        let components = document.components.get_or_insert_default();
        for schema in components.schemas.values_mut() {
            put_formats(schema);
        }
        put_refusals(components);
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.patch, &mut item.delete].into_iter().flatten()
}

fn complete(path: &str, operation: &mut Operation) {
    let tag = operation.tags.iter().flatten().next().cloned().unwrap_or_default();
    let name = camel_case(&operation.operation_id.clone().unwrap_or_default());
    operation.operation_id = Some(format!("{tag}.{name}"));
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter {
            describe(parameter);
        }
    }
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(Response { description, .. }) = response
            && description.is_empty()
        {
            "Done".clone_into(description);
        }
    }
    let has_body = operation.request_body.is_some();
    let names_something = path.contains('{') || has_body;
    for refusal in REFUSALS {
        let may_be = match refusal.of {
            Of::Every => true,
            Of::Named => names_something,
            Of::WithBody => has_body,
        };
        if may_be {
            let reference = RefOr::Ref(Ref::from_response_name(refusal.name));
            operation.responses.responses.insert(refusal.status.to_owned(), reference);
        }
    }
}

/// `revoke_tokens` → `revokeTokens`
fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut name, word| {
        let (initial, rest) = word.split_at(word.len().min(1));
        name.push_str(&initial.to_ascii_uppercase());
        name.push_str(rest);
        name
    })
}

/// Which operations may be refused so.
enum Of {
    Every,
    /// Those that name a thing, in the path or in the body.
    Named,
    WithBody,
}

struct Refusal {
    status: &'static str,
    name: &'static str,
    of: Of,
    description: &'static str,
    /// Name and description of a header.
    header: Option<(&'static str, &'static str)>,
}

const CHALLENGE: Option<(&str, &str)> = Some(("WWW-Authenticate", "What to authenticate with (RFC 9110)"));
const WAIT: Option<(&str, &str)> = Some(("Retry-After", "After how many seconds to try again"));

const fn refusal(
    status: &'static str,
    name: &'static str,
    of: Of,
    description: &'static str,
    header: Option<(&'static str, &'static str)>,
) -> Refusal {
    Refusal { status, name, of, description, header }
}

const REFUSALS: &[Refusal] = &[
    refusal(
        "400",
        "Invalid",
        Of::Every,
        "Something in the request is wrong, or the present state does not allow it",
        None,
    ),
    refusal("401", "Unauthenticated", Of::Every, "No credential, or none that is live", CHALLENGE),
    refusal("403", "PermissionDenied", Of::Every, "The caller may not do this", None),
    refusal("404", "NotFound", Of::Named, "There is no such thing, or it is out of the caller's reach", None),
    refusal("408", "Late", Of::WithBody, "The body did not come in time", None),
    refusal("409", "AlreadyExists", Of::WithBody, "There is one with this name or address already", None),
    refusal("413", "TooLarge", Of::WithBody, "The body has more than 65536 bytes", None),
    refusal("415", "WrongMediaType", Of::WithBody, "The body has another media type, or a Content-Encoding", None),
    refusal("429", "TooMany", Of::Every, "Too many requests with wrong credentials, or too many at once", WAIT),
    refusal("503", "Unavailable", Of::Every, "Temporarily unavailable", WAIT),
];

fn put_refusals(components: &mut Components) {
    for refusal in REFUSALS {
        let body = ContentBuilder::new().schema(Some(Ref::from_schema_name("ErrorEnvelope"))).build();
        let mut response = ResponseBuilder::new().description(refusal.description).content("application/json", body);
        if let Some((name, description)) = refusal.header {
            let header =
                HeaderBuilder::new().schema(Some(Object::with_type(Type::String))).description(Some(description));
            response = response.header(name, header.build());
        }
        components.responses.insert(refusal.name.to_owned(), response.build().into());
    }
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn formatted(format: &str) -> ObjectBuilder {
    text().format(Some(SchemaFormat::Custom(format.to_owned())))
}

const PLAN_ID: &str = "^[0-9a-f]{32}$";
/// RFC 3339, or nothing.
const INSTANT: &str = "^([0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ].+)?$";
const GROUPINGS: [&str; 5] = ["project", "key", "product", "day", "hour"];

fn describe(parameter: &mut Parameter) {
    let (schema, description) = match parameter.name.as_str() {
        "pageSize" => {
            let size = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(1_000));
            (size, "How many entries at most; 0 or absent means 100.")
        }
        "pageToken" => (text(), "The nextPageToken of the page before, of the same list."),
        "groupBy" => (text().enum_values(Some(GROUPINGS)), "What each sum is of; absent means project."),
        "from" => {
            (text().pattern(Some(INSTANT)), "From the beginning of this hour; absent or empty means 30 days ago.")
        }
        "to" => (text().pattern(Some(INSTANT)), "To the end of this hour; absent or empty means now."),
        "plan" => (text().pattern(Some(PLAN_ID)), "The SERVICE PLAN ID."),
        "account" => (formatted("uuid"), "The Account ID."),
        "project" => (formatted("uuid"), "The Project ID, or a subproject's."),
        "subproject" => (formatted("uuid"), "The subproject's ID."),
        "key" => (formatted("uuid"), "The KEY ID."),
        "token" => (formatted("uuid"), "The apiTokenId, which is not the API token."),
        "user" => (formatted("uuid"), "The userId of a member."),
        "request" => (formatted("uuid"), "The request id that stood in the answer."),
        _ => return,
    };
    parameter.description = Some(description.to_owned());
    parameter.schema = Some(Schema::Object(schema.build()).into());
}

/// Members say by their names what they hold.
fn put_formats(schema: &mut RefOr<Schema>) {
    let RefOr::T(Schema::Object(object)) = schema else { return };
    for (name, member) in &mut object.properties {
        let RefOr::T(Schema::Object(member)) = member else { continue };
        let is_text = match &member.schema_type {
            SchemaType::Type(kind) => *kind == Type::String,
            SchemaType::Array(kinds) => kinds.contains(&Type::String),
            SchemaType::AnyValue => false,
        };
        if !is_text || member.format.is_some() {
            continue;
        }
        let format = match name.as_str() {
            "servicePlanId" => {
                member.pattern = Some(PLAN_ID.to_owned());
                continue;
            }
            "time" | "from" | "to" | "countedUpTo" => "date-time",
            "day" => "date",
            "email" | "ownerEmail" => "email",
            "url" | "invitationUrl" => "uri",
            name if name.ends_with("Time") => "date-time",
            "account" | "project" => "uuid",
            name if name.ends_with("Id") => "uuid",
            _ => continue,
        };
        member.format = Some(SchemaFormat::Custom(format.to_owned()));
    }
}
