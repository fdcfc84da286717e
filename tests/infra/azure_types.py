"""Writes azure_types.json: which resource types, API versions and properties the Bicep checks may accept.

The Bicep compiler and its type definitions cannot be fetched where the tests run. Microsoft's SDK packages
carry the same definitions, one stable API version for each release, so this script reads their models (their
source only, nothing is imported) and keeps what the estate's resource types reach. Run it when a resource
type or an API version is added, and commit what it writes:

    python tests/infra/azure_types.py FOLDER

FOLDER holds the unpacked wheels of SOURCES, each in `azure_mgmt_NAME-VERSION/`. `pip download --no-deps` gets
them. It leaves out what Azure only answers with: properties that no template may set are named as read-only.
"""

import ast
import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

TARGET = Path(__file__).with_name("azure_types.json")


@dataclass(frozen=True)
class Source:
    """An SDK release, the API version that its models are of, and the resources it is asked for.

    `template_version` is what the templates use where it is newer than any SDK's: such a version is in the
    public type definitions (Azure/bicep-types-az@1f896de), and stable versions only add properties.
    """

    package: str
    models: str
    api_version: str
    resources: dict[str, str]
    template_version: str = ""


SOURCES = [
    Source(
        "resource-26.0.0",
        "resource/resources/models",
        "2025-04-01",
        {"Microsoft.Resources/resourceGroups": "ResourceGroup"},
    ),
    Source(
        "containerservice-41.5.0",
        "containerservice/models",
        "2026-05-01",
        {
            "Microsoft.ContainerService/managedClusters": "ManagedCluster",
            "Microsoft.ContainerService/managedClusters/agentPools": "AgentPool",
            "Microsoft.ContainerService/managedClusters/maintenanceConfigurations": "MaintenanceConfiguration",
            "Microsoft.ContainerService/managedClusters/trustedAccessRoleBindings": "TrustedAccessRoleBinding",
        },
    ),
    Source(
        "containerregistry-15.0.0",
        "containerregistry/models",
        "2025-11-01",
        {"Microsoft.ContainerRegistry/registries": "Registry"},
    ),
    Source(
        "postgresqlflexibleservers-2.0.0",
        "postgresqlflexibleservers/models",
        "2025-08-01",
        {
            "Microsoft.DBforPostgreSQL/flexibleServers": "Server",
            "Microsoft.DBforPostgreSQL/flexibleServers/configurations": "ConfigurationForUpdate",
            "Microsoft.DBforPostgreSQL/flexibleServers/databases": "Database",
        },
    ),
    Source(
        "redisenterprise-3.1.0",
        "redisenterprise/models",
        "2025-07-01",
        {
            "Microsoft.Cache/redisEnterprise": "Cluster",
            "Microsoft.Cache/redisEnterprise/databases": "Database",
        },
    ),
    Source(
        "storage-25.1.0",
        "storage/models",
        "2026-04-01",
        {
            "Microsoft.Storage/storageAccounts": "StorageAccountCreateParameters",
            "Microsoft.Storage/storageAccounts/blobServices": "BlobServiceProperties",
            "Microsoft.Storage/storageAccounts/blobServices/containers": "BlobContainer",
            "Microsoft.Storage/storageAccounts/fileServices": "FileServiceProperties",
            "Microsoft.Storage/storageAccounts/fileServices/shares": "FileShare",
            "Microsoft.Storage/storageAccounts/managementPolicies": "ManagementPolicy",
        },
    ),
    Source(
        "keyvault-14.0.1",
        "keyvault/models",
        "2026-02-01",
        {
            "Microsoft.KeyVault/vaults": "VaultCreateOrUpdateParameters",
            "Microsoft.KeyVault/vaults/secrets": "SecretCreateOrUpdateParameters",
        },
    ),
    Source(
        "loganalytics-14.0.0",
        "loganalytics/models",
        "2025-07-01",
        {"Microsoft.OperationalInsights/workspaces": "Workspace"},
        template_version="2026-03-01",
    ),
    Source(
        "monitorworkspaces-1.0.0",
        "monitorworkspaces/models",
        "2025-10-03",
        {"Microsoft.Monitor/accounts": "AzureMonitorWorkspaceResource"},
    ),
    Source(
        "monitor-7.0.0",
        "monitor/models",
        "2023-03-11",
        {
            "Microsoft.Insights/dataCollectionEndpoints": "DataCollectionEndpointResource",
            "Microsoft.Insights/dataCollectionRules": "DataCollectionRuleResource",
            "Microsoft.Insights/dataCollectionRuleAssociations": "DataCollectionRuleAssociationProxyOnlyResource",
        },
        template_version="2024-03-11",
    ),
    Source(
        "monitor-7.0.0",
        "monitor/models",
        "2023-01-01",
        {"Microsoft.Insights/actionGroups": "ActionGroupResource"},
    ),
    Source(
        "prometheusrulegroups-1.0.0",
        "prometheusrulegroups/models",
        "2023-03-01",
        {"Microsoft.AlertsManagement/prometheusRuleGroups": "PrometheusRuleGroupResource"},
    ),
    Source(
        "dashboard-2.0.0",
        "dashboard/models",
        "2025-08-01",
        {"Microsoft.Dashboard/grafana": "ManagedGrafana"},
    ),
    Source(
        "network-32.0.0",
        "network/models",
        "2025-09-01",
        {
            "Microsoft.Network/virtualNetworks": "VirtualNetwork",
            "Microsoft.Network/networkSecurityGroups": "NetworkSecurityGroup",
            "Microsoft.Network/natGateways": "NatGateway",
            "Microsoft.Network/publicIPAddresses": "PublicIPAddress",
            "Microsoft.Network/privateEndpoints": "PrivateEndpoint",
            "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": "PrivateDnsZoneGroup",
        },
    ),
    Source(
        "privatedns-2.0.0",
        "privatedns/models",
        "2024-06-01",
        {
            "Microsoft.Network/privateDnsZones": "PrivateZone",
            "Microsoft.Network/privateDnsZones/virtualNetworkLinks": "VirtualNetworkLink",
        },
    ),
    Source(
        "msi-7.1.0",
        "msi/v2024_11_30/models",
        "2024-11-30",
        {
            "Microsoft.ManagedIdentity/userAssignedIdentities": "Identity",
            "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials": (
                "FederatedIdentityCredential"
            ),
        },
    ),
    Source(
        "authorization-4.0.0",
        "authorization/v2022_04_01/models",
        "2022-04-01",
        {"Microsoft.Authorization/roleAssignments": "RoleAssignmentCreateParameters"},
    ),
    Source(
        "appcontainers-5.0.0",
        "appcontainers/models",
        "2026-01-01",
        {
            "Microsoft.App/managedEnvironments": "ManagedEnvironment",
            "Microsoft.App/managedEnvironments/storages": "ManagedEnvironmentStorage",
            "Microsoft.App/containerApps": "ContainerApp",
            "Microsoft.App/jobs": "Job",
        },
    ),
    Source(
        "containerinstance-10.1.0",
        "containerinstance/models",
        "2023-05-01",
        {"Microsoft.ContainerInstance/containerGroups": "ContainerGroup"},
        template_version="2026-07-01",
    ),
    Source(
        "cognitiveservices-14.1.0",
        "cognitiveservices/models",
        "2025-09-01",
        {
            "Microsoft.CognitiveServices/accounts": "Account",
            "Microsoft.CognitiveServices/accounts/deployments": "Deployment",
        },
        template_version="2026-07-01",
    ),
    Source(
        "consumption-11.0.0",
        "consumption/models",
        "2024-08-01",
        {"Microsoft.Consumption/budgets": "Budget"},
    ),
    Source(
        "kubernetesconfiguration_extensions-1.0.0",
        "kubernetesconfiguration/extensions/models",
        "2025-03-01",
        {"Microsoft.KubernetesConfiguration/extensions": "Extension"},
    ),
    Source(
        "dataprotection-2.2.0",
        "dataprotection/models",
        "2026-06-01",
        {
            "Microsoft.DataProtection/backupVaults": "BackupVaultResource",
            "Microsoft.DataProtection/backupVaults/backupPolicies": "BaseBackupPolicyResource",
            "Microsoft.DataProtection/backupVaults/backupInstances": "BackupInstanceResource",
        },
    ),
]


