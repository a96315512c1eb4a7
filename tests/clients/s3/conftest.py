"""A server of our own, and a repository in it, for all tests."""

import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest


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
        """The most memory that the server ever had, in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) / 1024


@pytest.fixture(scope="session")
def lake(tmp_path_factory):
    data = tmp_path_factory.mktemp("lake")
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
    yield lake
    print(f"\nmost resident memory of the server: {lake.resident():.0f} MiB")
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


def pytest_terminal_summary(terminalreporter):
    """The matrix of clients and operations."""
    rows = {}
    for outcome, sign in [("passed", "yes"), ("failed", "FAILED"), ("skipped", "-")]:
        for report in terminalreporter.stats.get(outcome, []):
            match = re.search(r"::test_(\w+)\[(\w+)\]$", report.nodeid)
            if match and getattr(report, "when", "call") in ("call", "setup"):
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
