"""Repositories, branches, tags, references, history."""

import lakefs
import lakefs_sdk
import pytest
from lakefs.exceptions import (
    BadRequestException,
    ConflictException,
    ForbiddenException,
    NotFoundException,
)


def test_repositories(client):
    made = [
        lakefs.Repository(name, client=client).create(storage_namespace=f"local://{name}", default_branch="trunk")
        for name in ["listed-b", "listed-a", "listed-c"]
    ]
    assert made[0].properties.default_branch == "trunk"
    assert made[0].properties.storage_namespace == "s3://braid.local/listed-b"
    listed = lakefs.repositories(client=client, prefix="listed-")
    assert [repo.id for repo in listed] == ["listed-a", "listed-b", "listed-c"]
    after = lakefs.repositories(client=client, prefix="listed-", after="listed-a", max_amount=1)
    assert [repo.id for repo in after] == ["listed-b"]
    with pytest.raises(ConflictException):
        made[0].create(storage_namespace="local://elsewhere")
    made[0].create(storage_namespace="local://elsewhere", exist_ok=True)
    with pytest.raises(BadRequestException):
        lakefs.Repository("listed-d", client=client).create(storage_namespace="local://listed-a")
    made[0].delete()
    with pytest.raises(NotFoundException):
        made[0].delete()
    found = client.sdk_client.repositories_api.list_repositories(search="sted-c")
    assert [repo.id for repo in found.results] == ["listed-c"]


def test_read_only_repositories(client):
    api = client.sdk_client.repositories_api
    made = lakefs_sdk.RepositoryCreation(name="read-only", storage_namespace="local://read-only", read_only=True)
    api.create_repository(made)
    assert api.get_repository("read-only").read_only
    other = lakefs.Repository("read-only", client=client)
    with pytest.raises(ForbiddenException):
        other.branch("main").object("a").upload(b"1", pre_sign=False)
    with pytest.raises(ForbiddenException):
        other.delete()
    api.delete_repository("read-only", force=True)


def test_branches(repo, main):
    main.object("a").upload(b"1")
    first = main.commit("first").get_commit()
    for name in ["b", "a", "c"]:
        repo.branch(name).create("main")
    assert [branch.id for branch in repo.branches()] == ["a", "b", "c", "main"]
    assert [branch.id for branch in repo.branches(after="a", max_amount=2)] == ["b", "c"]
    assert [branch.id for branch in repo.branches(prefix="m")] == ["main"]
    assert repo.branch("a").head.id == first.id
    with pytest.raises(ConflictException):
        repo.branch("a").create("main")
    repo.branch("a").create("main", exist_ok=True)
    with pytest.raises(NotFoundException):
        repo.branch("d").create("absent")
    repo.branch("a").delete()
    with pytest.raises(NotFoundException):
        repo.branch("a").delete()
    with pytest.raises(ForbiddenException):
        main.delete()
    with pytest.raises(BadRequestException):
        repo.branch("no.dots").create("main")


def test_tags(repo, main):
    main.object("a").upload(b"1")
    first = main.commit("first").get_commit()
    tag = repo.tag("v1").create("main")
    assert tag.get_commit().id == first.id
    repo.tag("v0").create(first.id)
    assert [tag.id for tag in repo.tags()] == ["v0", "v1"]
    assert [tag.id for tag in repo.tags(after="v0")] == ["v1"]
    with pytest.raises(ConflictException):
        tag.create("main")
    tag.create("main", exist_ok=True)
    tag.delete()
    with pytest.raises(NotFoundException):
        tag.delete()
    with pytest.raises(NotFoundException):
        tag.get_commit()
    with pytest.raises(ConflictException):
        repo.branch("v0").create("main")


