"""A server of our own, and a repository in it, for all tests."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from clients import CLIENTS


@dataclass
class Lake:
    """A running server with a repository `lake`, and the administrator's key."""

    endpoint: str
    grpc: str
    key_id: str
    secret: str
    process: subprocess.Popen

    def braid(self, *arguments):
        """Runs the command line; answers what it printed."""
        env = dict(
            os.environ,
            BRAID_ENDPOINT=self.grpc,
            BRAID_ACCESS_KEY_ID=self.key_id,
            BRAID_SECRET_ACCESS_KEY=self.secret,
        )
        run = subprocess.run([os.environ["BRAID"], *arguments], env=env, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        return run.stdout

    def resident(self):
        """How much memory the server has now, in MiB."""
        return self.memory("VmRSS")

    def most_resident(self):
        """The most memory that the server had since it started, or since this was forgotten, in MiB."""
        return self.memory("VmHWM")

    def forget_most_resident(self):
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def memory(self, field):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(field + r":\s+(\d+) kB", status).group(1)) / 1024

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0


def start(data):
    """A server over this folder, with a repository `lake`."""
    command = [os.environ["BRAID"], "up", "--data", str(data), "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=sys.stderr, text=True)
    said = ""
    while "SECRET_ACCESS_KEY=" not in said:
        line = process.stdout.readline()
        assert line, f"the server ended: {said}"
        said += line
    found = lambda pattern: re.search(pattern, said).group(1)
    lake = Lake(
        endpoint=found(r"HTTP\s+(http://\S+)"),
        grpc=found(r"BRAID_ENDPOINT=(\S+)"),
        key_id=found(r"BRAID_ACCESS_KEY_ID=(\S+)"),
        secret=found(r"BRAID_SECRET_ACCESS_KEY=(\S+)"),
        process=process,
    )
    lake.braid("repo", "create", "lake")
    return lake


@pytest.fixture(scope="session")
def lake(tmp_path_factory):
    lake = start(tmp_path_factory.mktemp("lake"))
    yield lake
    print(f"\nmost resident memory of the server: {lake.most_resident():.0f} MiB")
    lake.stop()


@pytest.fixture
def fresh_lake():
    """One that has done nothing yet, and whose data goes with it."""
    with tempfile.TemporaryDirectory() as folder:
        lake = start(Path(folder) / "data")
        yield lake
        lake.stop()


def pytest_terminal_summary(terminalreporter):
    """The matrix of clients and operations."""
    rows = {}
    for outcome, sign in [("passed", "yes"), ("failed", "FAILED"), ("skipped", "-")]:
        for report in terminalreporter.stats.get(outcome, []):
            match = re.search(r"::test_(\w+)\[(\w+)\]$", report.nodeid)
            if match and match.group(2) in CLIENTS and getattr(report, "when", "call") in ("call", "setup"):
                rows.setdefault(match.group(2), {})[match.group(1)] = sign
    if not rows:
        return
    operations = sorted({operation for row in rows.values() for operation in row})
    terminalreporter.write_line("")
    terminalreporter.write_line("| client | " + " | ".join(operations) + " |")
    terminalreporter.write_line("|---" * (len(operations) + 1) + "|")
    for client, row in sorted(rows.items()):
        cells = " | ".join(row.get(operation, "") for operation in operations)
        terminalreporter.write_line(f"| {client} | {cells} |")
