"""The wrapper's exceptions that no other test here is about."""

import lakefs
import pytest
from lakefs.client import Client
from lakefs.exceptions import (
    LakeFSException,
    NoAuthenticationFound,
    NotAuthorizedException,
    ObjectNotFoundException,
    PermissionException,
    ServerException,
    UnsupportedOperationException,
    api_exception_handler,
)


def test_what_is_not_built_is_the_servers_fault(client, repo):
    with pytest.raises(ServerException) as failed, api_exception_handler():
        client.sdk_client.actions_api.list_repository_runs(repo.id)
    assert type(failed.value) is ServerException
    assert (failed.value.status_code, failed.value.reason) == (501, "Not Implemented")


def test_a_method_that_a_path_does_not_have(client, repo):
    with pytest.raises(UnsupportedOperationException) as failed, api_exception_handler():
        client.sdk_client.repositories_api.api_client.call_api(
            "/repositories/{repository}/branches/main",
            "PATCH",
            {"repository": repo.id},
            auth_settings=["basic_auth"],
        )
    assert failed.value.status_code == 405


def test_objects_without_the_right_key(server, repo, main):
    main.object("a").upload(b"1")
    other = lakefs.Repository(repo.id, client=server.client(password="wrong"))
    with pytest.raises(PermissionException) as failed:
        other.branch("main").object("a").stat()
    assert isinstance(failed.value, (PermissionError, NotAuthorizedException, LakeFSException))
    with pytest.raises(FileNotFoundError) as failed:
        main.object("absent").stat()
    assert isinstance(failed.value, ObjectNotFoundException)


def test_no_key_at_all(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ["SERVER_ENDPOINT_URL", "CREDENTIALS_ACCESS_KEY_ID", "CREDENTIALS_SECRET_ACCESS_KEY"]:
        monkeypatch.delenv(f"LAKECTL_{name}", raising=False)
    with pytest.raises(NoAuthenticationFound):
        Client()