def test_references(repo, main):
    ids = []
    for n in range(3):
        main.object("a").upload(b"%d" % n)
        ids.append(main.commit(str(n)).get_commit().id)
    for expression, commit in [
        ("main", ids[2]),
        ("main~1", ids[1]),
        ("main^", ids[1]),
        ("main~2", ids[0]),
        ("main@", ids[2]),
        (ids[1][:12], ids[1]),
    ]:
        assert repo.ref(expression).get_commit().id == commit, expression
    assert repo.ref("main~1").object("a").reader().read() == b"1"
    main.object("a").upload(b"staged")
    assert repo.ref("main@").object("a").reader().read() == b"2"
    assert repo.ref("main$").object("a").reader().read() == b"staged"
    with pytest.raises(NotFoundException):
        repo.ref("main~9").get_commit()
    with pytest.raises(BadRequestException):
        repo.ref("main^2").get_commit()
    with pytest.raises(NotFoundException):
        repo.ref("absent").get_commit()


def test_history(client, repo, main):
    for n in range(5):
        main.object(f"dir/{n}").upload(b"1")
        main.commit(f"commit {n}", metadata={"n": str(n)})
    log = list(main.log())
    assert [commit.message for commit in log] == [f"commit {n}" for n in (4, 3, 2, 1, 0)] + ["Repository created"]
    assert log[0].metadata == {"n": "4"}
    assert log[0].parents == [log[1].id]
    assert (log[-1].parents, log[-1].meta_range_id) == ([], "")
    assert [commit.id for commit in main.log(max_amount=2)] == [commit.id for commit in log[:2]]
    assert [commit.message for commit in main.log(objects=["dir/2"])] == ["commit 2"]
    assert len(list(main.log(prefixes=["dir/"]))) == 5
    api = client.sdk_client.refs_api
    page = api.log_commits(repo.id, "main", amount=2, after=log[1].id)
    assert [commit.id for commit in page.results] == [log[2].id, log[3].id]
    assert page.pagination.has_more and page.pagination.next_offset == log[3].id
    page = api.log_commits(repo.id, "main", stop_at=log[2].id, first_parent=True, limit=True)
    assert len(page.results) == 3


def test_repository_metadata(client, repo):
    assert repo.metadata == {}
    api = client.sdk_client.internal_api
    api.set_repository_metadata(repo.id, lakefs_sdk.RepositoryMetadataSet(metadata={"a": "1", "b": "2"}))
    assert repo.metadata == {"a": "1", "b": "2"}
    api.delete_repository_metadata(repo.id, lakefs_sdk.RepositoryMetadataKeys(keys=["a"]))
    assert repo.metadata == {"b": "2"}


def test_branch_protection(client, repo, main):
    api = client.sdk_client.repositories_api
    assert api.get_branch_protection_rules(repo.id) == []
    api.set_branch_protection_rules(repo.id, [lakefs_sdk.BranchProtectionRule(pattern="ma*")])
    assert [rule.pattern for rule in api.get_branch_protection_rules(repo.id)] == ["ma*"]
    for pre_sign, refusal in ((True, lakefs_sdk.exceptions.ForbiddenException), (False, ForbiddenException)):
        with pytest.raises(refusal, match="cannot write to protected branch"):
            main.object("a").upload(b"1", pre_sign=pre_sign)
    with pytest.raises(ForbiddenException, match="cannot commit to protected branch"):
        main.commit("no")
    side = repo.branch("side").create("main")
    side.object("a").upload(b"1")
    side.commit("side")
    side.merge_into(main)
    assert main.object("a").exists()
    with pytest.raises(lakefs_sdk.exceptions.ApiException) as failed:
        api.set_branch_protection_rules(repo.id, [], if_match="other")
    assert failed.value.status == 412


def test_retention(client, repo):
    api = client.sdk_client.repositories_api
    with pytest.raises(lakefs_sdk.exceptions.NotFoundException):
        api.get_gc_rules(repo.id)
    rule = lakefs_sdk.GarbageCollectionRule(branch_id="main", retention_days=30)
    api.set_gc_rules(repo.id, lakefs_sdk.GarbageCollectionRules(default_retention_days=7, branches=[rule]))
    rules = api.get_gc_rules(repo.id)
    assert (rules.default_retention_days, rules.branches[0].retention_days) == (7, 30)
    api.delete_gc_rules(repo.id)
    with pytest.raises(lakefs_sdk.exceptions.NotFoundException):
        api.get_gc_rules(repo.id)
