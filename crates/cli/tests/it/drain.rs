//! SIGTERM under load, behind a balancer that watches `/readyz`.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use crate::deadline::{now, until};
use crate::server::House;
use crate::wire::{Connection, Request, once};
use crate::world::{World, connect};

const CLIENTS: usize = 6;
const LIMITS: &str =
    "[limits]\ntoken_per_second = 0\nbasic_per_second = 0\n[http]\ndrain_wait_seconds = 1\ndrain_seconds = 5\n";

#[test]
fn a_stop_under_load_fails_no_request_and_loses_no_call() {
    let mut house = House::new(LIMITS);
    let server = house.start();
    let world = World::new(server.operator());
    let key = world.key("caller");
    let request = world.gate().bearer(&key.token(&server.public()));
    let (public, socket) = (server.public(), house.data().join("tollgate.sock"));
    let (is_ready, told_to_leave, admitted) = (AtomicBool::new(true), AtomicBool::new(false), AtomicI64::new(0));
    let call = |connection: &mut Connection| {
        let answer = connection.send(&request).expect("no request fails");
        let is_last = answer.head.contains("\r\nconnection: close");
        answer.expect(200);
        admitted.fetch_add(1, Ordering::SeqCst);
        is_last
    };
    let (status, took) = std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (public, is_ready, told_to_leave) = (&public, &is_ready, &told_to_leave);
            scope.spawn(move || {
                let mut connection = connect(public);
                while is_ready.load(Ordering::SeqCst) {
                    // Some clients keep their connection, some take a new one for each call.
                    if client % 2 == 0 {
                        connection = connect(public);
                    }
                    if call(&mut connection) {
                        told_to_leave.store(true, Ordering::SeqCst);
                        connection = connect(public);
                    }
                }
            });
        }
        until("there is load", 10, || (admitted.load(Ordering::SeqCst) > 50).then_some(()));
        let mut slow = connect(&public);
        let token_request = key.token_request().bytes();
        let (early, late) = token_request.split_at(token_request.len() - 5);
        slow.write(early).expect("half a request");

        assert!(!told_to_leave.load(Ordering::SeqCst), "connections are kept");
        let stopping = server.terminate();
        until("readyz says 503", 1, || {
            let answer = once(&public, &Request::get("/readyz"));
            (answer.status == 503 && answer.body.contains("draining")).then_some(())
        });
        let so_far = admitted.load(Ordering::SeqCst);
        until("calls go on while balancers take notice", 1, || {
            (admitted.load(Ordering::SeqCst) > so_far + 10).then_some(())
        });
        assert!(
            call(&mut connect(&public)),
            "each answer ends its connection, so that nothing is sent on it when it ends"
        );
        is_ready.store(false, Ordering::SeqCst);

        until("no connection is taken any more", 5, || Connection::open(&public).is_err().then_some(()));
        slow.write(late).expect("the other half");
        slow.answer().expect("a request under way is finished").expect(200);
        stopping.wait()
    });
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert!(!socket.exists(), "the operator's socket is gone");
    let server = house.start();
    let world = World { operator: server.operator(), ..world };
    assert_eq!(world.calls(), admitted.load(Ordering::SeqCst));
}

#[test]
fn a_client_that_never_finishes_its_request_does_not_hold_the_stop_up() {
    let mut house = House::new("[http]\ndrain_wait_seconds = 0\ndrain_seconds = 1\n");
    let server = house.start();
    let mut idle = connect(&server.public());
    idle.send(&Request::get("/livez")).expect("an answer").expect(200);
    let mut stuck = connect(&server.public());
    stuck.write(b"POST /oauth2/token HTTP/1.1\r\nHost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 9\r\n\r\n")
        .expect("a header");
    let (status, took) = server.terminate().wait();
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn a_second_signal_is_the_same_as_one() {
    let mut house = House::new("[http]\ndrain_wait_seconds = 1\n");
    let server = house.start();
    let began = now();
    let stopping = server.terminate();
    crate::server::signal("INT", stopping.server.pid());
    let (status, _) = stopping.wait();
    assert_eq!(status.code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(10));
}