@dataclass
class Model:
    """One class of a package: property name to type, and which of them Azure alone sets.

    A type is a class name, `enum:NAME`, a plain kind such as `str`, or a list of one type; `map:` stands before
    the type of a map's values.
    """

    properties: dict[str, object] = field(default_factory=dict)
    read_only: set[str] = field(default_factory=set)
    discriminator: str = ""
    value: str = ""
    bases: list[str] = field(default_factory=list)


class Package:
    """The models and enumerations of one unpacked SDK release."""

    def __init__(self, folder: Path) -> None:
        self.classes: dict[str, Model] = {}
        self.enums: dict[str, list[str]] = {}
        for path in sorted(folder.glob("_*.py")):
            tree = ast.parse(path.read_text())
            for node in tree.body:
                if isinstance(node, ast.ClassDef):
                    self._read(node, is_enum="enum" in path.name)

    def _read(self, node: ast.ClassDef, *, is_enum: bool) -> None:
        if is_enum:
            self.enums[node.name] = [
                item.value.value
                for item in node.body
                if isinstance(item, ast.Assign) and isinstance(item.value, ast.Constant)
            ]
            return
        model = self.classes.setdefault(node.name, Model())
        model.bases = [base.id for base in node.bases if isinstance(base, ast.Name)] + [
            base.attr for base in node.bases if isinstance(base, ast.Attribute)
        ]
        for keyword in node.keywords:
            if keyword.arg == "discriminator" and isinstance(keyword.value, ast.Constant):
                model.value = keyword.value.value
        for item in node.body:
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name) and item.value:
                self._read_field(model, item)
        self._read_attribute_map(node, model)

    def _read_field(self, model: Model, item: ast.AnnAssign) -> None:
        """A field of the newer generator: `name: Optional["_models.X"] = rest_field(name=…, visibility=…)`."""
        call = item.value
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name)):
            return
        if call.func.id not in {"rest_field", "rest_discriminator"}:
            return
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        name = ast.literal_eval(given["name"]) if "name" in given else item.target.id  # type: ignore[attr-defined]
        visibility = ast.literal_eval(given["visibility"]) if "visibility" in given else []
        model.properties[name] = self._type_of(item.annotation)
        if visibility == ["read"]:
            model.read_only.add(name)
        if call.func.id == "rest_discriminator" and not model.value:
            model.discriminator = name

    def _type_of(self, node: ast.expr) -> object:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node = ast.parse(node.value, mode="eval").body
        if isinstance(node, ast.Attribute):
            return node.attr
        if isinstance(node, ast.Name):
            return node.id
        if isinstance(node, ast.Subscript):
            outer = self._type_of(node.value)
            inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            if outer in {"Optional", "Union"}:
                kinds = [self._type_of(part) for part in inner]
                return next((kind for kind in kinds if kind not in ("str", "None")), "str")
            if outer in {"List", "list"}:
                return [self._type_of(inner[0])]
            if outer in {"Dict", "dict"}:
                return f"map:{self._type_of(inner[1])}"
            if outer == "Literal":
                return "str"
        return "any"

    def _read_attribute_map(self, node: ast.ClassDef, model: Model) -> None:
        """The maps of the older generator: `_attribute_map`, `_validation` and `_subtype_map`."""
        maps = {
            item.targets[0].id: ast.literal_eval(item.value)
            for item in node.body
            if isinstance(item, ast.Assign)
            and isinstance(item.targets[0], ast.Name)
            and item.targets[0].id in {"_attribute_map", "_validation", "_subtype_map"}
        }
        enums = _enums_of_init(node)
        for attribute, entry in maps.get("_attribute_map", {}).items():
            path = re.split(r"(?<!\\)\.", entry["key"])
            holder = model
            for depth, step in enumerate(path[:-1]):
                nested = f"{node.name}#{'.'.join(path[: depth + 1])}"
                holder.properties[step] = nested
                holder = self.classes.setdefault(nested, Model())
            last = path[-1].replace("\\.", ".")
            enum = enums.get(attribute)
            is_list = entry["type"].startswith("[")
            holder.properties[last] = ([enum] if is_list else enum) if enum else _older_type(entry["type"])
            if maps.get("_validation", {}).get(attribute, {}).get("readonly"):
                holder.read_only.add(last)
        for discriminator, values in maps.get("_subtype_map", {}).items():
            model.discriminator = maps["_attribute_map"][discriminator]["key"]
            for value, name in values.items():
                self.classes.setdefault(name, Model()).value = value

    def all_properties(self, name: str) -> tuple[dict[str, object], set[str]]:
        """Properties of a class with those of its bases; nested classes of a base come along by name."""
        model = self.classes[name]
        properties: dict[str, object] = {}
        read_only: set[str] = set()
        for base in model.bases:
            if base in self.classes and base != name:
                more, more_read_only = self.all_properties(base)
                properties |= more
                read_only |= more_read_only
        return properties | model.properties, (read_only - set(model.properties)) | model.read_only

    def subclasses(self, name: str) -> dict[str, str]:
        """Discriminator value to class, of everything below `name`."""
        found = {}
        for other, model in self.classes.items():
            if name in model.bases:
                if model.value:
                    found[model.value] = other
                found |= self.subclasses(other)
        return found


