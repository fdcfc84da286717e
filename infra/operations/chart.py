"""Installs the chart on the cluster: what the deployment's outputs add to the chart's values, and what the
chart needs beside it (a certificate's issuer, the volume with model weights)."""

import json
from typing import Any

from operations.cluster import Cluster
from operations.console import step
from operations.images import Images
from operations.outputs import Outputs
from operations.settings import REPOSITORY, Estate

# Let's Encrypt by way of cert-manager, for estates that bring no certificate of their own.
CERT_MANAGER = "v1.21.0"
ACME = "https://acme-v02.api.letsencrypt.org/directory"
TLS_SECRET = "parlour-tls"  # noqa: S105 (a name)
# Not the name of the claim that the chart makes of its own share: an estate may come to have both.
MODELS_CLAIM = "parlour-model-share"


def chart_values(outputs: Outputs, images: Images, certificate_uri: str = "") -> dict[str, Any]:
    """Values that only the deployment knows; they are given after the tier's file and so win over it."""
    repository, digest = images.application.split("@")
    embeddings_repository, embeddings_digest = images.embeddings.split("@")
    values: dict[str, Any] = {
        # The federated credentials name the service accounts, so the name must not depend on the chart.
        "fullnameOverride": outputs.release,
        "hosts": [outputs.hostName],
        "image": {"repository": repository, "digest": digest},
        "embeddings": {"image": {"repository": embeddings_repository, "digest": embeddings_digest}},
        "config": {"storage": {"account": outputs.storageName}},
        "secrets": {"keyVault": {"name": outputs.vaultName, "tenantId": outputs.tenantId}},
        "workloadIdentity": {"clientId": outputs.appClientId, "tenantId": outputs.tenantId},
        "gateway": _gateway(outputs, certificate_uri),
        "keda": {"prometheusUrl": outputs.prometheusUrl, "identityClientId": outputs.appClientId},
    }
    if outputs.inferenceUrl:
        external: dict[str, Any] = {"urls": [outputs.inferenceUrl]}
        if outputs.inferenceModels:
            # Azure OpenAI: what the vault holds in the key's place makes the pods ask with their identity.
            external["models"] = outputs.inferenceModels.split(",")
            values["secrets"]["keyVault"]["objects"] = {"INFERENCE_API_KEY": "inference-api-key"}
        values["inference"] = {"mode": "external", "external": external}
        values["preload"] = {"enabled": False}
    elif outputs.modelShareHost:
        values["models"] = {"kind": "existing", "existingClaim": MODELS_CLAIM}
    return values


def _gateway(outputs: Outputs, certificate_uri: str) -> dict[str, Any]:
    label = {"service.beta.kubernetes.io/azure-dns-label-name": outputs.dnsLabel}
    if certificate_uri:
        return {"annotations": label, "tls": {"keyVaultCertificateUri": certificate_uri}}
    issuer = {"cert-manager.io/issuer": outputs.release}
    return {"annotations": label | issuer, "tls": {"secretName": TLS_SECRET}}


def install_chart(
    cluster: Cluster,
    estate: Estate,
    outputs: Outputs,
    images: Images,
    *,
    certificate_uri: str = "",
    extra_values: tuple[str, ...] = (),
) -> None:
    """Install or upgrade, and wait until it is up; a failed upgrade goes back to what ran before."""
    cluster.apply(_namespace(outputs))
    if not certificate_uri:
        _install_issuer(cluster, outputs)
    if outputs.modelShareHost and not outputs.inferenceUrl:
        cluster.apply(*models_volume(outputs))
    files = ["--values", str(estate.values_file)] if estate.values_file else []
    for path in extra_values:
        files += ["--values", path]
    step(f"Installing release {outputs.release} in namespace {outputs.namespace}")
    values = chart_values(outputs, images, certificate_uri)
    cluster.helm(
        *("upgrade", outputs.release, str(REPOSITORY / "helm"), "--install", *files, "--values", "-"),
        *("--atomic", "--wait", "--timeout", "30m"),
        stdin=json.dumps(values),
    )


def _install_issuer(cluster: Cluster, outputs: Outputs) -> None:
    step("Installing cert-manager, which gets the certificate")
    cluster.helm(
        *("upgrade", "cert-manager", "oci://quay.io/jetstack/charts/cert-manager", "--install"),
        *("--version", CERT_MANAGER, "--namespace", "cert-manager", "--create-namespace"),
        *("--set", "crds.enabled=true", "--set", "config.enableGatewayAPI=true"),
        *("--set", "config.apiVersion=controller.config.cert-manager.io/v1alpha1"),
        *("--set", "config.kind=ControllerConfiguration", "--wait", "--timeout", "10m"),
    )
    cluster.apply(
        {
            "apiVersion": "cert-manager.io/v1",
            "kind": "Issuer",
            "metadata": {"name": outputs.release, "namespace": outputs.namespace},
            "spec": {
                "acme": {
                    "server": ACME,
                    "privateKeySecretRef": {"name": f"{outputs.release}-acme"},
                    "solvers": [
                        {
                            "http01": {
                                "gatewayHTTPRoute": {
                                    "parentRefs": [
                                        {"name": outputs.release, "kind": "Gateway", "sectionName": "http"}
                                    ]
                                }
                            }
                        }
                    ],
                }
            },
        }
    )


def _namespace(outputs: Outputs) -> dict[str, Any]:
    labels = {"pod-security.kubernetes.io/warn": "restricted"}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": outputs.namespace, "labels": labels},
    }


def models_volume(outputs: Outputs) -> tuple[dict[str, Any], dict[str, Any]]:
    """The share that Bicep made, as a volume: it outlives the release and even the cluster."""
    size = {"storage": "1Ti"}  # NFS does not enforce it; the share's own quota does
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"{outputs.namespace}-models"},
        "spec": {
            "capacity": size,
            "accessModes": ["ReadWriteMany"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "",
            "mountOptions": ["nconnect=4", "noresvport"],
            "csi": {
                "driver": "file.csi.azure.com",
                "volumeHandle": f"{outputs.modelShareHost}{outputs.modelSharePath}",
                "volumeAttributes": {
                    "protocol": "nfs",
                    "encryptInTransit": "true",
                    "server": outputs.modelShareHost,
                    "storageAccount": outputs.modelSharePath.split("/")[1],
                    "shareName": outputs.modelSharePath.rsplit("/", 1)[-1],
                },
            },
        },
    }
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": MODELS_CLAIM, "namespace": outputs.namespace},
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "storageClassName": "",
            "volumeName": f"{outputs.namespace}-models",
            "resources": {"requests": size},
        },
    }
    return volume, claim
