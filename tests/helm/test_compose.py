"""compose.yaml: pinned, without a default password, and in line with the chart and the settings."""

import base64
import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

from tests.helm import chart

ROOT = chart.HELM.parent
TEXT = (ROOT / "compose.yaml").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
OWN = {name: service for name, service in SERVICES.items() if "build" in service}


def env_from_docs(folder: Path) -> dict[str, str]:
    """What the command in docs/compose.md writes into .env."""
    text = (ROOT / "docs" / "compose.md").read_text()
    command = next(block for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) if "> .env" in block)
    subprocess.run(["sh", "-c", command], cwd=folder, check=True)
    lines = (folder / ".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_documented_command_makes_every_secret_that_compose_asks_for(tmp_path: Path) -> None:
    written = env_from_docs(tmp_path)

    asked = set(re.findall(r"\$\{(\w+):\?", TEXT))
    assert asked == set(written)
    assert len(base64.b64decode(written["AZURITE_KEY"])) == 64
    assert os.stat(tmp_path / ".env").st_mode & 0o077 == 0


def test_compose_has_no_default_for_a_secret() -> None:
    for name, default in re.findall(r"\$\{(\w+):-([^}]*)\}", TEXT):
        assert not (re.search("PASSWORD|SECRET|KEY|TOKEN", name) and default), name
    assert "AccountKey=Eby8" not in TEXT, "the emulator's public key"


def test_compose_images_are_pinned() -> None:
    for name, service in SERVICES.items():
        image = re.sub(r"^\$\{\w+:-(.+)\}$", r"\1", service["image"])
        assert re.search(r":v?\d[\w.-]*$", image), name


def test_compose_and_chart_run_the_same_model_servers() -> None:
    values = yaml.safe_load((chart.HELM / "values.yaml").read_text())["inference"]

    for name in ("ollama", "vllm"):
        image = values[name]["image"]
        assert SERVICES[name]["image"] == f"{image['repository']}:{image['tag']}"


def test_compose_file_fits_the_specification() -> None:
    program = Path(sys.executable).parent / "check-jsonschema"
    done = subprocess.run(
        [program, "--builtin-schema", "vendor.compose-spec", ROOT / "compose.yaml"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_compose_services_depend_on_what_is_there() -> None:
    for service in SERVICES.values():
        for other, condition in service.get("depends_on", {}).items():
            assert other in SERVICES
            if condition["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other]
        for volume in service.get("volumes", ()):
            assert volume.split(":")[0] in COMPOSE["volumes"]


def test_own_containers_are_read_only_and_drop_everything() -> None:
    assert set(OWN) == {"web", "worker-ingest", "worker-default", "beat", "migrate", "embeddings"}
    for name, service in OWN.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name


def test_own_containers_run_the_charts_commands() -> None:
    ours = {pod.component: pod.containers[0]["command"] for pod in chart.pods("minimal")}

    for name in ("worker-ingest", "worker-default", "beat", "migrate"):
        assert SERVICES[name]["command"] == ours[name], name
    assert SERVICES["web"]["command"][:-1] == ours["web"][:-1]


def test_web_container_may_outlive_its_drain() -> None:
    web = SERVICES["web"]

    assert chart.seconds(web["stop_grace_period"]) >= float(web["command"][-1]) + 10


def test_largest_upload_fits_the_room_that_containers_have() -> None:
    """The socket's server and Django each keep a copy of what is sent in one piece."""
    megabytes = int(SERVICES["web"]["environment"]["UPLOAD_MAX_MEGABYTES"].partition(":-")[2].rstrip("}"))
    room = re.search(r"size=(\d+)g", SERVICES["web"]["tmpfs"][0])
    assert room
    assert 2 * megabytes < int(room[1]) * 1024
    values = yaml.safe_load((chart.HELM / "values.yaml").read_text())
    assert (
        2 * values["config"]["uploadMaxMegabytes"] < int(values["web"]["tmpSize"].removesuffix("Gi")) * 1024
    )


def test_settings_of_the_containers_are_ones_that_the_application_reads() -> None:
    listed = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))

    assert set(SERVICES["web"]["environment"]) <= listed
    assert set(SERVICES["web"]["environment"]) == set(SERVICES["worker-ingest"]["environment"])


def test_ports_are_published_on_loopback_only() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", ())]

    assert published == ["${PUBLISH:-127.0.0.1:8000}:8000"]
