"""OpenRouter's client manages workspaces, their members and provider credentials."""

import contextlib

import pytest
from conftest import KEY, MANAGEMENT_KEY, OAK, URL
from openrouter import OpenRouter, errors
from openrouter.utils import BackoffStrategy, RetryConfig

NO_RETRIES = RetryConfig("none", BackoffStrategy(1, 1, 1.0, 1), False)


def client(key=MANAGEMENT_KEY):
    return OpenRouter(api_key=key, server_url=URL, retry_config=NO_RETRIES)


@contextlib.contextmanager
def workspace(slug, **fields):
    """A workspace for the length of a test."""
    made = client().workspaces.create(name="Team", slug=slug, **fields).data
    try:
        yield made
    finally:
        assert client().workspaces.delete(id=made.id).DELETED is True


def test_workspaces():
    with workspace("py-team", description="Research", default_provider_sort="price") as made:
        assert (made.name, made.slug, made.description) == ("Team", "py-team", "Research")
        assert made.default_provider_sort == "price"
        assert made.io_logging_sampling_rate == 1
        for name in (made.id, made.slug):
            assert client().workspaces.get(id=name).data == made
        page = client().workspaces.list(limit=1)
        seen = []
        while page:
            seen += [row.slug for row in page.result.data]
            page = page.next()
        assert seen[0] == "default" and "py-team" in seen
        changed = client().workspaces.update(id="py-team", name="Crew", description=None).data
        assert (changed.name, changed.description) == ("Crew", None)
        assert changed.default_provider_sort == "price"
        with pytest.raises(errors.OpenRouterError) as taken:
            client().workspaces.create(name="Team", slug="py-team")
        assert taken.value.status_code == 409
    with pytest.raises(errors.NotFoundResponseError):
        client().workspaces.get(id=made.id)
    with pytest.raises(errors.ForbiddenResponseError):
        client().workspaces.delete(id="default")
    with pytest.raises(errors.BadRequestResponseError):
        client().workspaces.create(name="Team", slug="Not A Slug")
    with pytest.raises(errors.ForbiddenResponseError):
        client(KEY).workspaces.list()


def test_members():
    # A personal account is no organization.
    with pytest.raises(errors.NotFoundResponseError):
        client().organization.list_members()
    [everybody] = client().workspaces.list_members(id="default").result.data
    user = everybody.user_id
    with workspace("py-members") as made:
        added = client().workspaces.bulk_add_members(id=made.id, user_ids=[user])
        assert added.added_count == 1 and added.data[0].role == "admin"
        [member] = client().workspaces.list_members(id=made.slug).result.data
        assert member == added.data[0]
        with pytest.raises(errors.BadRequestResponseError):
            client().workspaces.bulk_add_members(id=made.id, user_ids=["user_nobody"])
        removed = client().workspaces.bulk_remove_members(id=made.id, user_ids=[user])
        assert removed.removed_count == 1
        assert client().workspaces.list_members(id=made.id).result.data == []


def test_byok():
    byok = client().byok
    with workspace("py-byok") as made:
        stored = byok.create(
            provider="alder", key="sk-python-1234567890", workspace_id=made.id, name="Ours"
        ).data
        assert stored.workspace_id == made.id and stored.provider == "alder"
        assert "1234567" not in stored.label
        assert stored.sort_order == 0 and stored.disabled is False
        changed = byok.update(
            id=stored.id, name=None, is_required=True, allowed_models=[OAK], declared_region="us"
        ).data
        assert (changed.name, changed.is_required) == (None, True)
        assert (changed.allowed_models, changed.declared_region) == ([OAK], "us")
        rotated = byok.update(id=stored.id, key="sk-python-0987654321").data
        assert rotated.id == stored.id and rotated.label != stored.label
        assert rotated.allowed_models == [OAK]
        assert byok.get(id=stored.id).data == rotated
        listed = byok.list(workspace_id=made.id, provider="alder").result
        assert listed.total_count == 1 and listed.data == [rotated]
        assert byok.list().result.data == []
        with pytest.raises(errors.OpenRouterError) as same:
            byok.create(provider="alder", key="sk-python-0987654321", workspace_id=made.id)
        assert same.value.status_code == 409
        with pytest.raises(errors.BadRequestResponseError):
            byok.update(id=stored.id, allowed_models=[])
        assert byok.delete(id=stored.id).DELETED is True
        with pytest.raises(errors.NotFoundResponseError):
            byok.get(id=stored.id)
    with pytest.raises(errors.UnauthorizedResponseError):
        client("sk-sy-v1-nobody").byok.list()
    with pytest.raises(errors.ForbiddenResponseError):
        client(KEY).byok.list()
