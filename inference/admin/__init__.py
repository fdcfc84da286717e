"""Servers, models and usage for administrators. Writes go through `inference.services`."""

from inference.admin.files import ModelFileAdmin
from inference.admin.limits import LimitAdmin
from inference.admin.models import ModelAdmin
from inference.admin.servers import ServerAdmin
from inference.admin.usage import UsageAdmin

__all__ = ["LimitAdmin", "ModelAdmin", "ModelFileAdmin", "ServerAdmin", "UsageAdmin"]
