from django.db import migrations


def add_genres(apps, schema_editor):
    Genre = apps.get_model("catalog", "Genre")
    for name in ["Crime", "Poetry"]:
        Genre.objects.create(name=name)


class Migration(migrations.Migration):

    dependencies = [("catalog", "0001_initial")]

    operations = [migrations.RunPython(add_genres, migrations.RunPython.noop)]
