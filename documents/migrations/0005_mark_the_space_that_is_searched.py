"""What was there before is searched and complete: the chosen model's space, or the only one."""

from django.conf import settings
from django.db import migrations


def mark(apps, schema_editor):
    spaces = apps.get_model("documents", "VectorSpace").objects.order_by("pk")
    space = spaces.filter(name=settings.EMBEDDING_MODEL).first() or spaces.first()
    if space is not None:
        spaces.filter(pk=space.pk).update(is_active=True, is_complete=True)


class Migration(migrations.Migration):
    dependencies = [("documents", "0004_vector_space_in_use")]

    operations = [migrations.RunPython(mark, migrations.RunPython.noop)]
