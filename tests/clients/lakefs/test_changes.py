"""Commits, differences, merges, transactions."""

import lakefs
import pytest
from lakefs.exceptions import (
    BadRequestException,
    ConflictException,
    NotFoundException,
    TransactionException,
)


def changes(found):
    return [(change.type, change.path) for change in found]


def test_uncommitted_changes_and_commits(main):
    main.object("a").upload(b"1")
    main.object("b").upload(b"1")
    main.commit("first", metadata={"k": "v"})
    main.object("a").upload(b"2")
    main.object("b").delete()
    main.object("dir/c").upload(b"3")
    assert changes(main.uncommitted()) == [("changed", "a"), ("removed", "b"), ("added", "dir/c")]
    assert changes(main.uncommitted(delimiter="/", prefix="d")) == [("prefix_changed", "dir/")]
    assert changes(main.uncommitted(after="a", max_amount=1)) == [("removed", "b")]
    commit = main.commit("second").get_commit()
    assert (commit.message, commit.committer, commit.metadata) == ("second", "admin", {})
    assert list(main.uncommitted()) == []
    with pytest.raises(BadRequestException, match="no changes"):
        main.commit("nothing")
    main.commit("nothing", allow_empty=True)
    # The same bytes again are no change.
    main.object("a").upload(b"2")
    assert list(main.uncommitted()) == []


def test_a_commit_may_bring_its_own_date(main):
    main.object("a").upload(b"1")
    assert main.commit("dated", date=1_600_000_000).get_commit().creation_date == 1_600_000_000


def test_resets(main):
    for path in ["a", "dir/b", "dir/c"]:
        main.object(path).upload(b"1")
    main.reset_changes("object", "a")
    assert [found.path for found in main.objects()] == ["dir/b", "dir/c"]
    main.reset_changes("common_prefix", "dir/")
    assert list(main.objects()) == []
    main.object("a").upload(b"1")
    main.reset_changes()
    assert list(main.objects()) == []


def test_differences(repo, main):
    main.object("a").upload(b"1")
    main.commit("first")
    side = repo.branch("side").create("main")
    side.object("b").upload(b"22")
    side.commit("side")
    main.object("c").upload(b"1")
    main.commit("main")
    assert changes(main.diff("side")) == [("added", "b")]
    assert changes(main.diff("side", type="two_dot")) == [("added", "b"), ("removed", "c")]
    assert next(iter(main.diff(side))).size_bytes == 2
    with pytest.raises(NotFoundException):
        list(main.diff("absent"))


def test_merges(client, repo, main):
    main.object("a").upload(b"1")
    main.commit("first")
    side = repo.branch("side").create("main")
    side.object("b").upload(b"1")
    side.commit("side")
    merged = side.merge_into("main", message="merged", metadata={"k": "v"})
    commit = repo.ref(merged).get_commit()
    assert (commit.message, commit.metadata["k"]) == ("merged", "v")
    assert commit.metadata[".lakefs.merge.strategy"] == "default"
    assert commit.parents == [repo.ref("main~").get_commit().id, side.get_commit().id]
    with pytest.raises(BadRequestException, match="no changes"):
        side.merge_into("main")
    base = client.sdk_client.refs_api.find_merge_base(repo.id, "side", "main")
    assert base.base_commit_id == side.get_commit().id
    main.object("staged").upload(b"1")
    side.object("c").upload(b"1")
    side.commit("more")
    with pytest.raises(BadRequestException, match="uncommitted changes"):
        side.merge_into("main")
    main.reset_changes()
    squashed = side.merge_into("main", squash_merge=True)
    assert len(repo.ref(squashed).get_commit().parents) == 1


def test_conflicts_and_strategies(repo, main):
    main.object("a").upload(b"0")
    main.commit("base")
    sides = {}
    for name in ["one", "two"]:
        sides[name] = repo.branch(name).create("main")
    for name, side in sides.items():
        side.object("a").upload(name.encode())
        side.commit(name)
    one, two = sides["one"], sides["two"]
    with pytest.raises(ConflictException) as failed:
        two.merge_into(one)
    assert failed.value.body == {"reference": ""}
    assert one.object("a").reader().read() == b"one"
    two.merge_into(one, strategy="source-wins")
    assert one.object("a").reader().read() == b"two"
    three = repo.branch("three").create("main")
    three.object("a").upload(b"three")
    three.commit("three")
    three.merge_into(one, strategy="dest-wins")
    assert one.object("a").reader().read() == b"two"
    with pytest.raises(BadRequestException):
        three.merge_into(two, strategy="coin")


def test_reverts(repo, main):
    main.object("a").upload(b"1")
    main.commit("one")
    main.object("a").upload(b"2")
    second = main.commit("two").get_commit()
    reverted = main.revert(second.id)
    assert main.object("a").reader().read() == b"1"
    assert reverted.message == f"Revert {second.id}"
    side = repo.branch("side").create("main")
    side.object("b").upload(b"1")
    side.commit("side")
    side.merge_into("main")
    with pytest.raises(ConflictException):
        main.revert("main")
    main.revert("main", parent_number=1)
    assert not main.object("b").exists()
    with pytest.raises(NotFoundException):
        main.revert("absent")


def test_cherry_picks(repo, main):
    main.object("a").upload(b"1")
    main.commit("one")
    side = repo.branch("side").create("main")
    side.object("b").upload(b"1")
    picked = side.commit("to pick", metadata={"k": "v"}).get_commit()
    made = main.cherry_pick("side")
    assert (made.message, made.metadata["k"]) == ("to pick", "v")
    assert made.metadata["cherry-pick-origin"] == picked.id
    assert main.object("b").exists()
    side.merge_into("main", allow_empty=True)
    other = repo.branch("other").create("main~1")
    with pytest.raises(BadRequestException):
        other.cherry_pick("main")


def test_transactions(repo, main):
    main.object("a").upload(b"1")
    main.commit("first")
    with main.transact(commit_message="in one go", commit_metadata={"k": "v"}) as tx:
        tx.object("b").upload(b"2")
        tx.object("a").delete()
        assert not main.object("b").exists()
    assert [found.path for found in main.objects()] == ["b"]
    assert [branch.id for branch in repo.branches()] == ["main"]
    assert "in one go" in [commit.message for commit in main.log()]

    with pytest.raises(ValueError):
        with main.transact(commit_message="given up") as tx:
            tx.object("c").upload(b"3")
            raise ValueError
    assert not main.object("c").exists()

    with pytest.raises(TransactionException):
        with main.transact(commit_message="in the way") as tx:
            tx.object("b").upload(b"mine")
            main.object("b").upload(b"theirs")
            main.commit("theirs")
    assert main.object("b").reader().read() == b"theirs"
