"""What a worker does with a folder that somebody sent: read it, keep the report, remove the folder."""

import logging
import tempfile
import uuid
from contextlib import closing
from functools import partial

from django.core.files.storage import default_storage
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import ParlourError
from chat.models import FolderImport, ImportStatus
from chat.sillytavern.folder import Folder
from chat.sillytavern.importing import Report, import_folder

logger = logging.getLogger(__name__)

# A line each; who has more looks at the counts.
MOST_LINES = 5_000
_CHUNK_BYTES = 1024 * 1024


def run_import(import_id: uuid.UUID) -> None:
    """Read the folder and keep its report. A second run of one that has begun does nothing."""
    claimed = FolderImport.objects.filter(pk=import_id, status=ImportStatus.WAITING)
    if not claimed.update(status=ImportStatus.RUNNING):
        return
    row = FolderImport.objects.select_related("owner").get(pk=import_id)
    status, problem = ImportStatus.DONE, ""
    try:
        with tempfile.TemporaryFile() as copy, default_storage.open(row.blob_name) as blob:
            while chunk := blob.read(_CHUNK_BYTES):
                copy.write(chunk)
            copy.seek(0)
            with closing(Folder(copy)) as folder:
                import_folder(actor=row.owner, folder=folder, tell=partial(_keep, row.pk))
    except ParlourError as error:
        status, problem = ImportStatus.FAILED, str(error.user_message)
    except Exception:
        logger.exception("An import broke off", extra={"import": str(import_id)})
        status = ImportStatus.FAILED
        problem = _("The import broke off. What came in stays; send the folder again for the rest.")
    FolderImport.objects.filter(pk=import_id).update(
        status=status, problem=problem, finished_at=timezone.now(), blob_name=""
    )
    default_storage.delete(row.blob_name)


def _keep(import_id: uuid.UUID, report: Report) -> None:
    FolderImport.objects.filter(pk=import_id).update(lines=report.as_rows()[:MOST_LINES])
