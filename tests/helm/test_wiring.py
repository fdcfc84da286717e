"""What points at something points at what is there: services, policies, autoscalers, budgets, routes, volumes."""

from typing import Any

import pytest

from tests.helm import chart


def is_service_of(service: chart.Document, pod: chart.Pod) -> bool:
    return chart.is_selected({"matchLabels": service["spec"]["selector"]}, pod.labels)


@pytest.mark.parametrize("scenario", chart.SCENARIOS)
def test_service_leads_to_pods_of_one_component_and_an_open_port(scenario: str) -> None:
    for service in (d for d in chart.render(scenario) if d["kind"] == "Service"):
        if any("kaito.sh/" in key for key in service["spec"]["selector"]):
            # KAITO's pods: of several to a model the first one answers, as in KAITO's own Services.
            assert service["spec"]["selector"]["apps.kubernetes.io/pod-index"] == "0"
            continue
        behind = [pod for pod in chart.pods(scenario) if is_service_of(service, pod)]
        assert len({pod.component for pod in behind}) == 1, chart.title(service)
        ports = {port["name"] for pod in behind for port in pod.spec["containers"][0]["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports


@pytest.mark.parametrize("scenario", chart.SCENARIOS)
def test_autoscaler_and_budget_have_a_target_and_no_rival(scenario: str) -> None:
    documents = chart.render(scenario)
    workloads = {
        (d["kind"], d["metadata"]["name"]): d for d in documents if d["kind"] in {"Deployment", "StatefulSet"}
    }
    targets = []
    for document in documents:
        if document["kind"] in {"HorizontalPodAutoscaler", "ScaledObject"}:
            target = document["spec"]["scaleTargetRef"]
            key = target.get("kind", "Deployment"), target["name"]
            targets.append(key)
            assert "replicas" not in workloads[key]["spec"], f"{key} would be set back by each upgrade"
        if document["kind"] == "PodDisruptionBudget":
            selector = document["spec"]["selector"]
            assert any(chart.is_selected(selector, pod.labels) for pod in chart.pods(scenario))

    assert len(set(targets)) == len(targets)
    for key, workload in workloads.items():
        assert key in targets or "replicas" in workload["spec"], key


@pytest.mark.parametrize("scenario", [name for name in chart.SCENARIOS if name != "bare"])
def test_default_deny_covers_every_pod_of_the_release(scenario: str) -> None:
    deny = chart.find(
        scenario, "NetworkPolicy", next(n for n in policy_names(scenario) if n.endswith("default-deny"))
    )

    assert set(deny["spec"]["policyTypes"]) == {"Ingress", "Egress"}
    assert "ingress" not in deny["spec"]
    assert "egress" not in deny["spec"]
    for pod in chart.pods(scenario):
        assert chart.is_selected(deny["spec"]["podSelector"], pod.labels), pod


def test_default_deny_spares_the_routers_that_istio_makes_of_the_gateway() -> None:
    """Istio copies the Gateway's labels to its pods, which must go on taking traffic from outside."""
    gateway = chart.find("prod", "Gateway", "parlour")
    deny = chart.find("prod", "NetworkPolicy", "parlour-default-deny")

    assert not chart.is_selected(deny["spec"]["podSelector"], gateway["metadata"]["labels"])


@pytest.mark.parametrize(
    ("scenario", "source", "target", "port"),
    [
        ("prod", "web", "embeddings", 8080),
        ("prod", "web", "vllm-qwen3-8b", 8000),
        ("prod", "worker-ingest", "embeddings", 8080),
        ("prod", "beat", "vllm-qwen3-8b", 8000),
        ("prod", "test", "web", 8000),
        ("ollama", "preload", "ollama", 11434),
        ("ollama", "migrate", "ollama", 11434),
    ],
)
def test_policies_let_the_application_reach_what_it_needs(
    scenario: str, source: str, target: str, port: int
) -> None:
    assert may_leave(scenario, source, target, port)
    assert may_enter(scenario, source, target, port)


@pytest.mark.parametrize(
    ("scenario", "source", "target", "port"),
    [
        ("prod", "embeddings", "web", 8000),
        ("prod", "vllm-qwen3-8b", "embeddings", 8080),
        ("prod", "worker-ingest", "worker-default", 8000),
        ("ollama", "ollama", "web", 8000),
    ],
)
def test_policies_keep_models_from_reaching_the_application(
    scenario: str, source: str, target: str, port: int
) -> None:
    assert not may_leave(scenario, source, target, port)


def test_no_pod_reaches_the_nodes_metadata_service() -> None:
    for _, policy in chart.every("NetworkPolicy"):
        for rule in policy["spec"].get("egress", ()):
            for peer in rule.get("to", ()):
                if peer.get("ipBlock", {}).get("cidr") == "0.0.0.0/0":
                    assert {"169.254.0.0/16", "168.63.129.16/32"} <= set(peer["ipBlock"]["except"])


def test_servers_that_the_values_name_are_within_reach() -> None:
    values = chart.scenario_values("minimal")
    values = chart.with_value(values, "config.email", {"host": "smtp.example.com", "from": "a@example.com"})
    values = chart.with_value(
        values, "embeddings", {"mode": "external", "url": "http://embed.example.com/v1"}
    )
    values = chart.with_value(
        values, "inference.external.urls", ["https://a.example.com/v1", "http://b.example.com:8001/v1"]
    )
    values = chart.with_value(values, "networkPolicy.inferencePorts", [9000, 8001])
    values = chart.with_value(
        values, "config.env.OTEL_EXPORTER_OTLP_ENDPOINT", "http://traces.example.com:4318"
    )

    policy = next(
        d for d in chart.parse(chart.render_files(values)) if d["metadata"]["name"] == "parlour-application"
    )

    ports = {
        port["port"]
        for rule in policy["spec"]["egress"]
        if any(peer.get("ipBlock", {}).get("cidr") == "0.0.0.0/0" for peer in rule["to"])
        for port in rule["ports"]
    }
    assert ports == {443, 587, 80, 8001, 9000, 4318}


def test_offline_vllm_has_no_way_out() -> None:
    names = policy_names("vllm")

    assert not any(name.endswith("-weights") for name in names)
    assert any(name.endswith("-weights") for name in policy_names("ollama"))


def test_routes_serve_every_host_and_do_not_cut_sockets() -> None:
    for name, route in chart.every("HTTPRoute"):
        rule = route["spec"]["rules"][0]
        if "backendRefs" in rule:
            assert rule["timeouts"] == {"request": "0s", "backendRequest": "0s"}, name
    for scenario in ("dev", "prod", "kaito"):
        listeners = chart.find(scenario, "Gateway", "parlour")["spec"]["listeners"]
        sections = {
            reference["sectionName"]
            for d in chart.render(scenario)
            if d["kind"] == "HTTPRoute"
            for reference in d["spec"]["parentRefs"]
        }
        assert sections == {listener["name"] for listener in listeners}


def test_annotations_for_the_load_balancer_reach_the_service_that_the_controller_makes() -> None:
    gateway = chart.find("vllm", "Gateway", "parlour")
    internal = {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"}

    assert gateway["spec"]["infrastructure"]["annotations"] == internal
    assert gateway["metadata"]["annotations"] == internal | {"cert-manager.io/issuer": "chat"}


def test_hosts_of_the_routes_are_hosts_that_django_answers_to() -> None:
    for scenario in chart.SCENARIOS:
        hosts = set(chart.scenario_values(scenario).get("hosts", ()))
        for pod in chart.pods(scenario):
            if pod.component == "web":
                environment = {
                    entry["name"]: entry.get("value") for entry in pod.spec["containers"][0]["env"]
                }
                assert hosts <= set(environment["ALLOWED_HOSTS"].split(","))
                if hosts:
                    origins = {
                        origin.partition("://")[2]
                        for origin in environment["CSRF_TRUSTED_ORIGINS"].split(",")
                    }
                    assert origins == hosts


@pytest.mark.parametrize("scenario", chart.SCENARIOS)
def test_inference_urls_name_services_of_the_release(scenario: str) -> None:
    values = chart.scenario_values(scenario).get("inference", {})
    services = {d["metadata"]["name"]: d for d in chart.render(scenario) if d["kind"] == "Service"}
    # KAITO makes a Workspace's Service under the Workspace's own name, on port 80.
    made_by_kaito = {d["metadata"]["name"] for d in chart.render(scenario) if d["kind"] == "Workspace"}
    urls = {
        entry["value"]
        for pod in chart.pods(scenario)
        for container in pod.containers
        for entry in container.get("env", ())
        if entry["name"] == "INFERENCE_URL"
    }
    if values.get("mode", "external") == "external":
        assert urls <= {",".join(values.get("external", {}).get("urls", []))}
        return

    assert len(urls) == 1
    for url in urls.pop().split(","):
        host, _, port = url.removeprefix("http://").partition("/")[0].partition(":")
        if host not in made_by_kaito:
            assert int(port or 80) in {p["port"] for p in services[host]["spec"]["ports"]}


@pytest.mark.parametrize("scenario", chart.SCENARIOS)
def test_volumes_and_priorities_exist_or_are_named_by_the_operator(scenario: str) -> None:
    documents = chart.render(scenario)
    made = {(d["kind"], d["metadata"]["name"]) for d in documents}
    values = chart.scenario_values(scenario)
    volume = values.get("config", {}).get("storage", {}).get("volume", {})
    existing = {values.get("models", {}).get("existingClaim"), volume.get("existingClaim")}
    for pod in chart.pods(scenario):
        for volume in pod.spec.get("volumes", ()):
            claim = volume.get("persistentVolumeClaim", {}).get("claimName")
            assert not claim or ("PersistentVolumeClaim", claim) in made or claim in existing, (pod, claim)
            config = volume.get("configMap", {}).get("name")
            assert not config or ("ConfigMap", config) in made, (pod, config)
        mounts = {
            mount["name"] for container in pod.containers for mount in container.get("volumeMounts", ())
        }
        assert mounts == {volume["name"] for volume in pod.spec.get("volumes", ())}, pod
        priority = pod.spec.get("priorityClassName")
        assert not priority or priority.startswith("system-") or ("PriorityClass", priority) in made, pod


def test_monitors_select_services_that_exist() -> None:
    for scenario in chart.SCENARIOS:
        services = [d for d in chart.render(scenario) if d["kind"] == "Service"]
        for document in chart.render(scenario):
            if document["kind"] == "ServiceMonitor":
                chosen = [
                    s
                    for s in services
                    if chart.is_selected(document["spec"]["selector"], s["metadata"]["labels"])
                ]
                assert chosen, chart.title(document)
                for endpoint in document["spec"]["endpoints"]:
                    assert all(endpoint["port"] in {p["name"] for p in s["spec"]["ports"]} for s in chosen)
    for scenario in ("kaito", "kaito-sets"):
        assert chart.find(scenario, "ServiceMonitor", "parlour-vllm")


def test_model_server_sleeps_by_the_clock_and_never_by_load() -> None:
    asleep = chart.find("ollama", "ScaledObject", "parlour-ollama")["spec"]
    awake = chart.find("prod", "ScaledObject", "parlour-vllm-qwen3-8b")["spec"]

    clock = next(trigger["metadata"] for trigger in asleep["triggers"] if trigger["type"] == "cron")
    assert (asleep["minReplicaCount"], clock["desiredReplicas"]) == (0, "2")
    assert awake["minReplicaCount"] == 2
    assert not [trigger for trigger in awake["triggers"] if trigger["type"] == "cron"]


def policy_names(scenario: str) -> list[str]:
    return [d["metadata"]["name"] for d in chart.render(scenario) if d["kind"] == "NetworkPolicy"]


def labels_of(scenario: str, component: str) -> dict[str, str]:
    return next(pod.labels for pod in chart.pods(scenario) if pod.component == component)


def may_leave(scenario: str, source: str, target: str, port: int) -> bool:
    return is_allowed(
        scenario, "egress", "to", labels_of(scenario, source), labels_of(scenario, target), port
    )


def may_enter(scenario: str, source: str, target: str, port: int) -> bool:
    return is_allowed(
        scenario, "ingress", "from", labels_of(scenario, target), labels_of(scenario, source), port
    )


def is_allowed(
    scenario: str, way: str, side: str, own: dict[str, str], other: dict[str, str], port: int
) -> bool:
    """Whether some policy on `own` pods lets `other` pods of the namespace through on the port `http`, which every
    server of the chart names so."""
    for policy in (d["spec"] for d in chart.render(scenario) if d["kind"] == "NetworkPolicy"):
        if not chart.is_selected(policy["podSelector"], own):
            continue
        for rule in policy.get(way, ()):
            peers: list[dict[str, Any]] = rule.get(side, [])
            is_peer = any(
                "podSelector" in p
                and "namespaceSelector" not in p
                and chart.is_selected(p["podSelector"], other)
                for p in peers
            )
            if is_peer and any(p["port"] in ("http", port) for p in rule.get("ports", ())):
                return True
    return False
