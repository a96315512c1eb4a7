mod calls;
pub(crate) mod fake;
mod nodes;
mod routes;
pub(crate) mod serve;
mod streams;
