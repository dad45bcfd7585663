//! The gate's doors. An input that begins with a zero byte is the body of a gRPC request; any other is a call: method, host
//! and target on a line each, then `Authorization` headers.
//!
//! All doors decide alike; what is let through has a credential that fits its path, by a naive reading; whatever comes is
//! answered, and never with our own failure; a message says the same when it was read and written.
#![no_main]

#[path = "gate/ask.rs"]
mod ask;
#[path = "gate/expected.rs"]
mod expected;
#[path = "gate/messages.rs"]
mod messages;

use std::sync::{LazyLock, Mutex};

use libfuzzer_sys::fuzz_target;
use prost::Message as _;
use tollgate_fuzz::world::World;

use self::ask::{Call, Outcome};
use self::messages::CheckRequest;

static WORLD: LazyLock<Mutex<World>> = LazyLock::new(|| Mutex::new(World::start()));

fuzz_target!(|input: &[u8]| {
    let world = WORLD.lock().expect("one at a time");
    if input.first() == Some(&0) { message(&world, input) } else { call(&world, input) }
});

fn message(world: &World, body: &[u8]) {
    let decided = ask::grpc(world, body);
    assert!(!matches!(decided, Ok(Outcome::Allowed(_))), "there is no credential in it");
    let Some((&[_, a, b, c, d], message)) = body.split_first_chunk::<5>() else {
        assert!(decided.is_err());
        return;
    };
    if u32::from_be_bytes([a, b, c, d]) as usize != message.len() {
        return;
    }
    match CheckRequest::decode(message) {
        Ok(read) => assert_eq!(ask::grpc(world, &ask::framed(&read)), decided),
        Err(_) => assert!(decided.is_err()),
    }
}

fn call(world: &World, input: &[u8]) {
    let filled = world.fill(input);
    let Some(call) = Call::read(&filled) else { return };
    let decided = ask::grpc(world, &ask::framed(&call.raw())).expect("a call is decided");
    if let Some(joined) = call.joined() {
        assert_eq!(ask::grpc(world, &ask::framed(&joined)).as_ref(), Ok(&decided));
    }
    for door in ["/gate", "/gate/nginx"] {
        if let Some(outcome) = ask::http(world, door, &call) {
            assert_eq!(outcome, decided, "{door}");
        }
    }
    let is_allowed = matches!(decided, Outcome::Allowed(_));
    match expected::allows(world, &call) {
        expected::Verdict::Allow => assert!(is_allowed, "{decided:?}"),
        expected::Verdict::Deny => assert!(!is_allowed, "{decided:?}"),
        expected::Verdict::AllowIfPlain => {}
    }
}