def _older_type(text: str) -> object:
    if text.startswith("["):
        return [_older_type(text[1:-1])]
    if text.startswith("{"):
        return f"map:{_older_type(text[1:-1])}"
    return text


def _enums_of_init(node: ast.ClassDef) -> dict[str, str]:
    """Which keyword of `__init__` takes which enumeration: the older generator says it nowhere else."""
    found = {}
    for item in node.body:
        if isinstance(item, ast.FunctionDef) and item.name == "__init__":
            for argument in item.args.kwonlyargs:
                match = re.search(r"Union\[str, '_models\.(\w+)'\]", ast.unparse(argument.annotation or item))
                if match and "Literal" not in match.group(0):
                    found[argument.arg] = match.group(1)
    return found


def snapshot(folder: Path) -> dict[str, object]:
    """Everything the check needs, in an order that makes changes readable."""
    resources: dict[str, object] = {}
    classes: dict[str, object] = {}
    enums: dict[str, list[str]] = {}
    for source in SOURCES:
        root = folder / f"azure_mgmt_{source.package}"
        operations = "".join(
            path.read_text() for path in sorted(root.rglob("*operations*.py")) if "/aio/" not in str(path)
        )
        short = source.package.split("-")[0]
        package = Package(root / "azure/mgmt" / source.models)
        if f'"{source.api_version}"' not in operations:
            raise SystemExit(f"{source.package} has no operations of {source.api_version}.")
        for resource, model in source.resources.items():
            provider, *kinds = resource.split("/")
            url = f"providers/{provider}/" + '/[^/"]+/'.join(kinds)
            if provider != "Microsoft.Resources" and not re.search(url, operations, re.IGNORECASE):
                raise SystemExit(f"{source.package} has no operation on {resource}.")
            resources[resource] = {
                "api_version": source.template_version or source.api_version,
                "models": f"azure-mgmt-{source.package.replace('-', '==').replace('_', '-')}",
                "models_api_version": source.api_version,
                "body": f"{short}.{model}",
            }
            _reach(package, short, model, classes, enums)
    return {"resources": resources, "classes": classes, "enums": enums}


