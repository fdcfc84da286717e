"""People and pictures for the tests of characters."""

import io

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from PIL import Image

from accounts.models import User
from accounts.services import create_api_key


@pytest.fixture
def ada() -> User:
    return User.objects.create_superuser("ada@example.org")


@pytest.fixture
def bo() -> User:
    return User.objects.create_user("bo@example.org")


@pytest.fixture
def page(bo: User) -> Client:
    client = Client()
    client.force_login(bo)
    return client


@pytest.fixture
def office(ada: User) -> Client:
    client = Client()
    client.force_login(ada)
    return client


@pytest.fixture
def program(bo: User) -> Client:
    return Client(headers={"authorization": f"Bearer {create_api_key(actor=bo, name='Test')[1]}"})


def read_stored(name: str) -> bytes:
    with default_storage.open(name) as file:
        return file.read()


def picture(side_px: tuple[int, int] = (800, 600), kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", side_px, "#b4553a").save(buffer, kind, **options)
    return buffer.getvalue()
