"""Runs az, kubectl and helm, and turns what they say when they fail into a problem with a remedy.

In a dry run nothing is run at all: what would change something is shown, and what would only be read answers
with its stand-in.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from operations.console import Problem, say

INSTALL = {
    "az": "Install the Azure CLI: https://learn.microsoft.com/cli/azure/install-azure-cli",
    "kubectl": "Install it: az aks install-cli",
    "kubelogin": "Install it: az aks install-cli",
    "helm": "Install Helm 3.14 or newer: https://helm.sh/docs/intro/install",
}

# What a failing tool says, and what that means. The first match counts.
KNOWN_FAILURES = (
    (
        r"az login|AADSTS|No subscription found|refresh token",
        "You are not signed in to Azure.",
        "Sign in with `az login`, and choose with `az account set --subscription NAME`.",
    ),
    (
        r"You must be logged in to the server|\(Unauthorized\)",
        "The cluster does not accept who you are.",
        "Sign in again with `az login`, to the tenant of the estate's subscription.",
    ),
    (
        r"roleAssignments/write|RoleAssignmentUpdateNotPermitted",
        "You may not give roles in this subscription, and the estate's identities need some.",
        "Ask for Owner, or for Contributor with Role Based Access Control Administrator.",
    ),
    (
        r"AuthorizationFailed|does not have authorization|Forbidden",
        "You lack the right to do this.",
        "Ask for Contributor on the subscription; for the cluster, be in a group of adminGroupObjectIds.",
    ),
    (
        r"QuotaExceeded|exceeding approved .*quota|OperationNotAllowed.*[Qq]uota",
        "The subscription's quota does not allow these sizes here.",
        "Ask for quota (az vm list-usage shows it), or choose smaller sizes in the parameter file.",
    ),
    (
        r"SkuNotAvailable|not available in location|LocationNotAvailableForResourceType",
        "A size or a service is not to be had in this region.",
        "Choose another region or size in the parameter file; az vm list-skus shows what there is.",
    ),
    (
        r"MissingSubscriptionRegistration|not registered to use namespace",
        "The subscription has not registered a resource provider.",
        "Register it: az provider register --namespace NAME (the text above names it).",
    ),
    (
        r"already exists in deleted state|FlagMustBeSetForRestore",
        "A deleted vault or model account holds a name that the estate needs.",
        "az keyvault list-deleted and az cognitiveservices account list-deleted show it: recover or purge it.",
    ),
    (
        r"Start date of budgets cannot be updated|budget start date cannot",
        "A budget's start date cannot be moved.",
        "Put the date that it was made with into budgetStartDate.",
    ),
    (
        r"no matches for kind",
        "The cluster does not know a kind that the chart asks for.",
        "Switch the add-on on (enableKeda, enableKaito), or choose a mode that does without.",
    ),
    (
        r"Unable to connect to the server|connection refused|to the server \S+ was refused|i/o timeout|no such host",
        "The cluster does not answer.",
        "Is it stopped (estate.py start), or is your address missing in authorizedIpRanges?",
    ),
)

# What kubectl's libraries log on the way to its answer: klog's severity, month and day, time.
LOG_LINE = r"[IWEF]\d{4} \d\d:\d\d:\d\d\."


@dataclass
class Tools:
    """The programs of one run."""

    is_dry_run: bool = False
    # Between two looks at something that takes minutes.
    poll_seconds: float = 5.0
    environment: dict[str, str] = field(default_factory=dict)

    def require(self, *names: str) -> None:
        """Fail at once, with every missing program named, rather than in the middle of the work."""
        missing = [name for name in names if not shutil.which(name)]
        if missing and not self.is_dry_run:
            raise Problem(
                f"Not installed: {', '.join(missing)}.", " ".join(INSTALL[name] for name in missing)
            )

    def change(self, *argv: str, stdin: str | None = None) -> str:
        """Run what changes something; in a dry run only show it. What is written to it is not shown."""
        if self.is_dry_run:
            say(f"          would run: {shlex.join(argv)}")
            return ""
        return self._run(argv, stdin)

    def read(self, *argv: str, instead: str = "") -> str:
        """Run what only reads; in a dry run answer `instead`."""
        return instead if self.is_dry_run else self._run(argv, None)

    def read_json(self, *argv: str, instead: Any = None) -> Any:
        text = self.read(*argv, instead=json.dumps(instead))
        try:
            return json.loads(text or "null")
        except ValueError as error:
            raise Problem(f"{argv[0]} answered something else than JSON: {text[:200]!r}") from error

    def try_read(self, *argv: str) -> str | None:
        """The output, or None where the thing asked for is not there; any other failure is a problem."""
        if self.is_dry_run:
            return None
        done = self._start(argv, None)
        if done.returncode == 0:
            return done.stdout
        if re.search(
            r"NotFound|not ?found|could not be found|does not exist|NAME_UNKNOWN", done.stderr, re.IGNORECASE
        ):
            return None
        raise explain(argv, done.stderr)

    def _run(self, argv: Sequence[str], stdin: str | None) -> str:
        done = self._start(argv, stdin)
        if done.returncode:
            raise explain(argv, done.stderr or done.stdout)
        return done.stdout

    def _start(self, argv: Sequence[str], stdin: str | None) -> "subprocess.CompletedProcess[str]":
        self.require(argv[0])
        return subprocess.run(
            argv,
            input=stdin if stdin is not None else "",
            text=True,
            capture_output=True,
            check=False,
            env={**os.environ, **self.environment},
        )


def explain(argv: Sequence[str], stderr: str) -> Problem:
    """The tool's own words, cut to what a person reads, and what they mean."""
    lines = [line for line in stderr.splitlines() if line.strip() and not re.match(LOG_LINE, line)]
    words = "\n        ".join(lines[-12:])
    command = " ".join(argv[:4])
    for pattern, meaning, remedy in KNOWN_FAILURES:
        if re.search(pattern, stderr):
            return Problem(f"{meaning} `{command}` said:\n        {words}", remedy)
    return Problem(f"`{command}` failed:\n        {words or 'it said nothing'}")
