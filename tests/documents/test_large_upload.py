"""Half a gigabyte in parts through a real web process, whose memory stays as it was."""

import re
from pathlib import Path

import pytest
import urllib3

from accounts.models import User
from accounts.services import create_api_key
from documents.intake.uploads import PART_BYTES
from documents.models import Document
from tests.processes import start_web, stopped_at_end

SIZE_BYTES = 500 * 1024 * 1024
# A part is there several times while it travels, and the allocator keeps what it had once.
GROWTH_MEGABYTES_MAX = 100
FLAT_MEGABYTES = 25


def resident_megabytes(pid: int) -> float:
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024


@pytest.mark.django_db(transaction=True)
def test_half_a_gigabyte_goes_to_storage_and_the_web_process_does_not_grow(tmp_path: Path) -> None:
    owner = User.objects.create_user("ada@example.org")
    headers = {"Authorization": f"Bearer {create_api_key(actor=owner, name='test')[1]}"}
    part = (b"%PDF-1.7\n" + b"nothing that compresses to less than it is\n" * (PART_BYTES // 40))[:PART_BYTES]
    web = start_web(tmp_path)
    with stopped_at_end(web), urllib3.PoolManager(headers=headers) as http:
        body = {"name": "large.pdf", "size_bytes": SIZE_BYTES}
        upload = http.request("POST", f"{web.url}/api/v1/uploads", json=body).json()
        path = f"{web.url}/api/v1/uploads/{upload['id']}"
        sizes = [resident_megabytes(web.popen.pid)]
        for offset in range(0, SIZE_BYTES, PART_BYTES):
            data = part[: SIZE_BYTES - offset]
            answer = http.request("PUT", path, body=data, headers={**headers, "Upload-Offset": str(offset)})
            assert answer.status == 200, answer.data
            sizes.append(resident_megabytes(web.popen.pid))
        done = http.request("POST", f"{path}/complete")
        assert done.status == 202, done.data
        sizes.append(resident_megabytes(web.popen.pid))
    assert max(sizes) - sizes[0] < GROWTH_MEGABYTES_MAX, sizes
    # The second half costs nothing that the first has not cost.
    assert max(sizes) - max(sizes[: len(sizes) // 2]) < FLAT_MEGABYTES, sizes
    document = Document.objects.get(pk=done.json()["id"])
    assert (document.status, document.size_bytes) == ("queued", SIZE_BYTES)
