"""`wipe-data`: a house as on its first day, with everything around it left standing."""

from operations.cluster import Cluster
from operations.console import Problem, confirm, say, step
from operations.outputs import need_outputs
from operations.settings import Estate
from operations.tools import Tools

# Runs in a web pod, in Django's shell: it knows the settings, the private network and the identity.
PROGRAM = """
import redis
from django.conf import settings
from django.core.files.storage import default_storage
from django.core.management import call_command

def empty(folder):
    folders, files = default_storage.listdir(folder)
    for name in files:
        default_storage.delete(f"{folder}/{name}".lstrip("/"))
    return len(files) + sum(empty(f"{folder}/{name}".lstrip("/")) for name in folders)

blobs = empty("")
call_command("flush", interactive=False, verbosity=0)
store = redis.Redis.from_url(settings.REDIS_URL)
keys = 0
for key in store.scan_iter(match=f"{settings.REDIS_PREFIX}:*", count=1000):
    keys += store.delete(key)
call_command("prepare", verbosity=0)
print(f"{blobs} files and {keys} Redis keys deleted, every table emptied")
"""


def wipe_data(tools: Tools, estate: Estate, confirmed: str | None) -> None:
    """Delete people, conversations, documents and files; backups stay, and can be restored."""
    outputs = need_outputs(tools, estate)
    if outputs.target == "aci":
        raise Problem("The demo keeps nothing: `stop` and `start` make a new house.")
    if outputs.target == "aca":
        raise Problem(
            "On Container Apps there is no shell that a script could use.",
            f"Run the program in infra/operations/wipe.py by: az containerapp exec -g {outputs.groupName} -n web",
        )
    confirm(
        estate.name,
        confirmed,
        f"This deletes every user, conversation, document and file of {outputs.url}. Only backups bring them back.",
    )
    cluster = Cluster(tools, estate, outputs)
    step("Deleting")
    web = f"deployment/{outputs.release}-web"
    said = cluster.change(
        "exec", web, "--container", "web", "--", "python", "manage.py", "shell", "-c", PROGRAM
    )
    step("Starting every pod anew")
    cluster.change(
        "rollout", "restart", "deployment", "--selector", f"app.kubernetes.io/instance={outputs.release}"
    )
    cluster.change("rollout", "status", web, "--timeout", "15m")
    say(said.strip() or "done")
    say(f"Whoever signs up first at {outputs.url}/ becomes the administrator. Sign up now.")
