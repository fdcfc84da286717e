"""`verify`'s chat and cited answer against the real product: web, worker, embeddings, the librarian, quotes."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts.models import User
from accounts.services import create_api_key
from operations.product import Product
from operations.verify import check_chat, check_cited_answer
from tests.openai_server import ScriptedServer
from tests.processes import child_environment, start_web, start_worker, stopped_at_end

ROOT = Path(__file__).parents[2]


@pytest.fixture
def product(transactional_db: None, tmp_path: Path) -> Iterator[Product]:
    """A house as `up` leaves it, without a language model."""
    with ScriptedServer(models=("scripted-embed",), dimensions=512) as embedder:
        settings = {"EMBEDDING_URL": embedder.url, "EMBEDDING_MODEL": "scripted-embed"}
        subprocess.run(
            [sys.executable, "manage.py", "prepare"], cwd=ROOT, env=child_environment(**settings), check=True
        )
        _, key = create_api_key(actor=User.objects.create_user(email="ada@example.com"), name="test")
        web, worker = start_web(tmp_path, **settings), start_worker(tmp_path, **settings)
        with stopped_at_end(web, worker):
            yield Product(web.url, key)


def test_verify_is_content_with_the_real_product(product: Product) -> None:
    assert check_chat(product).startswith("quotes answered in ")
    assert "the answer cites estate-verification.txt, page 1" in check_cited_answer(product, poll_seconds=0.2)
