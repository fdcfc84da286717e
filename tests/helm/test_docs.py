"""The pages about the chart: their values render, their files, values and links are there."""

import re
import ssl

import pytest
import yaml
from kombu import Connection

from tests.helm import chart
from tests.helm.test_values import SCHEMA, is_known

ROOT = chart.HELM.parent
PAGES = [ROOT / "docs" / name for name in ("helm.md", "alerts.md", "compose.md")] + [chart.HELM / "README.md"]
HELM_PAGE = (ROOT / "docs" / "helm.md").read_text()
VALUES_BLOCKS = re.findall(r"```yaml\n(.*?)```", HELM_PAGE, re.DOTALL)


@pytest.mark.parametrize("block", VALUES_BLOCKS)
def test_documented_values_render(block: str) -> None:
    assert chart.parse(chart.render_files(yaml.safe_load(block)))


def test_values_that_pages_mention_exist() -> None:
    sections = "|".join(SCHEMA["properties"])
    for page in PAGES:
        for name in re.findall(rf"`((?:{sections})(?:\.[A-Za-z0-9]+)+)[`:]", page.read_text()):
            assert is_known(SCHEMA, tuple(name.split("."))), (page.name, name)


def test_links_and_files_of_the_pages_are_there() -> None:
    for page in PAGES:
        text = page.read_text()
        links = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in link]
        files = re.findall(r"`((?:helm|docs|infra)/[\w./-]+)`", text)
        for path in [*(page.parent / link for link in links), *(ROOT / name for name in files)]:
            assert path.exists(), (page.name, path)


def test_documented_secret_makes_every_required_key() -> None:
    values = yaml.safe_load((chart.HELM / "values.yaml").read_text())
    made = set(re.findall(r"--from-literal=([A-Z_]+)=", HELM_PAGE))

    assert made == set(values["secrets"]["required"])


def test_documented_redis_url_has_celery_look_at_the_certificate() -> None:
    url = re.search(r"REDIS_URL='([^']+)'", HELM_PAGE)
    assert url
    assert Connection(url[1]).ssl == {"ssl_cert_reqs": ssl.CERT_REQUIRED}
    assert Connection(url[1].partition("?")[0]).ssl == {"ssl_cert_reqs": ssl.CERT_NONE}
