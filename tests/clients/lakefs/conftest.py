"""A server of our own for the whole run, and a repository for each test."""

import itertools
import os
import re
import signal
import subprocess

import lakefs
import pytest
from lakefs.client import Client


class Server:
    def __init__(self, data):
        command = [os.environ["BRAID"], "up", "--data", str(data), "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        said = ""
        while "BRAID_SECRET_ACCESS_KEY" not in said:
            line = self.process.stdout.readline()
            assert line, f"the server ended: {said}"
            said += line
        self.url = re.search(r"HTTP +(\S+)", said).group(1)
        self.key = re.search(r"BRAID_ACCESS_KEY_ID=(\S+)", said).group(1)
        self.secret = re.search(r"BRAID_SECRET_ACCESS_KEY=(\S+)", said).group(1)

    def client(self, **other):
        keys = {"username": self.key, "password": self.secret, **other}
        return Client(host=self.url, **keys)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=60) == 0


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server") / "data")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def client(server):
    return server.client()


numbers = itertools.count()


@pytest.fixture
def repo(client):
    name = f"repo-{next(numbers)}"
    return lakefs.Repository(name, client=client).create(storage_namespace=f"s3://braid.local/{name}")


@pytest.fixture
def main(repo):
    return repo.branch("main")
