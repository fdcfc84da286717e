"""The program that `wipe-data` runs in a web pod, run here against the real database, Redis and storage."""

import pytest
import redis
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage

from accounts.models import User
from operations.wipe import PROGRAM


@pytest.mark.django_db(transaction=True)
def test_wipe_empties_tables_files_and_the_houses_own_redis_keys(
    capsys: pytest.CaptureFixture[str], tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(default_storage, "_wrapped", FileSystemStorage(location=str(tmp_path)))
    monkeypatch.setattr(settings, "REDIS_PREFIX", "parlour-wipe-test")
    store = redis.Redis.from_url(settings.REDIS_URL)
    store.set("parlour-wipe-test:log:1", "x")
    store.set("somebody-else:1", "y")
    User.objects.create_user(email="ada@example.com", password="a long enough one")
    default_storage.save("uploads/2026/notes.txt", ContentFile(b"words"))

    exec(PROGRAM, {})

    assert "1 files and" in capsys.readouterr().out
    assert not User.objects.exists()
    assert default_storage.listdir("uploads/2026")[1] == []
    assert not store.exists("parlour-wipe-test:log:1")
    assert store.exists("somebody-else:1")
    store.delete("somebody-else:1")
