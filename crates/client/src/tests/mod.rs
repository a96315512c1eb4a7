mod calls;
pub(crate) mod fake;
mod nodes;
pub(crate) mod routes;
pub(crate) mod serve;
mod streams;
