"""The program that users have: an image is read, changed and written back through presigned URLs."""

import io
import os

import lakefs
import pytest
from PIL import Image


@pytest.fixture
def environment(server, monkeypatch):
    monkeypatch.setenv("LAKECTL_SERVER_ENDPOINT_URL", server.url)
    monkeypatch.setenv("LAKECTL_CREDENTIALS_ACCESS_KEY_ID", server.key)
    monkeypatch.setenv("LAKECTL_CREDENTIALS_SECRET_ACCESS_KEY", server.secret)


def picture():
    image = Image.frombytes("RGB", (640, 480), os.urandom(640 * 480 * 3))
    data = io.BytesIO()
    image.save(data, format="png")
    return data.getvalue()


def test_an_image_is_read_changed_and_written(client, environment):
    repo = lakefs.Repository("example-repo", client=client).create(storage_namespace="s3://braid.local/example-repo")
    original = picture()
    repo.branch("main").object("data/image.png").upload(original, mode="wb", content_type="image/png")
    repo.branch("main").commit("the original")

    branch = lakefs.Repository("example-repo").branch("main")
    with branch.object("data/image.png").reader(pre_sign=True) as r:
        img = Image.open(r)
        img = img.convert("L").resize((300, 300))
    with branch.object("training/image.png").writer(pre_sign=True) as f:
        img.save(f, format="png")
    branch.commit(message="training data")

    with lakefs.Repository("example-repo").ref("main").object("training/image.png").reader(pre_sign=True) as r:
        stored = Image.open(io.BytesIO(r.read()))
    assert (stored.mode, stored.size) == ("L", (300, 300))
    assert stored.tobytes() == img.tobytes()
    with branch.object("data/image.png").reader(pre_sign=False) as r:
        assert r.read() == original
