"""An estate as its parameter file describes it, before anything of it exists."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from operations.console import Problem

INFRA = Path(__file__).resolve().parent.parent
REPOSITORY = INFRA.parent

# What main.bicep takes where the file is silent; only what this program itself needs to know beforehand.
DEFAULTS = {"prefix": "parlour", "environmentName": "dev", "target": "aks"}


@dataclass(frozen=True)
class Estate:
    """Which estate is meant. `name` is what a person types to confirm its end."""

    parameter_file: Path
    name: str
    environment: str
    location: str
    target: str
    has_administrators: bool
    subscription: str = ""

    @property
    def group(self) -> str:
        return f"rg-{self.name}"

    @property
    def values_file(self) -> Path | None:
        """The chart's values for this tier, where the chart has some."""
        path = REPOSITORY / "helm" / f"values-{self.environment}.yaml"
        return path if path.exists() else None

    def az(self, *arguments: str) -> tuple[str, ...]:
        """An az command line in the estate's subscription."""
        chosen = ("--subscription", self.subscription) if self.subscription else ()
        return ("az", *arguments, *chosen, "--only-show-errors")


def read_estate(parameter_file: Path, subscription: str = "") -> Estate:
    """Read the file and check what the commands rely on."""
    try:
        content = json.loads(parameter_file.read_text())
        values = {name: entry["value"] for name, entry in content["parameters"].items()}
    except OSError as error:
        known = ", ".join(sorted(path.stem for path in (INFRA / "params").glob("*.json")))
        raise Problem(
            f"There is no parameter file {parameter_file}.", f"Known environments: {known}."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise Problem(
            f"{parameter_file} is not a parameter file.", 'It holds {"parameters": {NAME: {"value": …}}}.'
        ) from error
    known_values = DEFAULTS | values
    name = f"{known_values['prefix']}-{known_values['environmentName']}"
    if not re.fullmatch(r"[a-z][a-z0-9]{2,9}-[a-z0-9]{2,8}", name):
        raise Problem(
            f"{name} cannot be an estate's name.",
            "prefix has 3 to 10 and environmentName 2 to 8 lower-case letters and digits.",
        )
    if "location" not in values:
        raise Problem(f"{parameter_file} names no location.", 'Add "location": {"value": "westeurope"}.')
    if values.get("budgetAmount") and not re.fullmatch(r"\d{4}-\d\d-01", values.get("budgetStartDate", "")):
        raise Problem(
            f"{parameter_file} has a budget without budgetStartDate.",
            "Name the first day of this month (YYYY-MM-01), and leave it so: Azure refuses to move it.",
        )
    return Estate(
        parameter_file=parameter_file,
        name=name,
        environment=str(known_values["environmentName"]),
        location=str(values["location"]),
        target=str(known_values["target"]),
        has_administrators=bool(values.get("adminGroupObjectIds")),
        subscription=subscription,
    )
