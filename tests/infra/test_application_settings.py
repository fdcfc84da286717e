"""What the templates write into the vault and the environment is what Django's settings make of it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.test_scenarios import estate

# Azure's own client libraries read this one.
OTHERS = {"AZURE_CLIENT_ID"}
REPOSITORY = Path(__file__).parents[2]
SHOW = (
    "import json; from config import settings as s; "
    "options = s.STORAGES['default']['OPTIONS']; "
    "print(json.dumps({'database': s.DATABASES['default']['OPTIONS'], 'host': s.DATABASES['default']['HOST'],"
    " 'password': s.DATABASES['default']['PASSWORD'], 'credential': type(options['token_credential']).__name__,"
    " 'account': options['account_name']}))"
)


def test_settings_take_the_estates_database_over_tls_and_its_blob_by_identity(tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(tmp_path),
        # As secrets.bicep writes it: the password through uriComponent.
        "DATABASE_URL": "postgresql://parlour:a%2Fb%3F@psql-x.postgres.database.azure.com:5432/parlour?sslmode=require",
        "REDIS_URL": "rediss://:k%3D@redis-x.westeurope.redis.azure.net:10000/0",
        "SECRET_KEY": "x" * 50,
        "AZURE_STORAGE_ACCOUNT": "stparlour",
    }

    done = subprocess.run(
        [sys.executable, "-c", SHOW],
        env=environment,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "database": {"sslmode": "require"},
        "host": "psql-x.postgres.database.azure.com",
        "password": "a/b?",
        "credential": "DefaultAzureCredential",
        "account": "stparlour",
    }


@pytest.mark.parametrize("name", ["aca", "demo"])
def test_containers_get_only_settings_that_the_application_reads(name: str) -> None:
    documented = set(re.findall(r"^([A-Z_]+)=", (REPOSITORY / ".env.example").read_text(), re.MULTILINE))
    text = json.dumps(
        [one.body for one in estate(name)[0] if "ontainer" in one.type or one.type.endswith("/jobs")]
    )

    given = set(re.findall(r'"name": "([A-Z][A-Z_]+)"', text)) - OTHERS
    mentioned = {one for one in given if not one.startswith(("POSTGRES_", "OLLAMA_")) and one != "MODEL"}
    assert {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ALLOWED_HOSTS", "TRUSTED_PROXY_COUNT"} <= mentioned
    assert mentioned <= documented
