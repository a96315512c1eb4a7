//! What differs.

use axum::extract::Extension;
use axum::routing::get;
use axum::{Json, Router};
use braid_client::{DiffItem, DiffMode, ListDiff};
use braid_types::{BranchName, RefExpression, RepositoryName};

use super::App;
use super::caller::Caller;
use super::error::ApiError;
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
    page(&caller, request(repository, left, right, DiffMode::TwoDot, &query)?, false).await
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
    page(&caller, request(repository, left, right, mode, &query)?, right_stats).await
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
        page_size: Some(query.amount()?),
        page_token: None,
    })
}

/// A page as long as was asked for; those of the services may be shorter.
async fn page(
    caller: &Caller,
    mut request: ListDiff,
    right_stats: bool,
) -> Result<Json<Listed<DiffView>>, ApiError> {
    let amount = request.page_size.expect("a page has its size");
    let mut found: Vec<DiffItem> = Vec::new();
    loop {
        let page = caller.client.list_diff(request.clone()).await?;
        found.extend(page.items);
        request.page_token = page.next_page_token;
        request.page_size = Some((amount + 1).saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX)));
        if request.page_token.is_none() || found.len() > amount as usize {
            break;
        }
        request.page_size = request.page_size.map(|left| left.max(1));
    }
    let more = found.len() > amount as usize || request.page_token.is_some();
    let shown = found.into_iter().take(amount as usize).map(|item| DiffView::of(item, right_stats)).collect();
    Ok(Json(Listed::new(shown, more, |item: &DiffView| item.path.clone())))
}
