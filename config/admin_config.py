"""Puts the house's admin site in the place of Django's. Apart from the site: Django reads this before any model."""

from django.contrib.admin.apps import SimpleAdminConfig


class HouseAdminConfig(SimpleAdminConfig):
    """Finds the rooms' `admin.py` when `config.urls` is loaded rather than at every start: a command or a worker
    needs none of them, and with them come the rooms' services and all they import (2 s of a slow machine)."""

    default_site = "config.admin_site.HouseAdminSite"
