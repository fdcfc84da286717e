"""A row for every blob whose document or upload goes, written by the database itself."""

from django.db import migrations

NOTE_ORPHANS = """
CREATE FUNCTION documents_note_orphan() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.blob_name <> '' THEN
        INSERT INTO documents_orphanblob (name, since) VALUES (OLD.blob_name, now())
        ON CONFLICT (name) DO UPDATE SET since = excluded.since;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER documents_document_orphan AFTER DELETE ON documents_document
    FOR EACH ROW EXECUTE FUNCTION documents_note_orphan();
CREATE TRIGGER documents_document_moved AFTER UPDATE OF blob_name ON documents_document
    FOR EACH ROW WHEN (OLD.blob_name IS DISTINCT FROM NEW.blob_name) EXECUTE FUNCTION documents_note_orphan();
CREATE TRIGGER documents_upload_orphan AFTER DELETE ON documents_upload
    FOR EACH ROW EXECUTE FUNCTION documents_note_orphan();
"""
FORGET_ORPHANS = """
DROP TRIGGER documents_upload_orphan ON documents_upload;
DROP TRIGGER documents_document_moved ON documents_document;
DROP TRIGGER documents_document_orphan ON documents_document;
DROP FUNCTION documents_note_orphan();
"""


class Migration(migrations.Migration):

    dependencies = [("documents", "0001_initial")]

    operations = [
        migrations.RunSQL(NOTE_ORPHANS, FORGET_ORPHANS),
    ]
