"""Paths for data that is in a bucket already, and commits of trees that are."""

import hashlib

import lakefs
import pytest
from lakefs_sdk import CommitCreation, ObjectStageCreation, StagingLocation, StagingMetadata
from lakefs_sdk.exceptions import ApiException, BadRequestException, NotFoundException


@pytest.fixture
def theirs(client, repo):
    """The address of an object of another repository's, whose data is `theirs`."""
    name = f"{repo.id}-theirs"
    other = lakefs.Repository(name, client=client).create(storage_namespace=f"s3://braid.local/{name}")
    return other.branch("main").object("a").upload(b"theirs").stat(pre_sign=False).physical_address


MD5 = hashlib.md5(b"theirs").hexdigest()


def test_a_foreign_address_is_linked(client, repo, main, theirs):
    meta = StagingMetadata(
        staging=StagingLocation(physical_address=theirs),
        checksum=MD5,
        size_bytes=6,
        user_metadata={"k": "v"},
        content_type="text/plain",
        mtime=1_600_000_000,
    )
    linked = client.sdk_client.staging_api.link_physical_address(repo.id, "main", "linked", meta)
    assert (linked.physical_address, linked.checksum, linked.size_bytes) == (theirs, MD5, 6)
    found = main.object("linked").stat(pre_sign=False)
    assert (found.physical_address, found.mtime, found.content_type) == (theirs, 1_600_000_000, "text/plain")
    assert found.metadata == {"k": "v"}
    for pre_sign in [True, False]:
        assert main.object("linked").reader(mode="rb", pre_sign=pre_sign).read() == b"theirs"
    with pytest.raises(ApiException) as failed:
        client.sdk_client.staging_api.link_physical_address(
            repo.id, "main", "linked", meta, if_none_match="*"
        )
    assert failed.value.status == 412
    main.commit("linked")
    assert main.object("linked").reader(mode="rb").read() == b"theirs"


def test_an_object_is_staged(client, repo, main, theirs):
    stage = client.sdk_client.internal_api.stage_object
    asked = ObjectStageCreation(physical_address=theirs, checksum=MD5, size_bytes=6, metadata={"k": "v"})
    staged = stage(repo.id, "main", "staged", asked)
    assert (staged.physical_address, staged.metadata) == (theirs, {"k": "v"})
    assert main.object("staged").reader(mode="rb").read() == b"theirs"
    own = main.object("own").upload(b"1").stat(pre_sign=False).physical_address
    for address, size in [(theirs, 7), (theirs + "x", 6), (own, 1), ("/etc/passwd", 1), ("s3://", 1)]:
        with pytest.raises(BadRequestException):
            stage(repo.id, "main", "no", ObjectStageCreation(physical_address=address, checksum="c", size_bytes=size))
    with pytest.raises(NotFoundException):
        stage(repo.id, "absent", "staged", asked)
    assert not main.object("no").exists()


def test_a_tree_is_committed(client, repo, main):
    main.object("a").upload(b"1")
    main.commit("first")
    side = repo.branch("side").create("main")
    side.object("b").upload(b"1")
    tree = side.commit("side").get_commit().meta_range_id
    commit = client.sdk_client.commits_api.commit
    made = commit(repo.id, "main", CommitCreation(message="as it is", metadata={"k": "v"}), source_metarange=tree)
    assert (made.meta_range_id, made.message, made.metadata) == (tree, "as it is", {"k": "v"})
    assert main.head.id == made.id and main.object("b").exists()
    asked = CommitCreation(message="no")
    with pytest.raises(NotFoundException, match="metarange not found"):
        commit(repo.id, "main", asked, source_metarange="0" * 64)
    with pytest.raises(BadRequestException):
        commit(repo.id, "main", asked, source_metarange="no-id")
    main.object("c").upload(b"1")
    with pytest.raises(BadRequestException, match="uncommitted changes"):
        commit(repo.id, "main", asked, source_metarange=tree)


def test_sample_data_and_reports(client, repo):
    name = f"{repo.id}-sample"
    sample = lakefs.Repository(name, client=client).create(
        storage_namespace=f"s3://braid.local/{name}", include_samples=True, default_branch="trunk"
    )
    trunk = sample.branch("trunk")
    assert [found.path for found in trunk.objects()] == ["README.md", "data/lakes.csv"]
    assert trunk.object("data/lakes.csv").reader(mode="r").readline() == "name,continent,area_km2,greatest_depth_m\n"
    assert trunk.head.get_commit().message == "Add sample data"
    assert list(trunk.uncommitted()) == []
    with pytest.raises(NotFoundException):
        client.sdk_client.internal_api.get_usage_report_summary()
