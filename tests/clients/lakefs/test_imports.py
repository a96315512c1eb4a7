"""The import manager: objects that are in a bucket already."""

import lakefs
import pytest
from lakefs.exceptions import ConflictException, ImportManagerException, NotFoundException


@pytest.fixture
def theirs(client, repo):
    """A folder of a bucket with three objects, which another repository has put there, and what is in them."""
    name = f"{repo.id}-theirs"
    namespace = f"s3://braid.local/{name}"
    other = lakefs.Repository(name, client=client).create(storage_namespace=namespace).branch("main")
    addresses = {}
    for path in ["a", "b", "c"]:
        found = other.object(path).upload(path.encode(), pre_sign=False).stat(pre_sign=False)
        addresses[path] = found.physical_address
    return f"{namespace}/data/", addresses


def contents(branch, prefix):
    return sorted(branch.object(found.path).reader(mode="rb").read() for found in branch.objects(prefix=prefix))


def test_a_folder_replaces_a_directory_and_an_object_gets_a_path(main, theirs):
    folder, addresses = theirs
    main.object("in/old").upload(b"old")
    main.object("beside").upload(b"1")
    main.commit("before")
    job = main.import_data("theirs", metadata={"k": "v"}).prefix(folder, "in/").object(addresses["b"], "one")
    status = job.run()
    assert status.completed and status.error is None and status.ingested_objects == 4
    assert status.commit.message == "theirs" and status.commit.metadata["k"] == "v"
    assert main.head.id == status.commit.id
    assert contents(main, "in/") == [b"a", b"b", b"c"]
    assert main.object("one").reader(mode="rb").read() == b"b"
    assert main.object("beside").exists() and not main.object("in/old").exists()
    assert list(main.uncommitted()) == []
    with pytest.raises(ConflictException):
        job.cancel()


def test_what_cannot_be_imported(repo, main, theirs):
    folder, _ = theirs
    own = repo.properties.storage_namespace
    with pytest.raises(Exception, match="own storage namespace"):
        main.import_data("own").prefix(f"{own}/data/", "in/").run()
    with pytest.raises(NotFoundException):
        repo.branch("none").import_data("none").prefix(folder, "in/").run()
    main.object("dirty").upload(b"1")
    with pytest.raises(ImportManagerException, match="uncommitted changes"):
        main.import_data("dirty").prefix(folder, "in/").run()


def test_importing_is_announced(client):
    assert client.storage_config.import_support
