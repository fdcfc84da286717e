"""The house as a Django app, and with it the Celery application that the rooms' tasks bind to."""

from django.apps import AppConfig

import config.celery  # noqa: F401  (here rather than in the package: the supervisor imports that without Django)


class HouseConfig(AppConfig):
    name = "config"
    verbose_name = "Parlour"
