"""Users, keys, sessions; what is refused, and how."""

import json
import urllib.error
import urllib.request

import lakefs
import lakefs_sdk
import pytest
from lakefs.exceptions import NotAuthorizedException


def test_the_server_tells_who_calls_and_what_it_is(client):
    assert client.sdk_client.auth_api.get_current_user().user.id == "admin"
    assert client.storage_config.pre_sign_support
    version = [int(part) for part in client.version.split(".")]
    assert version >= [1, 3, 1]


def test_wrong_keys_are_refused(server):
    for username, password in [("AKIAIOSFODNN7EXAMPLE", "x" * 40), (server.key, "wrong")]:
        wrong = server.client(username=username, password=password)
        with pytest.raises(NotAuthorizedException, match="error authenticating request"):
            list(lakefs.repositories(client=wrong))


def test_users_and_their_keys(server, client):
    api = client.sdk_client.auth_api
    api.create_user(lakefs_sdk.UserCreation(id="ada"))
    with pytest.raises(lakefs_sdk.exceptions.ApiException) as failed:
        api.create_user(lakefs_sdk.UserCreation(id="ada"))
    assert failed.value.status == 409
    assert "ada" in [user.id for user in api.list_users().results]
    keys = [api.create_credentials("ada") for _ in range(2)]
    listed = [key.access_key_id for key in api.list_user_credentials("ada").results]
    assert sorted(listed) == sorted(key.access_key_id for key in keys)
    for key in keys:
        ada = server.client(username=key.access_key_id, password=key.secret_access_key)
        assert ada.sdk_client.auth_api.get_current_user().user.id == "ada"
    api.delete_credentials("ada", keys[0].access_key_id)
    with pytest.raises(NotAuthorizedException):
        gone = server.client(username=keys[0].access_key_id, password=keys[0].secret_access_key)
        list(lakefs.repositories(client=gone))
    api.delete_user("ada")
    with pytest.raises(lakefs_sdk.exceptions.NotFoundException):
        api.get_user("ada")


def send(server, method, path, body=None, headers=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{server.url}{path}", data=data, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def test_a_session_is_as_good_as_a_key(server):
    keys = {"access_key_id": server.key, "secret_access_key": server.secret}
    status, headers, body = send(server, "POST", "/api/v1/auth/login", keys)
    assert status == 200
    token = json.loads(body)["token"]
    cookie = headers["Set-Cookie"].split(";")[0]
    for shown in [{"Authorization": f"Bearer {token}"}, {"Cookie": cookie}]:
        status, _, body = send(server, "GET", "/api/v1/user", headers=shown)
        assert (status, json.loads(body)["user"]["id"]) == (200, "admin")
    assert send(server, "GET", "/api/v1/user", headers={"Authorization": f"Bearer {token}x"})[0] == 401
    assert send(server, "POST", "/api/v1/auth/login", {**keys, "secret_access_key": "x"})[0] == 401


def test_the_setup_is_over(server):
    status, _, body = send(server, "GET", "/api/v1/setup_lakefs")
    assert (status, json.loads(body)["state"]) == (200, "initialized")
    status, _, body = send(server, "POST", "/api/v1/setup_lakefs", {"username": "eve"})
    assert (status, json.loads(body)["message"]) == (409, "lakeFS already initialized")


def test_what_is_malformed_is_refused_as_such(server, client, repo):
    import base64

    pair = base64.b64encode(f"{server.key}:{server.secret}".encode()).decode()
    key = {"Authorization": f"Basic {pair}"}
    at = f"/api/v1/repositories/{repo.id}"
    for method, path, body, status in [
        ("GET", "/api/v1/nowhere", None, 404),
        ("GET", f"{at}/refs/main/objects", None, 400),
        ("GET", f"{at}/refs/main/objects?path=", None, 400),
        ("GET", f"{at}/refs/main/objects?path=%FF", None, 400),
        ("GET", f"{at}/refs/main/objects?path=a&presign=maybe", None, 400),
        ("GET", f"{at}/refs/main/objects/ls?amount=1001", None, 400),
        ("GET", f"{at}/refs/main/objects/ls?amount=x", None, 400),
        ("GET", f"{at}/refs/main%20x/commits", None, 400),
        ("GET", "/api/v1/repositories/NO", None, 400),
        ("GET", "/api/v1/repositories/absent", None, 404),
        ("POST", "/api/v1/repositories", {"name": 1}, 400),
        ("POST", "/api/v1/repositories", {"name": "valid", "storage_namespace": "file:///etc"}, 400),
        ("POST", f"{at}/branches/main/commits", {}, 400),
        ("POST", f"{at}/branches/main/objects/delete", {"paths": ["x"] * 1001}, 400),
        ("PUT", f"{at}/branches/main/staging/backing?path=a", {"staging": {}, "checksum": "x"}, 400),
        ("PATCH", f"{at}/branches/main", None, 405),
        ("GET", f"{at}/actions/runs", None, 501),
        ("GET", "/api/v1/auth/groups", None, 501),
    ]:
        found, headers, text = send(server, method, path, body, key)
        assert found == status, (method, path, found, text)
        assert "json" in headers["Content-Type"] and json.loads(text)["message"], path


def test_a_link_needs_the_address_that_was_given_out(client, repo):
    api = client.sdk_client.staging_api
    place = api.get_physical_address(repo.id, "main", "a", presign=True)
    urllib.request.urlopen(urllib.request.Request(place.presigned_url, data=b"1", method="PUT"))
    md5 = "c4ca4238a0b923820dcc509a6f75849b"

    def link(path, address, checksum=md5):
        staging = lakefs_sdk.StagingLocation(physical_address=address)
        meta = lakefs_sdk.StagingMetadata(staging=staging, checksum=checksum, size_bytes=1)
        return api.link_physical_address(repo.id, "main", path, meta)

    plain = place.physical_address.split(",")[0]
    for path, address in [("a", plain), ("b", place.physical_address), ("a", plain + ",forged")]:
        with pytest.raises(lakefs_sdk.exceptions.BadRequestException):
            link(path, address)
    with pytest.raises(lakefs_sdk.exceptions.BadRequestException):
        link("a", place.physical_address, checksum="0" * 32)
    assert link("a", place.physical_address, checksum=f'"{md5}"').physical_address == plain
