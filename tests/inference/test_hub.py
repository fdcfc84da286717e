"""Files from a hub played on loopback: broken lines, wrong bytes, a second go, and being told to stop."""

from pathlib import Path

import pytest
from django.test.utils import override_settings

from inference.errors import FileDamaged, FileNotOnHub, HubUnreachable, NoSpaceLeft, ServerUrlRefused
from inference.model_files import hub as hub_client
from inference.model_files.hub import Cancelled, fetch_file, find_file
from tests.inference.hub import SOURCE, Hub
from tests.openai_server import Response, ScriptedServer


@pytest.fixture
def hub(server: ScriptedServer):
    hub = Hub(server, bytes(range(256)) * 4096)
    with override_settings(MODEL_HUB=hub.url):
        yield hub


def test_file_arrives_whole_and_tells_how_far_it_is(hub: Hub, tmp_path: Path) -> None:
    wanted = find_file(SOURCE)
    assert (wanted.size_bytes, wanted.sha256) == (len(hub.content), hub.sha256)
    heard: list[int] = []
    fetch_file(wanted, tmp_path / "tiny.gguf", lambda received: heard.append(received) or True)
    assert (tmp_path / "tiny.gguf").read_bytes() == hub.content
    assert heard == sorted(heard)
    assert heard[-1] == len(hub.content)
    assert list(tmp_path.iterdir()) == [tmp_path / "tiny.gguf"]


def test_line_that_breaks_is_gone_on_from(hub: Hub, tmp_path: Path) -> None:
    hub.cuts = [200_000, 300_000]
    fetch_file(find_file(SOURCE), tmp_path / "tiny.gguf", lambda received: True)
    assert (tmp_path / "tiny.gguf").read_bytes() == hub.content
    starts = [int(asked.removeprefix("bytes=").rstrip("-") or 0) for asked in hub.ranges]
    assert starts[0] == 0
    assert starts == sorted(starts)
    assert starts[-1] > 0


def test_person_who_stops_and_begins_again_goes_on_where_it_was(hub: Hub, tmp_path: Path) -> None:
    wanted, path = find_file(SOURCE), tmp_path / "tiny.gguf"
    with pytest.raises(Cancelled):
        fetch_file(wanted, path, lambda received: False)
    kept = (tmp_path / "tiny.gguf.part").stat().st_size
    assert kept > 0
    fetch_file(wanted, path, lambda received: True)
    assert path.read_bytes() == hub.content
    assert kept == len(hub.content) or hub.ranges[-1] == f"bytes={kept}-"


def test_mirror_without_ranges_starts_over(hub: Hub, tmp_path: Path) -> None:
    hub.cuts, hub.knows_ranges = [200_000], False
    fetch_file(find_file(SOURCE), tmp_path / "tiny.gguf", lambda received: True)
    assert (tmp_path / "tiny.gguf").read_bytes() == hub.content


def test_wrong_bytes_are_not_kept(hub: Hub, tmp_path: Path) -> None:
    hub.sha256 = "0" * 64
    with pytest.raises(FileDamaged, match="checksum"):
        fetch_file(find_file(SOURCE), tmp_path / "tiny.gguf", lambda received: True)
    assert list(tmp_path.iterdir()) == []


def test_hub_that_lacks_the_file_or_is_away_says_so(hub: Hub, server: ScriptedServer) -> None:
    with pytest.raises(FileNotOnHub):
        find_file("Team/Other-GGUF/other.gguf")
    with override_settings(MODEL_HUB="http://127.0.0.1:1"), pytest.raises(HubUnreachable):
        find_file(SOURCE)
    server.routes["HEAD", "/Team/Tiny-GGUF/resolve/main/tiny.gguf"] = lambda request: Response(b"", 200)
    with pytest.raises(HubUnreachable):
        find_file(SOURCE)


def test_redirect_to_a_metadata_address_is_refused(hub: Hub, server: ScriptedServer, tmp_path: Path) -> None:
    wanted = find_file(SOURCE)
    away = Response(status=302, headers={"Location": "http://169.254.169.254/latest"})
    server.routes["GET", "/Team/Tiny-GGUF/resolve/main/tiny.gguf"] = lambda request: away
    with pytest.raises(ServerUrlRefused):
        fetch_file(wanted, tmp_path / "tiny.gguf", lambda received: True)


def test_disk_without_room_is_told_before_anything_is_fetched(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_client, "SPARE_BYTES", 10**18)
    with pytest.raises(NoSpaceLeft, match="GB must be free"):
        fetch_file(find_file(SOURCE), tmp_path / "tiny.gguf", lambda received: True)
    assert hub.ranges == []
