//! The command line as users see it: lines in, output and exit codes out, against a server in this process.

mod applying;
mod arguments;
mod fetching;
mod importing;
mod lake;
mod listing;
mod moving;
mod output;
mod pulling;
mod refs_dump;
mod refusing;
mod running;
mod sending;
mod settings;
mod storage;
mod users;
