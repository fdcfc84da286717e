"""What all tests of accounts need."""

import pytest


@pytest.fixture(autouse=True)
def quick_passwords(settings) -> None:
    """A real hash takes a fifth of a second on purpose; here nobody is to be kept from guessing."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
