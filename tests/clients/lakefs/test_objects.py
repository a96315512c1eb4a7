"""Readers, writers, and what is said of objects."""

import pytest
from lakefs.exceptions import (
    InvalidRangeException,
    NotFoundException,
    ObjectExistsException,
    ObjectNotFoundException,
)

PATHS = [
    "a/b",
    "a b+c%20&#?.txt",
    "../up/./here//twice",
    "é/日本/🦀",
    "/leading",
    "trailing/",
    "x" * 1024,
]


@pytest.mark.parametrize("pre_sign", [True, False, None])
@pytest.mark.parametrize("mode,data", [("wb", b"\x00\xff bytes"), ("w", "text é\nline"), ("xb", b"new"), ("x", "new")])
def test_every_mode_of_a_writer(main, pre_sign, mode, data):
    obj = main.object(f"dir/{mode}")
    with obj.writer(mode=mode, pre_sign=pre_sign, content_type="text/plain", metadata={"k": "v"}) as f:
        f.write(data[:2])
        f.write(data[2:])
    text = isinstance(data, str)
    with obj.reader(mode="r" if text else "rb", pre_sign=pre_sign) as f:
        assert f.read() == data
    stat = obj.stat()
    assert stat.content_type == "text/plain"
    assert stat.metadata == {"k": "v"}
    assert stat.size_bytes == len(data.encode() if text else data)


@pytest.mark.parametrize("pre_sign", [True, False])
def test_an_exclusive_writer_replaces_nothing(main, pre_sign):
    obj = main.object("one").upload(b"first", pre_sign=pre_sign)
    with pytest.raises(ObjectExistsException):
        obj.upload(b"second", mode="xb", pre_sign=pre_sign)
    assert obj.reader(pre_sign=pre_sign).read() == b"first"


@pytest.mark.parametrize("pre_sign", [True, False])
def test_a_reader_seeks_and_reads_by_parts_and_lines(main, pre_sign):
    data = b"".join(b"line %d\n" % n for n in range(1000))
    obj = main.object("lines").upload(data, pre_sign=pre_sign)
    with obj.reader(pre_sign=pre_sign) as f:
        assert f.read(10) == data[:10]
        f.seek(-5, 2)
        assert f.read() == data[-5:]
        f.seek(0)
        assert f.readline() == b"line 0\n"
        assert f.tell() == 7
        f.seek(len(data) - 3)
        assert f.read(100) == data[-3:]
        assert f.read(100) == b""
    with obj.reader(mode="r", pre_sign=pre_sign) as f:
        assert f.read() == data.decode()


@pytest.mark.parametrize("pre_sign", [True, False])
def test_empty_objects(main, pre_sign):
    obj = main.object("empty").upload(b"", pre_sign=pre_sign)
    assert obj.stat().size_bytes == 0
    assert obj.reader(pre_sign=pre_sign).read() == b""


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("pre_sign", [True, False])
def test_paths_are_kept_byte_for_byte(main, path, pre_sign):
    data = path.encode()
    main.object(path).upload(data, pre_sign=pre_sign)
    assert main.object(path).reader(pre_sign=pre_sign).read() == data
    assert main.object(path).stat().path == path
    assert [found.path for found in main.objects()] == [path]
    main.object(path).delete()
    assert not main.object(path).exists()


def test_what_is_not_there(main):
    with pytest.raises(ObjectNotFoundException):
        main.object("absent").stat()
    with pytest.raises(FileNotFoundError):
        main.object("absent").reader(pre_sign=False).read()
    with pytest.raises(FileNotFoundError):
        main.object("absent").reader(pre_sign=True).read()
    assert not main.object("absent").exists()
    main.object("absent").delete()


def test_a_large_object_goes_through_in_both_ways(main):
    data = bytes(range(256)) * (24 << 12)
    for pre_sign in (True, False):
        obj = main.object(f"large-{pre_sign}").upload(data, pre_sign=pre_sign)
        assert obj.stat().size_bytes == len(data)
        with obj.reader(pre_sign=pre_sign) as f:
            assert f.read() == data


def test_copies(repo, main):
    main.object("a").upload(b"copied", metadata={"k": "v"}, content_type="text/csv")
    copy = main.object("a").copy("main", "dir/b")
    assert copy.reader().read() == b"copied"
    assert copy.stat().metadata == {"k": "v"}
    head = main.commit("both").get_commit()
    side = repo.branch("side").create("main~")
    main.object("a").copy("side", "c")
    assert side.object("c").reader().read() == b"copied"
    repo.ref(head.id).object("a").copy("side", "d")
    assert sorted(found.path for found in side.objects()) == ["c", "d"]


def test_listing_with_prefixes_and_directories(main):
    for path in ["a", "d/1", "d/2", "d/e/3", "z"]:
        main.object(path).upload(b"1", metadata={"p": path})
    assert [found.path for found in main.objects()] == ["a", "d/1", "d/2", "d/e/3", "z"]
    assert [found.path for found in main.objects(delimiter="/")] == ["a", "d/", "z"]
    assert [found.path for found in main.objects(prefix="d/", delimiter="/")] == ["d/1", "d/2", "d/e/"]
    assert [found.path for found in main.objects(after="d/1", max_amount=2)] == ["d/2", "d/e/3"]
    assert [found.path for found in main.objects(delimiter="/", after="d/")] == ["z"]
    assert next(iter(main.objects(user_metadata=True))).metadata == {"p": "a"}


def test_pages_of_2500_objects(client, repo, main):
    names = [f"dir/{n:05}" for n in range(2500)]
    # Rows for the same data are enough.
    first = main.object(names[0]).upload(b"1")
    for name in names[1:]:
        first.copy("main", name)
    assert [found.path for found in main.objects()] == names
    main.commit("2500")
    assert [found.path for found in main.objects(max_amount=1500)] == names[:1500]
    api = client.sdk_client.objects_api
    page = api.list_objects(repo.id, "main", amount=1000, after=names[1999])
    assert (page.pagination.has_more, page.pagination.results) == (False, 500)
    page = api.list_objects(repo.id, "main", amount=1000)
    assert (page.pagination.has_more, page.pagination.next_offset) == (True, names[999])
    main.delete_objects(names[:1000])
    assert sum(1 for _ in main.objects()) == 1500
    assert sum(1 for _ in main.uncommitted()) == 1000


def test_the_metadata_of_an_object_can_be_replaced(client, repo, main):
    obj = main.object("a").upload(b"1", metadata={"k": "v"})
    client.sdk_client.experimental_api.update_object_user_metadata(
        repo.id, "main", "a", __import__("lakefs_sdk").UpdateObjectUserMetadata(set={"new": "1"})
    )
    assert obj.stat().metadata == {"new": "1"}


def test_presigned_stats_and_lists(client, repo, main):
    import urllib.request

    main.object("a").upload(b"presigned")
    for url in [
        main.object("a").stat(pre_sign=True).physical_address,
        next(iter(main.objects(presign=True))).physical_address,
    ]:
        assert urllib.request.urlopen(url).read() == b"presigned"


def test_ranges_beyond_the_end(client, repo, main):
    main.object("a").upload(b"12345")
    get = client.sdk_client.objects_api.get_object
    assert get(repo.id, "main", "a", range="bytes=1-3") == b"234"
    assert get(repo.id, "main", "a", range="bytes=3-100") == b"45"
    with pytest.raises(Exception) as failed:
        get(repo.id, "main", "a", range="bytes=5-")
    assert failed.value.status == 416
