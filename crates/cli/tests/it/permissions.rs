//! Who may read what lies on the disk.

use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::Path;

use crate::server::House;

pub(crate) fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).permissions().mode() & 0o7777
}

#[test]
fn only_its_owner_may_use_the_data_directory() {
    let mut house = House::new("");
    let server = house.start();
    let data = house.data();
    assert_eq!(mode(&data), 0o700, "the directory");
    assert_eq!(mode(&data.join("master.key")), 0o600, "the master key");
    let socket = data.join("tollgate.sock");
    assert!(std::fs::metadata(&socket).expect("a socket").file_type().is_socket());
    assert_eq!(mode(&socket), 0o600, "the operator's socket");
    server.stop();
    assert!(!socket.exists(), "it is gone with the server");
    let left: Vec<_> =
        std::fs::read_dir(&data).expect("the directory").map(|entry| entry.expect("an entry").file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().ends_with(".new")), "{left:?}");
}

#[test]
fn a_socket_that_a_killed_server_left_behind_is_replaced() {
    let mut house = House::new("");
    let server = house.start();
    server.kill();
    assert!(house.data().join("tollgate.sock").exists());
    let server = house.start();
    crate::world::World::new(server.operator());
}
