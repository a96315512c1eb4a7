//! The binary as users run it: processes that are started, killed and told to stop, and the command line against them.

mod binary;
mod cluster;
mod command_line;
mod demo;
mod demo_on_nodes;
mod ground;
mod kills;
mod lifecycle;
mod refusals;
mod secrets;
mod server;
mod tls;