def _reach(
    package: Package, short: str, name: str, classes: dict[str, object], enums: dict[str, list[str]]
) -> None:
    key = f"{short}.{name}"
    if key in classes:
        return
    properties, read_only = package.all_properties(name)
    entry: dict[str, object] = {}
    classes[key] = entry

    def named(kind: object) -> object:
        if isinstance(kind, list):
            return [named(kind[0])]
        text = str(kind)
        if text.startswith("map:"):
            return f"map:{named(text[4:])}"
        if text in package.enums:
            enums[f"{short}.{text}"] = package.enums[text]
            return f"enum:{short}.{text}"
        if text in package.classes:
            _reach(package, short, text, classes, enums)
            return f"{short}.{text}"
        return text if text in {"str", "int", "float", "bool", "any"} else "any"

    # Azure's own properties are names only: a template may not set them, so what is in them does not matter.
    writable = {name: kind for name, kind in properties.items() if name not in read_only}
    entry["properties"] = {name: named(kind) for name, kind in sorted(writable.items())}
    if read_only:
        entry["read_only"] = sorted(read_only)
    below = package.subclasses(name)
    model = package.classes[name]
    if below and model.discriminator:
        entry["discriminator"] = model.discriminator
        entry["kinds"] = {value: named(other) for value, other in sorted(below.items())}


def write(found: dict[str, object], target: Path) -> None:
    """One line for each entry, so that a change of version reads as what it changes."""
    parts = []
    for part, entries in found.items():
        assert isinstance(entries, dict)
        lines = [
            f"{json.dumps(name)}:{json.dumps(entries[name], sort_keys=True)}" for name in sorted(entries)
        ]
        parts.append(f"{json.dumps(part)}:{{\n" + ",\n".join(lines) + "\n}")
    target.write_text("{" + ",\n".join(parts) + "}\n")


if __name__ == "__main__":
    write(snapshot(Path(sys.argv[1])), TARGET)
    print(f"{TARGET.name}: {TARGET.stat().st_size // 1024} KiB")  # noqa: T201
