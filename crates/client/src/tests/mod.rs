mod calls;
pub(crate) mod fake;
mod gather;
mod nodes;
mod routes;
pub(crate) mod serve;
mod streams;
