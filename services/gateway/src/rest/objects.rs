//! Objects: reading, writing, listing them.

mod change;
mod copied_parts;
mod incoming;
mod list;
mod parts;
mod range;
mod read;
mod stage;
mod stat;
mod upload;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
pub(crate) use upload::{target, unconditional};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read::read, read::head))
        .routes(routes!(stat::stat))
        .routes(routes!(stat::properties))
        .routes(routes!(list::list))
        .routes(routes!(stat::stage_allowed))
        .routes(routes!(change::delete_many))
        .routes(routes!(change::copy))
        .routes(routes!(change::update_metadata))
        .routes(routes!(stage::place, stage::link))
        .routes(routes!(parts::create))
        .routes(routes!(parts::complete, parts::abort))
        .routes(routes!(parts::presign))
        .routes(routes!(copied_parts::copy))
        .routes(routes!(change::delete, stage::stage, upload::upload))
}
