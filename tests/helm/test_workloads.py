"""What the chart's pods are, have and may: security, drains, wiring, settings."""

import re
from pathlib import Path

import pytest
import yaml

from tests.helm import chart

ROOT = chart.HELM.parent
# Components that see the GPU's devices and the kubelet's socket; the chart says why beside each.
PRIVILEGED = {"device-plugin", "dcgm-exporter"}
ALL_PODS = list(chart.pods())
ORDINARY_PODS = [pod for pod in ALL_PODS if pod.component not in PRIVILEGED]


@pytest.mark.parametrize("pod", ORDINARY_PODS, ids=str)
def test_pod_runs_as_nobody_with_a_read_only_root(pod: chart.Pod) -> None:
    assert pod.spec["securityContext"]["runAsNonRoot"] is True
    assert pod.spec["securityContext"]["runAsUser"] > 10000
    assert pod.spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod.spec["automountServiceAccountToken"] is False
    for container in pod.containers:
        security = container["securityContext"]
        assert security["readOnlyRootFilesystem"] is True
        assert security["allowPrivilegeEscalation"] is False
        assert security["capabilities"] == {"drop": ["ALL"]}


def test_gpu_helpers_escalate_nothing() -> None:
    for pod in ALL_PODS:
        if pod.component in PRIVILEGED:
            for container in pod.containers:
                assert "privileged" not in container["securityContext"]
                assert container["securityContext"]["allowPrivilegeEscalation"] is False
                assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_every_container_asks_for_what_it_needs_and_is_pinned() -> None:
    for pod in ALL_PODS:
        for container in pod.containers:
            assert {"cpu", "memory"} <= set(container["resources"]["requests"]), pod
            assert "memory" in container["resources"]["limits"], pod
            assert re.search(r":v?[0-9][\w.-]*$|@sha256:[0-9a-f]{64}$", container["image"]), pod


def test_every_serving_container_has_three_probes() -> None:
    for pod in ALL_PODS:
        if pod.component in {"web", "embeddings", "ollama"} or pod.component.startswith("vllm-"):
            container = pod.spec["containers"][0]
            assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container), pod


def test_web_liveness_asks_no_backing_service() -> None:
    for pod in ALL_PODS:
        if pod.component == "web":
            container = pod.spec["containers"][0]
            assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
            assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_web_pod_has_time_for_routers_drain_and_farewell() -> None:
    for pod in ALL_PODS:
        if pod.component == "web":
            container = pod.spec["containers"][0]
            command = container["command"]
            drain_seconds = int(command[command.index("--grace-seconds") + 1])
            pre_stop_seconds = container["lifecycle"]["preStop"]["sleep"]["seconds"]
            assert pod.spec["terminationGracePeriodSeconds"] >= drain_seconds + pre_stop_seconds + 10, pod


def test_inference_pods_outlive_a_draining_web_pod() -> None:
    for scenario in chart.SCENARIOS:
        in_scenario = list(chart.pods(scenario))
        drains = [
            int(pod.spec["containers"][0]["command"][-1]) for pod in in_scenario if pod.component == "web"
        ]
        for pod in in_scenario:
            if pod.component == "ollama" or pod.component.startswith("vllm-"):
                assert pod.spec["terminationGracePeriodSeconds"] > max(drains), pod


def test_web_rolls_without_a_gap_and_beat_is_never_doubled() -> None:
    for name, deployment in chart.every("Deployment"):
        component = deployment["metadata"]["labels"]["app.kubernetes.io/component"]
        if component == "web":
            assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0, name
        if component == "beat":
            assert deployment["spec"]["strategy"] == {"type": "Recreate"}, name
            assert deployment["spec"]["replicas"] == 1, name


def test_commands_are_ones_that_the_application_has() -> None:
    programs = set()
    for pod in ALL_PODS:
        for container in pod.containers:
            command = container.get("command", [])
            if command[:1] == ["python"]:
                programs.add(tuple(command[1:3]))
            elif command[:1] == ["celery"]:
                assert command[1:3] == ["-A", "config"]

    assert programs == {
        ("manage.py", "serve"),
        ("manage.py", "prepare"),
        ("-m", "inference.model_server"),
        ("/preload/preload.py", "/preload/plan.json"),
        ("/test/smoke.py", "http://parlour-web:80"),
        ("/test/smoke.py", "http://chat-web:80"),
    }
    for name in ("serve", "prepare"):
        assert (ROOT / "config" / "management" / "commands" / f"{name}.py").exists()
    assert (ROOT / "config" / "celery.py").exists()


def test_queues_that_tasks_use_have_a_worker() -> None:
    queues = {
        queue
        for pod in chart.pods("minimal")
        if pod.component.startswith("worker-")
        for queue in pod.spec["containers"][0]["command"][5].split(",")
    }
    used = {"default"} | {
        match[1]
        for path in ROOT.glob("*/tasks.py")
        for match in re.finditer(r"queue=\"(\w+)\"", path.read_text())
    }

    assert used <= queues


def test_settings_of_the_pods_are_ones_that_the_application_reads() -> None:
    sources = [*(ROOT / "config").glob("*.py"), *(ROOT / "config" / "stack").glob("*.py")]
    read = set(re.findall(r"env\.\w+\(\s*\"([A-Z_]+)\"", "".join(path.read_text() for path in sources)))
    named_elsewhere = {
        "INFERENCE_API_KEY",
        "EMBEDDING_API_KEY",
        "HF_TOKEN",
    }  # servers' keys; the preload's token

    unknown = {
        entry["name"]
        for pod in ALL_PODS
        if pod.is_ours
        for container in pod.containers
        for entry in container["env"]
        if entry["name"] not in read | named_elsewhere
    }

    assert not unknown


