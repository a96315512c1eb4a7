"""lakefs-spec: the same by way of fsspec, and what is built on it."""

import os

import pandas as pd
import pytest
from lakefs_spec import LakeFSFileSystem


@pytest.fixture
def fs(server):
    return LakeFSFileSystem(host=server.url, username=server.key, password=server.secret, use_listings_cache=False)


def test_files_and_folders(fs, repo, tmp_path):
    root = f"lakefs://{repo.id}/main"
    for name in ["a.txt", "dir/b.txt", "dir/deep/c.txt"]:
        fs.pipe(f"{root}/{name}", name.encode())
    assert fs.cat(f"{root}/dir/b.txt") == b"dir/b.txt"
    assert sorted(os.path.basename(name.rstrip("/")) for name in fs.ls(f"{root}/dir", detail=False)) == ["b.txt", "deep"]
    assert fs.info(f"{root}/a.txt")["size"] == 5
    assert fs.info(f"{root}/dir/")["type"] == "directory"
    assert len(fs.glob(f"{root}/**/*.txt")) == 3
    assert [len(files) for _, _, files in fs.walk(f"{root}/dir/")] == [1, 1]
    assert fs.exists(f"{root}/a.txt") and not fs.exists(f"{root}/absent")
    with pytest.raises(FileNotFoundError):
        fs.cat(f"{root}/absent")
    fs.get(f"{root}/dir/", str(tmp_path / "got"), recursive=True)
    assert (tmp_path / "got" / "deep" / "c.txt").read_text() == "dir/deep/c.txt"
    (tmp_path / "got" / "new.txt").write_text("new")
    fs.put(str(tmp_path / "got"), f"{root}/put/", recursive=True)
    assert fs.cat(f"{root}/put/got/new.txt") == b"new"
    fs.cp_file(f"{root}/a.txt", f"{root}/copy.txt")
    assert fs.cat(f"{root}/copy.txt") == b"a.txt"
    fs.rm(f"{root}/dir/", recursive=True)
    assert not fs.exists(f"{root}/dir/b.txt")
    with fs.open(f"{root}/a.txt", "rb") as f:
        f.seek(2)
        assert f.read() == b"txt"


def test_transactions(fs, repo, main):
    with fs.transaction(repo.id, "main") as tx:
        fs.pipe(f"lakefs://{repo.id}/{tx.branch.id}/a.txt", b"1")
        tx.commit(message="in one go")
    assert main.object("a.txt").reader().read() == b"1"


def test_tables(fs, repo, server):
    frame = pd.DataFrame({"n": range(1000), "text": [str(n) for n in range(1000)]})
    options = {"host": server.url, "username": server.key, "password": server.secret}
    url = f"lakefs://{repo.id}/main/tables/numbers.parquet"
    frame.to_parquet(url, storage_options=options)
    assert pd.read_parquet(url, storage_options=options).equals(frame)
    frame.to_csv(f"lakefs://{repo.id}/main/numbers.csv", storage_options=options, index=False)
    assert len(pd.read_csv(f"lakefs://{repo.id}/main/numbers.csv", storage_options=options)) == 1000
