"""The API is what its description says: schemathesis makes requests from it, and no answer surprises."""

import importlib.util
import subprocess
import sys
import urllib.request

import pytest

CHECKS = "not_a_server_error,response_schema_conformance,status_code_conformance,content_type_conformance"

# They would take away what the run itself calls with.
EXCLUDED = ["deleteUser", "deleteCredentials"]


def test_answers_are_as_described(server, client, repo, tmp_path):
    if importlib.util.find_spec("schemathesis") is None:
        pytest.skip("schemathesis is not in this environment")
    description = tmp_path / "openapi.json"
    description.write_bytes(urllib.request.urlopen(f"{server.url}/openapi.json").read())
    command = [sys.executable, "-m", "schemathesis.cli", "run", str(description), "--url", f"{server.url}/api/v1"]
    command += ["--auth", f"{server.key}:{server.secret}", "-c", CHECKS, "-n", "5", "--phases", "coverage,fuzzing"]
    for operation in EXCLUDED:
        command += ["--exclude-operation-id", operation]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout[-5000:]
