"""What estate.py hands to the chart fits the chart's own schema and renders, for every tier and kind of model."""

import pytest
import yaml

from operations.chart import MODELS_CLAIM, chart_values, models_volume
from operations.images import Images
from operations.outputs import parse_outputs
from tests.helm.chart import HELM, merged, parse, render_files
from tests.infra.conftest import deployment

IMAGES = Images(
    "r.azurecr.io/parlour@sha256:" + "a1" * 32, "r.azurecr.io/parlour-embeddings@sha256:" + "b2" * 32
)
OPENAI = {"inferenceUrl": "https://oai.openai.azure.com/openai/v1/", "inferenceModels": "chat,fast"}
SHARE = {"modelShareHost": "md1.file.core.windows.net", "modelSharePath": "/md1/models"}


@pytest.mark.parametrize("tier", ["dev", "prod"])
@pytest.mark.parametrize("changes", [{}, OPENAI, SHARE], ids=["own models", "azure openai", "share"])
@pytest.mark.parametrize(
    "certificate", ["", "https://kv.vault.azure.net/certificates/chat"], ids=["acme", "own"]
)
def test_chart_renders_with_what_estate_hands_it(
    tier: str, changes: dict[str, str], certificate: str
) -> None:
    values = yaml.safe_load((HELM / f"values-{tier}.yaml").read_text())
    handed = chart_values(parse_outputs(deployment(**changes)), IMAGES, certificate)

    rendered = parse(render_files(merged(values, handed)))

    web = next(
        one for one in rendered if one["kind"] == "Deployment" and one["metadata"]["name"] == "parlour-web"
    )
    container = web["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == IMAGES.application
    names = [one["name"] for one in container["env"]]
    assert len(names) == len(set(names)), "an environment variable is set twice"
    accounts = {one["metadata"]["name"] for one in rendered if one["kind"] == "ServiceAccount"}
    assert {"parlour", "parlour-migrate"} <= accounts  # the federated credentials' subjects
    if changes == OPENAI:
        environment = {one["name"]: one.get("value") for one in container["env"]}
        assert environment["INFERENCE_URL"] == OPENAI["inferenceUrl"]
        assert environment["INFERENCE_MODELS"] == "chat,fast"
        assert "INFERENCE_API_KEY" in environment
        classes = [one for one in rendered if one["kind"] == "SecretProviderClass"]
        assert all("inference-api-key" in one["spec"]["parameters"]["objects"] for one in classes)


@pytest.mark.parametrize("tier", ["dev", "prod"])
def test_documented_values_for_kaito_render_over_a_tier(tier: str) -> None:
    """`up --values helm/values-kaito.yaml`: what the tier says of its own models must not be in the way."""
    values: dict[str, object] = {}
    for name in (f"values-{tier}.yaml", "values-kaito.yaml"):
        values = merged(values, yaml.safe_load((HELM / name).read_text()))
    handed = chart_values(parse_outputs(deployment()), IMAGES)

    rendered = parse(render_files(merged(values, handed)))

    # The add-on's KAITO knows Workspaces only, and brings its own device plugin.
    assert [one["metadata"]["name"] for one in rendered if one["kind"] == "Workspace"] == [
        "parlour-phi-4-mini"
    ]
    assert not [one for one in rendered if one["metadata"]["name"].endswith("-device-plugin")]
    assert not [one for one in rendered if one["kind"] == "InferenceSet"]


def test_models_volume_and_claim_fit_each_other() -> None:
    volume, claim = models_volume(parse_outputs(deployment(**SHARE)))

    assert claim["spec"]["volumeName"] == volume["metadata"]["name"]
    assert claim["metadata"]["name"] == MODELS_CLAIM
    assert volume["spec"]["persistentVolumeReclaimPolicy"] == "Retain"
    assert volume["spec"]["csi"]["volumeAttributes"]["shareName"] == "models"
    assert volume["spec"]["csi"]["volumeAttributes"]["storageAccount"] == "md1"
