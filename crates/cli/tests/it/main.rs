//! The binary as its users meet it: real processes, real sockets, real kills.

mod deadline;
mod dev;
mod drain;
mod full_disk;
mod hygiene;
mod kill;
mod kill_load;
mod kill_model;
mod leak;
mod leak_people;
mod leak_watch;
mod observe;
mod permissions;
mod server;
mod start_errors;
mod wire;
mod world;
