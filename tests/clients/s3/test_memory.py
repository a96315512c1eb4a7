"""Memory does not grow with objects: one of LARGE_MIB (5120 makes it five GiB) up and down, by each API."""

import base64
import http.client
import os
import random
import zlib
from urllib.parse import quote, urlsplit

import boto3
import pytest
from botocore.config import Config

LARGE_MIB = int(os.environ.get("LARGE_MIB", "512"))
PIECE = random.Random(1).randbytes(1 << 20)

# Of the server, in MiB.
MOST_RESIDENT = 200


class Content:
    """LARGE_MIB of content that is never there whole."""

    def __init__(self):
        self.left = LARGE_MIB << 20
        self.crc = 0

    def read(self, size=-1):
        size = self.left if size < 0 else min(size, self.left)
        start = (-self.left) % len(PIECE)
        piece = PIECE[start : start + size]
        self.left -= len(piece)
        self.crc = zlib.crc32(piece, self.crc)
        return piece


class Whole(Content):
    """What reads less than asked for only at its end."""

    def read(self, size=-1):
        pieces = []
        while size > 0 and (piece := super().read(size)):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)


def connect(lake):
    return http.client.HTTPConnection(urlsplit(lake.endpoint).netloc, timeout=600)


def upload(lake, method, path, headers):
    content = Content()
    connection = connect(lake)
    headers = dict(headers, **{"Content-Length": str(content.left)})
    connection.request(method, path, body=content, headers=headers)
    answer = connection.getresponse()
    assert answer.status in (200, 201), answer.read()
    return content.crc


def download(lake, path, headers):
    connection = connect(lake)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    crc = 0
    while piece := answer.read(1 << 20):
        crc = zlib.crc32(piece, crc)
    return crc


def s3(lake):
    session = boto3.Session(lake.key_id, lake.secret, region_name="us-east-1")
    return session.client("s3", endpoint_url=lake.endpoint, config=Config(s3={"addressing_style": "path"}, signature_version="s3v4"))


def signed(lake, operation, key):
    url = s3(lake).generate_presigned_url(operation, Params={"Bucket": "lake", "Key": key})
    return url.removeprefix(lake.endpoint)


def by_s3(lake):
    sent = upload(lake, "PUT", signed(lake, "put_object", "main/large"), {})
    yield "PUT"
    assert download(lake, signed(lake, "get_object", "main/large"), {}) == sent
    yield "GET"


def by_s3_in_parts(lake):
    content = Whole()
    s3(lake).upload_fileobj(content, "lake", "main/parts")
    yield "PUT"
    assert download(lake, signed(lake, "get_object", "main/parts"), {}) == content.crc
    yield "GET"


def by_rest(lake):
    pair = base64.b64encode(f"{lake.key_id}:{lake.secret}".encode()).decode()
    headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/octet-stream"}
    root = "/api/v1/repositories/lake"
    path = quote("by rest", safe="")
    sent = upload(lake, "POST", f"{root}/branches/main/objects?path={path}", headers)
    yield "POST"
    assert download(lake, f"{root}/refs/main/objects?path={path}", headers) == sent
    yield "GET"


@pytest.mark.parametrize("transfer", [by_s3, by_s3_in_parts, by_rest])
def test_memory(fresh_lake, transfer):
    print(f"\nfigure idle_resident {fresh_lake.resident():.1f} MiB")
    fresh_lake.forget_most_resident()
    for done in transfer(fresh_lake):
        most = fresh_lake.most_resident()
        print(f"figure {transfer.__name__}_{done}_{LARGE_MIB}_mib_resident {most:.1f} MiB")
        assert most < MOST_RESIDENT
        fresh_lake.forget_most_resident()
