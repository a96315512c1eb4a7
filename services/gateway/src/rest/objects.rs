//! Objects: reading, writing, listing them.

mod change;
mod copied_parts;
mod list;
mod parts;
mod range;
mod read;
mod stage;
mod stat;
mod upload;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post, put};

use super::App;
pub(crate) use upload::{target, unconditional};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/repositories/{repository}/refs/{ref}/objects", get(read::read).head(read::head))
        .route("/repositories/{repository}/refs/{ref}/objects/stat", get(stat::stat))
        .route("/repositories/{repository}/refs/{ref}/objects/underlyingProperties", get(stat::properties))
        .route("/repositories/{repository}/refs/{ref}/objects/ls", get(list::list))
        .route("/repositories/{repository}/branches/{branch}/objects/stage_allowed", get(stat::stage_allowed))
        .route("/repositories/{repository}/branches/{branch}/objects/delete", post(change::delete_many))
        .route("/repositories/{repository}/branches/{branch}/objects/copy", post(change::copy))
        .route(
            "/repositories/{repository}/branches/{branch}/objects/stat/user_metadata",
            put(change::update_metadata),
        )
        .route(
            "/repositories/{repository}/branches/{branch}/staging/backing",
            get(stage::place).put(stage::link),
        )
        .route("/repositories/{repository}/branches/{branch}/staging/pmpu", post(parts::create))
        .route(
            "/repositories/{repository}/branches/{branch}/staging/pmpu/{upload}",
            put(parts::complete).delete(parts::abort),
        )
        .route(
            "/repositories/{repository}/branches/{branch}/staging/pmpu/{upload}/parts/{part}",
            put(parts::presign),
        )
        .route(
            "/repositories/{repository}/branches/{branch}/staging/pmpu/{upload}/parts/{part}/copy",
            put(copied_parts::copy),
        )
        .route(
            "/repositories/{repository}/branches/{branch}/objects",
            post(upload::upload).delete(change::delete).put(stage::stage).layer(DefaultBodyLimit::disable()),
        )
}
