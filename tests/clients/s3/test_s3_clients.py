"""Every client does every operation; what one wrote, the command line and the others see."""

import hashlib
import os
import random
from pathlib import Path

import pytest
from clients import BUCKET, CLIENTS

MIB = int(os.environ.get("MIB", "100"))
FILES = int(os.environ.get("FILES", "5000"))


@pytest.fixture(params=CLIENTS, scope="module")
def client(request, lake, tmp_path_factory):
    made = CLIENTS[request.param](lake, tmp_path_factory.mktemp(request.param))
    made.name = request.param
    return made


def digest(file):
    with open(file, "rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


@pytest.fixture(scope="session")
def large(tmp_path_factory):
    file = tmp_path_factory.mktemp("large") / "large"
    with open(file, "wb") as opened:
        for number in range(MIB):
            opened.write(random.Random(number).randbytes(1 << 20))
    return file


@pytest.fixture(scope="session")
def many(tmp_path_factory):
    folder = tmp_path_factory.mktemp("many")
    for number in range(FILES):
        file = folder / f"{number % 50:02}" / f"file {number:04}.txt"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"content of {number}")
    return folder


def test_write_list_read_delete(client, lake, tmp_path):
    root = f"main/{client.name}/plain/"
    texts = {"a": "", "b c.txt": "text", "dir/ü+%": "other text"}
    for name, text in texts.items():
        file = tmp_path / "out"
        file.write_text(text)
        client.put(root + name, file)
    assert client.list(root) == sorted(root + name for name in texts)
    for name, text in texts.items():
        client.get(root + name, tmp_path / "in")
        assert (tmp_path / "in").read_text() == text
        assert lake.braid("cat", f"braid://{BUCKET}/{root}{name}") == text
    client.delete(root)
    assert client.list(root) == []


def test_multipart(client, lake, large, tmp_path):
    key = f"main/{client.name}/large"
    before = lake.resident()
    lake.forget_most_resident()
    client.put(key, large)
    client.get(key, tmp_path / "in")
    assert digest(tmp_path / "in") == digest(large)
    client.delete(f"main/{client.name}/large")
    assert lake.most_resident() - before < 100, "MiB; the data passes, and is not kept"


def test_server_side_copy(client, lake, large, tmp_path):
    """Whoever can copies in parts of 8 MiB; nothing passes through the client."""
    source, key = f"main/{client.name}/from here+", f"main/{client.name}/copies/to ü"
    client.put(source, large)
    client.copy(source, key)
    client.get(key, tmp_path / "in")
    assert digest(tmp_path / "in") == digest(large)
    client.delete(f"main/{client.name}/")


def test_sync(client, lake, many):
    root = f"main/{client.name}/many/"
    client.sync(many, root)
    expected = sorted(root + str(file.relative_to(many)) for file in many.rglob("*") if file.is_file())
    assert client.list(root) == expected
    client.delete(root)
    assert client.list(root) == []


def test_history(lake, tmp_path):
    """What S3 wrote, gRPC commits; S3 reads it at the commit and writes on."""
    client = CLIENTS["boto3"](lake, tmp_path)
    file = tmp_path / "file"
    file.write_text("one")
    client.put("main/history", file)
    lake.braid("commit", f"braid://{BUCKET}/main", "-m", "one")
    lake.braid("tag", "create", f"braid://{BUCKET}/v1", "main")
    file.write_text("two")
    client.put("main/history", file)
    for ref, text in [("v1", "one"), ("main@", "one"), ("main", "two")]:
        client.get(f"{ref}/history", tmp_path / "in")
        assert (tmp_path / "in").read_text() == text


def test_duckdb(lake, tmp_path):
    duckdb = pytest.importorskip("duckdb")
    extensions = Path(pytest.importorskip("duckdb_ext").__path__[0]) / "extensions"
    connection = duckdb.connect()
    (extension,) = extensions.glob(f"v{duckdb.__version__}/*/httpfs.duckdb_extension")
    connection.execute(f"LOAD '{extension}'")
    host = lake.endpoint.removeprefix("http://")
    connection.execute(
        f"CREATE SECRET (TYPE s3, KEY_ID '{lake.key_id}', SECRET '{lake.secret}', ENDPOINT '{host}', "
        "URL_STYLE 'path', USE_SSL false, REGION 'us-east-1')"
    )
    root = f"s3://{BUCKET}/main/duck"
    connection.execute(f"COPY (SELECT range AS n FROM range(100000)) TO '{root}/n.parquet'")
    total = connection.execute(f"SELECT sum(n) FROM '{root}/*.parquet'").fetchone()
    assert total == (4999950000,)
    # About MIB megabytes, in parts.
    rows = MIB << 15
    connection.execute(
        f"COPY (SELECT range AS n, hash(range) AS h FROM range({rows})) TO '{root}/large.csv' (HEADER, FORMAT csv)"
    )
    found = connection.execute(f"SELECT count(*), sum(n) FROM read_csv('{root}/large.csv')").fetchone()
    assert found == (rows, rows * (rows - 1) // 2)
    names = [name for (name,) in connection.execute(f"SELECT file FROM glob('{root}/*')").fetchall()]
    assert sorted(names) == [f"{root}/large.csv", f"{root}/n.parquet"]


def test_parquet(lake, tmp_path):
    """pyarrow's own reader seeks in what it wrote."""
    import pyarrow
    from pyarrow import parquet

    client = CLIENTS["pyarrow"](lake, tmp_path)
    table = pyarrow.table({"n": range(100_000), "text": [f"row {n}" for n in range(100_000)]})
    parquet.write_table(table, f"{BUCKET}/main/table.parquet", filesystem=client.fs)
    assert parquet.read_table(f"{BUCKET}/main/table.parquet", filesystem=client.fs).equals(table)
