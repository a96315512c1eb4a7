//! What differs.

use axum::Json;
use axum::extract::Extension;
use braid_client::{DiffMode, ListDiff};
use braid_types::{BranchName, RefExpression, RepositoryName};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::caller::Caller;
use super::error::ApiError;
use super::gather::gather;
use super::names::{PathsQuery, branch_on};
use super::openapi::Reading;
use super::query::Query;
use super::route::Segments;
use super::view::{DiffList, DiffView, Listed};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(staged)).routes(routes!(between))
}

/// What is not committed.
#[utoipa::path(
    get, path = "/repositories/{repository}/branches/{branch}/diff", operation_id = "diffBranch",
    params(PathsQuery), responses((status = 200, body = DiffList), Reading),
)]
async fn staged(
    Extension(caller): Extension<Caller>,
    Segments(segments): Segments<(String, String)>,
    query: Query,
) -> Result<Json<DiffList>, ApiError> {
    let (repository, branch) = branch_on(segments)?;
    // An unknown name must be missed as a branch.
    caller.client.get_branch(&repository, &branch).await?;
    let (left, right) = (of(&branch, '@')?, of(&branch, '$')?);
    page(&caller, Sides { repository, left, right, mode: DiffMode::TwoDot }, query.paths()?, false).await
}

fn of(branch: &BranchName, view: char) -> Result<RefExpression, ApiError> {
    Ok(RefExpression::parse(&format!("{branch}{view}"))?)
}

/// Whether the right side is compared with the left one, or with what both come from.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum DiffType {
    TwoDot,
    ThreeDot,
}

/// What differs between two refs.
#[utoipa::path(
    get, path = "/repositories/{repository}/refs/{left}/diff/{right}", operation_id = "diffRefs",
    params(PathsQuery, ("type" = inline(Option<DiffType>), Query),
        ("include_right_stats" = Option<bool>, Query)),
    responses((status = 200, body = DiffList), Reading),
)]
async fn between(
    Extension(caller): Extension<Caller>,
    Segments((repository, left, right)): Segments<(String, String, String)>,
    query: Query,
) -> Result<Json<DiffList>, ApiError> {
    let repository = RepositoryName::new(repository)?;
    let (left, right) = (RefExpression::parse(&left)?, RefExpression::parse(&right)?);
    let mode = match query.word("type")? {
        None | Some(DiffType::ThreeDot) => DiffMode::ThreeDot,
        Some(DiffType::TwoDot) => DiffMode::TwoDot,
    };
    let right_stats = query.flag("include_right_stats")?;
    page(&caller, Sides { repository, left, right, mode }, query.paths()?, right_stats).await
}

/// What is compared with what.
struct Sides {
    repository: RepositoryName,
    left: RefExpression,
    right: RefExpression,
    mode: DiffMode,
}

async fn page(
    caller: &Caller,
    sides: Sides,
    paths: PathsQuery,
    right_stats: bool,
) -> Result<Json<DiffList>, ApiError> {
    let Sides { repository, left, right, mode } = sides;
    let PathsQuery { prefix, after, amount, delimiter } = paths;
    let request = ListDiff {
        repository,
        left,
        right,
        mode,
        prefix,
        delimiter,
        after,
        page_size: None,
        page_token: None,
    };
    let page = |size, page_token| {
        let request = ListDiff { page_size: Some(size), page_token, ..request.clone() };
        let client = &caller.client;
        async move { client.list_diff(request).await }
    };
    let (found, more) = gather(amount, page).await?;
    let shown = found.into_iter().map(|item| DiffView::of(item, right_stats)).collect();
    Ok(Json(Listed::new(shown, more, |item: &DiffView| item.path.clone())))
}
