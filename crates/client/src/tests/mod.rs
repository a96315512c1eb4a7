mod calls;
pub(crate) mod fake;
mod routes;
pub(crate) mod serve;
mod streams;
