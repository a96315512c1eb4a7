"""The API is what its description says: schemathesis makes requests from it, and no answer surprises."""

import importlib.util
import json
import subprocess
import sys
import urllib.request

import pytest

CHECKS = "not_a_server_error,response_schema_conformance,status_code_conformance,content_type_conformance"

# They would take away what the run itself calls with.
EXCLUDED = ["deleteUser", "deleteCredentials"]

# A build without optimisation takes its time to sign the URLs of ten thousand parts.
SETTINGS = """
request-timeout = 60
"""

# Only where the description says so may an answer be that something is not built.
UNBUILT = """
[[operations]]
include-operation-id = {operations}

[operations.checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", "501"]
"""

# What is there, so that not all requests end at a name that nothing has.
KNOWN = """
[parameters]
"path.repository" = "{repository}"
"path.branch" = "main"
"path.ref" = "main"
"path.commit" = "main"
"path.left" = "main"
"path.right" = "side"
"path.source" = "side"
"path.destination" = "main"
"path.tag" = "v1"
"path.user" = "admin"
"query.path" = "a"
"query.dest_path" = "b"

[[operations]]
include-operation-id = ["deleteObject", "uploadObject"]
parameters = {{ "query.path" = "c" }}

[[operations]]
include-operation-id = "hardResetBranch"
parameters = {{ "query.ref" = "main" }}

[[operations]]
include-operation-id = ["deleteTag", "deleteBranch"]
parameters = {{ "path.tag" = "v2", "path.branch" = "other" }}
"""


@pytest.mark.parametrize("known", [False, True], ids=["any names", "known names"])
def test_answers_are_as_described(server, client, repo, tmp_path, known):
    if importlib.util.find_spec("schemathesis") is None:
        pytest.skip("schemathesis is not in this environment")
    description = tmp_path / "openapi.json"
    description.write_bytes(urllib.request.urlopen(f"{server.url}/openapi.json").read())
    settings = SETTINGS + UNBUILT.format(operations=json.dumps(unbuilt(json.loads(description.read_bytes()))))
    excluded = EXCLUDED
    if known:
        fill(repo)
        settings += KNOWN.format(repository=repo.id)
        excluded = [*EXCLUDED, "deleteRepository"]
    (tmp_path / "schemathesis.toml").write_text(settings)
    command = [sys.executable, "-m", "schemathesis.cli", "run", str(description), "--url", f"{server.url}/api/v1"]
    command += ["--auth", f"{server.key}:{server.secret}", "-c", CHECKS, "-n", "5", "--phases", "coverage,fuzzing"]
    for operation in excluded:
        command += ["--exclude-operation-id", operation]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout[-5000:]


def unbuilt(description):
    """The operations that the description says may answer 501."""
    operations = [operation for path in description["paths"].values() for operation in path.values()]
    return [operation["operationId"] for operation in operations if "501" in operation.get("responses", {})]


def fill(repo):
    """Gives the repository what the known names are of."""
    main = repo.branch("main")
    main.object("a").upload("a")
    main.commit("an object")
    for name in ["side", "other"]:
        repo.branch(name).create("main")
    repo.branch("side").object("b").upload("b")
    repo.branch("side").commit("another")
    for name in ["v1", "v2"]:
        repo.tag(name).create("main")
