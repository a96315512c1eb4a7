//! What differs.

use axum::extract::Extension;
use axum::routing::get;
use axum::{Json, Router};
use braid_client::{DiffMode, ListDiff};
use braid_types::{BranchName, RefExpression, RepositoryName};

use super::App;
use super::caller::Caller;
use super::error::ApiError;
use super::gather::gather;
use super::names::{after, branch_on, prefix};
use super::query::Query;
use super::route::Segments;
use super::view::{DiffView, Listed};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/repositories/{repository}/branches/{branch}/diff", get(staged))
        .route("/repositories/{repository}/refs/{left}/diff/{right}", get(between))
}

/// What is staged on a branch.
async fn staged(
    Extension(caller): Extension<Caller>,
    Segments(segments): Segments<(String, String)>,
    query: Query,
) -> Result<Json<Listed<DiffView>>, ApiError> {
    let (repository, branch) = branch_on(segments)?;
    // An unknown name must be missed as a branch.
    caller.client.get_branch(&repository, &branch).await?;
    let (left, right) = (of(&branch, '@')?, of(&branch, '$')?);
    let request = request(repository, left, right, DiffMode::TwoDot, &query)?;
    page(&caller, &request, query.amount()?, false).await
}

fn of(branch: &BranchName, view: char) -> Result<RefExpression, ApiError> {
    Ok(RefExpression::parse(&format!("{branch}{view}"))?)
}

async fn between(
    Extension(caller): Extension<Caller>,
    Segments((repository, left, right)): Segments<(String, String, String)>,
    query: Query,
) -> Result<Json<Listed<DiffView>>, ApiError> {
    let repository = RepositoryName::new(repository)?;
    let (left, right) = (RefExpression::parse(&left)?, RefExpression::parse(&right)?);
    let mode = match query.text("type")? {
        None | Some("three_dot") => DiffMode::ThreeDot,
        Some("two_dot") => DiffMode::TwoDot,
        Some(other) => {
            return Err(ApiError::bad_request(format!(
                "query parameter 'type' is '{other}', not 'two_dot' or 'three_dot'"
            )));
        }
    };
    let right_stats = query.flag("include_right_stats")?;
    let request = request(repository, left, right, mode, &query)?;
    page(&caller, &request, query.amount()?, right_stats).await
}

fn request(
    repository: RepositoryName,
    left: RefExpression,
    right: RefExpression,
    mode: DiffMode,
    query: &Query,
) -> Result<ListDiff, ApiError> {
    Ok(ListDiff {
        repository,
        left,
        right,
        mode,
        prefix: prefix(query, "prefix")?,
        delimiter: query.text("delimiter")?.map(str::to_owned),
        after: after(query)?,
        page_size: None,
        page_token: None,
    })
}

async fn page(
    caller: &Caller,
    request: &ListDiff,
    amount: u32,
    right_stats: bool,
) -> Result<Json<Listed<DiffView>>, ApiError> {
    let page = |size, page_token| {
        let request = ListDiff { page_size: Some(size), page_token, ..request.clone() };
        let client = &caller.client;
        async move { client.list_diff(request).await }
    };
    let (found, more) = gather(amount, page).await?;
    let shown = found.into_iter().map(|item| DiffView::of(item, right_stats)).collect();
    Ok(Json(Listed::new(shown, more, |item: &DiffView| item.path.clone())))
}
