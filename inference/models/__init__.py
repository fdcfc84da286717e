"""The rows of this room, by what they are about. No IO here.

estate ─ Server, Model, Deployment      files ─ ModelFile
usage  ─ Usage, UsageDay                limits ─ Limit
"""

from inference.models.estate import Capability, Deployment, Model, ModelQuerySet, Origin, Server, ServerKind
from inference.models.files import FileStatus, ModelFile
from inference.models.limits import Limit, LimitScope, Measure, Period
from inference.models.usage import Usage, UsageDay

__all__ = [
    "Capability",
    "Deployment",
    "FileStatus",
    "Limit",
    "LimitScope",
    "Measure",
    "Model",
    "ModelFile",
    "ModelQuerySet",
    "Origin",
    "Period",
    "Server",
    "ServerKind",
    "Usage",
    "UsageDay",
]
