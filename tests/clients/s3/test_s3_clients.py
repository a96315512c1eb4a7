"""Every client does every operation; what one wrote, the command line and the others see."""

import hashlib
import os
import random

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
    client.put(key, large)
    client.get(key, tmp_path / "in")
    assert digest(tmp_path / "in") == digest(large)
    client.delete(f"main/{client.name}/large")
    assert lake.resident() < 200


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
    connection = duckdb.connect(config={"extension_directory": str(tmp_path)})
    try:
        connection.execute("INSTALL httpfs")
        connection.execute("LOAD httpfs")
    except duckdb.Error as error:
        pytest.skip(f"httpfs cannot be installed: {str(error).splitlines()[0]}")
    host = lake.endpoint.removeprefix("http://")
    connection.execute(
        f"CREATE SECRET (TYPE s3, KEY_ID '{lake.key_id}', SECRET '{lake.secret}', ENDPOINT '{host}', "
        "URL_STYLE 'path', USE_SSL false, REGION 'us-east-1')"
    )
    connection.execute(f"COPY (SELECT range AS n FROM range(100000)) TO 's3://{BUCKET}/main/duck/n.parquet'")
    total = connection.execute(f"SELECT sum(n) FROM 's3://{BUCKET}/main/duck/*.parquet'").fetchone()
    assert total == (4999950000,)


def test_parquet(lake, tmp_path):
    """pyarrow's own reader seeks in what it wrote."""
    import pyarrow
    from pyarrow import parquet

    client = CLIENTS["pyarrow"](lake, tmp_path)
    table = pyarrow.table({"n": range(100_000), "text": [f"row {n}" for n in range(100_000)]})
    parquet.write_table(table, f"{BUCKET}/main/table.parquet", filesystem=client.fs)
    assert parquet.read_table(f"{BUCKET}/main/table.parquet", filesystem=client.fs).equals(table)
