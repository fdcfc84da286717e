import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('characters', '0003_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='CardFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField()),
                ('kind', models.CharField(blank=True, choices=[('portrait', 'Portrait'), ('expression', 'Expression'), ('background', 'Background'), ('style', 'Style description')], max_length=20)),
                ('name', models.CharField(blank=True, max_length=120)),
                ('file', models.FileField(blank=True, max_length=200, upload_to='characters/')),
                ('size_bytes', models.PositiveIntegerField(default=0)),
                ('character', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='card_files', to='characters.character')),
            ],
            options={
                'verbose_name': 'file of an imported card',
                'verbose_name_plural': 'files of imported cards',
                'constraints': [models.UniqueConstraint(fields=('character', 'position'), name='card_file_once_per_entry'), models.CheckConstraint(condition=models.Q(models.Q(('kind', ''), models.Q(('file', ''), _negated=True)), models.Q(models.Q(('kind', ''), _negated=True), ('file', '')), _connector='OR'), name='card_file_kept_or_own')],
            },
        ),
    ]
