"""Pull requests, by the generated client: the wrapper has none."""

import datetime

import pytest
from lakefs_sdk import PullRequestBasic, PullRequestCreation
from lakefs_sdk.exceptions import ApiException, BadRequestException, NotFoundException


@pytest.fixture
def pulls(client):
    return client.sdk_client.pulls_api


@pytest.fixture
def side(repo, main):
    main.object("a").upload(b"1")
    main.commit("first")
    side = repo.branch("side").create("main")
    side.object("b").upload(b"1")
    side.commit("side")
    return side


def create(pulls, repo, title="b", source="side", destination="main"):
    asked = PullRequestCreation(
        title=title, description="what main lacks", source_branch=source, destination_branch=destination
    )
    return pulls.create_pull_request(repo.id, asked).id


def ids(pulls, repo, **query):
    return [found.id for found in pulls.list_pull_requests(repo.id, **query).results]


def test_a_pull_request_lives_until_it_is_merged(pulls, repo, main, side):
    id = create(pulls, repo)
    assert len(id) == 20
    made = pulls.get_pull_request(repo.id, id)
    assert (made.title, made.description, made.status) == ("b", "what main lacks", "open")
    assert (made.source_branch, made.destination_branch, made.author) == ("side", "main", "admin")
    assert (made.closed_date, made.merged_commit_id) == (None, None)
    age = datetime.datetime.now(datetime.timezone.utc) - made.creation_date
    assert datetime.timedelta(minutes=-1) < age < datetime.timedelta(minutes=10)

    pulls.update_pull_request(repo.id, id, PullRequestBasic(title="c"))
    pulls.update_pull_request(repo.id, id, PullRequestBasic(status="closed", description="no"))
    closed = pulls.get_pull_request(repo.id, id)
    assert (closed.title, closed.description, closed.status) == ("c", "no", "closed")
    assert closed.closed_date >= closed.creation_date
    with pytest.raises(BadRequestException, match="bad pull request status"):
        pulls.merge_pull_request(repo.id, id)
    pulls.update_pull_request(repo.id, id, PullRequestBasic(status="open"))
    reference = pulls.merge_pull_request(repo.id, id).reference
    merged = pulls.get_pull_request(repo.id, id)
    assert (merged.status, merged.merged_commit_id) == ("merged", reference)
    assert main.head.id == reference
    assert main.head.get_commit().message == "Merge 'side' into 'main'"
    assert main.object("b").exists()
    for change in [PullRequestBasic(status="open"), PullRequestBasic(title="d")]:
        with pytest.raises(BadRequestException, match="bad pull request status"):
            pulls.update_pull_request(repo.id, id, change)


def test_lists(pulls, repo, side):
    made = [create(pulls, repo, title=str(number)) for number in range(5)]
    pulls.update_pull_request(repo.id, made[0], PullRequestBasic(status="closed"))
    pulls.merge_pull_request(repo.id, made[1])
    newest_first = made[::-1]
    assert ids(pulls, repo) == newest_first
    assert ids(pulls, repo, status="all") == newest_first
    assert ids(pulls, repo, status="open") == newest_first[:3]
    assert ids(pulls, repo, status="closed") == newest_first[3:]
    assert ids(pulls, repo, prefix=made[2]) == [made[2]]
    page = pulls.list_pull_requests(repo.id, amount=2, status="open")
    assert (page.pagination.has_more, page.pagination.next_offset) == (True, newest_first[1])
    page = pulls.list_pull_requests(repo.id, amount=2, status="open", after=page.pagination.next_offset)
    assert ([found.id for found in page.results], page.pagination.has_more) == ([made[2]], False)


def test_conflicts_and_empty_merges(pulls, repo, main, side):
    id = create(pulls, repo)
    main.object("b").upload(b"mine")
    with pytest.raises(BadRequestException, match="uncommitted changes"):
        pulls.merge_pull_request(repo.id, id)
    main.commit("mine")
    with pytest.raises(ApiException, match="conflict found") as failed:
        pulls.merge_pull_request(repo.id, id)
    assert failed.value.status == 409
    assert pulls.get_pull_request(repo.id, id).status == "open"
    side.merge_into(main, strategy="source-wins")
    with pytest.raises(BadRequestException, match="no changes"):
        pulls.merge_pull_request(repo.id, id)


def test_what_is_refused(pulls, repo, main, side):
    with pytest.raises(NotFoundException):
        create(pulls, repo, source="absent")
    with pytest.raises(NotFoundException):
        create(pulls, repo, destination="absent")
    with pytest.raises(BadRequestException):
        create(pulls, repo, source="main")
    with pytest.raises(NotFoundException, match="pull request not found"):
        pulls.get_pull_request(repo.id, "0" * 20)
    with pytest.raises(BadRequestException):
        pulls.get_pull_request(repo.id, "no-id")
    with pytest.raises(BadRequestException):
        pulls.update_pull_request(repo.id, create(pulls, repo), PullRequestBasic(status="merged"))
    # One outlives its branches.
    id = create(pulls, repo)
    side.delete()
    assert pulls.get_pull_request(repo.id, id).status == "open"
    with pytest.raises(NotFoundException):
        pulls.merge_pull_request(repo.id, id)