def test_chart_keeps_the_applications_own_defaults() -> None:
    """A value that is not set must not take back what the application has changed its mind about."""
    defaults = dict(re.findall(r"^([A-Z_]+)=(.+)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    # A cluster is not a laptop.
    other = {"ALLOWED_HOSTS", "DATA_DIR", "HTTPS", "LOG_FORMAT", "TRUSTED_PROXY_COUNT"}
    (web,) = [pod for pod in chart.pods("minimal") if pod.component == "web"]
    given = {entry["name"]: entry["value"] for entry in web.containers[0]["env"] if "value" in entry}

    both = (given.keys() & defaults.keys()) - other
    assert {"UPLOAD_MAX_MEGABYTES", "DATABASE_POOL_SIZE", "REDIS_PREFIX"} <= both
    assert {name: given[name] for name in both} == {name: defaults[name] for name in both}


def test_every_secret_setting_of_the_application_has_a_key_in_the_secret() -> None:
    listed = re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    secret = {name for name in listed if re.search("PASSWORD|SECRET|API_KEY|CONNECTION_STRING", name)}
    values = yaml.safe_load((chart.HELM / "values.yaml").read_text())["secrets"]

    assert secret | {"DATABASE_URL", "REDIS_URL"} <= {*values["required"], *values["optional"]}


def test_secrets_reach_pods_only_by_reference() -> None:
    secret_names = re.compile(r"PASSWORD|SECRET|API_KEY|TOKEN$|CONNECTION_STRING|^DATABASE_URL$|^REDIS_URL$")
    for pod in ALL_PODS:
        for container in pod.containers:
            for entry in container.get("env", ()):
                if secret_names.search(entry["name"]):
                    assert "secretKeyRef" in entry["valueFrom"], (pod, entry["name"])


def test_migration_hook_depends_on_no_resource_of_the_release() -> None:
    for scenario in chart.SCENARIOS:
        jobs = [p for p in chart.pods(scenario) if p.component == "migrate" and p.owner["kind"] == "Job"]
        early = {
            chart.title(d): int(d["metadata"]["annotations"].get("helm.sh/hook-weight", "0"))
            for d in chart.render(scenario)
            if "pre-install" in d["metadata"].get("annotations", {}).get("helm.sh/hook", "")
        }
        made_here = {chart.title(d) for d in chart.render(scenario)}
        for pod in jobs:
            weight = early[chart.title(pod.owner)]
            needed = [f"ServiceAccount {pod.spec['serviceAccountName']}"]
            for volume in pod.spec["volumes"]:
                if "csi" in volume:
                    needed.append(
                        f"SecretProviderClass {volume['csi']['volumeAttributes']['secretProviderClass']}"
                    )
                if "persistentVolumeClaim" in volume:
                    needed.append(f"PersistentVolumeClaim {volume['persistentVolumeClaim']['claimName']}")
            for title in needed:
                assert title not in made_here or early.get(title, 1) < weight, (scenario, title)


def test_service_accounts_of_running_pods_are_no_hooks() -> None:
    """A hook is deleted and made again with each upgrade, and with it the tokens of running pods."""
    for scenario in chart.SCENARIOS:
        for pod in chart.pods(scenario):
            if (
                pod.owner["kind"] in {"Deployment", "StatefulSet", "DaemonSet"}
                and "serviceAccountName" in pod.spec
            ):
                name = pod.spec["serviceAccountName"]
                for document in chart.render(scenario):
                    if chart.title(document) == f"ServiceAccount {name}":
                        assert "helm.sh/hook" not in document["metadata"].get("annotations", {})


def test_pods_with_workload_identity_carry_its_label() -> None:
    for scenario in ("prod", "dev", "kaito"):
        for pod in chart.pods(scenario):
            if pod.is_ours or pod.component == "preload":
                assert pod.labels["azure.workload.identity/use"] == "true", pod
        account = chart.find(scenario, "ServiceAccount", "parlour")
        assert account["metadata"]["annotations"]["azure.workload.identity/client-id"]


def test_gpu_pods_ask_for_gpus_and_tolerate_their_nodes() -> None:
    seen = 0
    for pod in ALL_PODS:
        limits = pod.spec["containers"][0]["resources"]["limits"]
        if "nvidia.com/gpu" in limits:
            seen += 1
            keys = {toleration["key"] for toleration in pod.spec["tolerations"]}
            assert {"sku", "nvidia.com/gpu"} <= keys, pod
            if pod.scenario in {"dev", "prod", "ollama"}:
                assert "kubernetes.azure.com/scalesetpriority" in keys, pod
    assert seen >= 5


def test_dockerfile_and_chart_agree_on_the_user() -> None:
    text = (ROOT / "Dockerfile").read_text()

    assert "USER 10001:10001" in text
    assert all(pod.spec["securityContext"]["runAsUser"] == 10001 for pod in ORDINARY_PODS)


def test_probe_commands_need_only_what_the_image_has() -> None:
    """`sh`, `test` and `find`: Debian's base, and the slim images, have them."""
    for pod in ALL_PODS:
        for container in pod.containers:
            command = container.get("livenessProbe", {}).get("exec", {}).get("command")
            if command:
                assert command[:2] == ["sh", "-c"]
                assert Path("/usr/bin/find").exists()
                assert re.match(r'test -n "\$\(find /tmp/\S+ -mmin -\d+ -print -quit\)"$', command[2])
