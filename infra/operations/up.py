"""`up`: from nothing to a URL. Safe to repeat: what is there is brought to what the files say."""

import time

from operations.chart import install_chart
from operations.cluster import Cluster
from operations.console import Problem, say, step
from operations.container_apps import update_apps
from operations.dashboards import import_dashboards
from operations.deployment import deploy, missing_secrets, what_if
from operations.drift import drift
from operations.images import Images, get_images
from operations.leftovers import bring_back_vaults
from operations.outputs import Outputs, find_outputs, need_outputs
from operations.product import is_up
from operations.settings import Estate
from operations.tools import Tools


def up(
    tools: Tools,
    estate: Estate,
    *,
    tag: str = "",
    images_from: Estate | None = None,
    certificate_uri: str = "",
    values: tuple[str, ...] = (),
    wait_seconds: int = 900,
    application_only: bool = False,
) -> None:
    """Deploy, build, install, wait until it answers, and say where everything is."""
    tools.require("az")
    _check_account(tools, estate)
    secrets: dict[str, str] = {}
    if application_only:
        outputs = need_outputs(tools, estate)
    else:
        _warn_of_no_administrators(estate)
        if find_outputs(tools, estate) is None:
            bring_back_vaults(tools, estate)
        secrets = missing_secrets(tools, estate)
        step(
            f"Deploying {estate.name} to {estate.location} ({estate.target}); a first time takes 20 to 40 minutes"
        )
        outputs = deploy(tools, estate, {**secrets})
    images = get_images(tools, estate, outputs, tag, images_from)
    outputs = _run_application(tools, estate, outputs, images, secrets, certificate_uri, values)
    _wait(tools, outputs, wait_seconds)
    say_summary(estate, outputs)


def preview(tools: Tools, estate: Estate, *, fail_on_change: bool = False) -> bool:
    """What `up` would change in Azure; with `fail_on_change` False where that is anything."""
    tools.require("az")
    if not fail_on_change:
        say(what_if(tools, estate))
        return True
    changes = drift(tools, estate)
    for change in changes:
        say(change)
    say(
        f"{len(changes)} resources differ from the templates."
        if changes
        else "Azure is as the templates say."
    )
    return not changes


def _run_application(
    tools: Tools,
    estate: Estate,
    outputs: Outputs,
    images: Images,
    secrets: dict[str, str],
    certificate_uri: str,
    values: tuple[str, ...],
) -> Outputs:
    if outputs.target == "aca":
        return update_apps(tools, estate, outputs, images)
    if outputs.target == "aci":
        step("Starting the container group")
        both = {"image": images.application, "embeddingsImage": images.embeddings}
        return deploy(tools, estate, {**both, **secrets})
    cluster = Cluster(tools, estate, outputs)
    install_chart(cluster, estate, outputs, images, certificate_uri=certificate_uri, extra_values=values)
    if outputs.grafanaName:
        import_dashboards(tools, estate, outputs)
    return outputs


def _check_account(tools: Tools, estate: Estate) -> None:
    account = tools.read_json(
        *estate.az("account", "show", "--output", "json"),
        instead={"name": "<subscription>", "state": "Enabled"},
    )
    if account["state"] != "Enabled":
        raise Problem(
            f"The subscription {account['name']} is {account['state']}.",
            "Choose another with --subscription.",
        )
    step(f"Subscription: {account['name']}")


def _warn_of_no_administrators(estate: Estate) -> None:
    if estate.target == "aks" and not estate.has_administrators:
        step(
            "adminGroupObjectIds is empty: local accounts are off, so only who has a role on the cluster from "
            "elsewhere gets in, this program included"
        )


def _wait(tools: Tools, outputs: Outputs, seconds: int) -> None:
    if tools.is_dry_run:
        return
    step(f"Waiting for {outputs.url}")
    deadline = time.monotonic() + seconds
    while not is_up(outputs.url):
        if time.monotonic() > deadline:
            raise Problem(
                f"{outputs.url} does not answer yet.",
                "Does the name lead to the load balancer, and is the certificate there? docs/troubleshooting.md",
            )
        time.sleep(tools.poll_seconds)


def say_summary(estate: Estate, outputs: Outputs) -> None:
    """Where everything is. There is no password to print, because there is no default user."""
    say()
    say(f"{estate.name} is up.")
    say(f"  Parlour        {outputs.url}/")
    say(f"  API            {outputs.url}/api/v1/docs   OpenAI-compatible: {outputs.url}/v1")
    say(f"  Administration {outputs.url}/admin/")
    if outputs.grafanaUrl:
        say(f"  Grafana        {outputs.grafanaUrl}")
    say()
    say("  There is no default user: whoever signs up first becomes the administrator. Sign up now.")
    if outputs.vaultName:
        say(
            f"  Secrets are in Key Vault {outputs.vaultName}: database-url, redis-url, secret-key. Nobody needs them."
        )
    else:
        say("  The demo keeps no secret: a restart makes a new house, with nothing in it.")
    say(f"  Then:  infra/estate.py --parameters {estate.parameter_file} verify")
