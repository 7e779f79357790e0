"""A migration that isolation.py adds: tables beside those of the application."""

from typing import Any

from django.db import migrations, models

TABLES = 0  # in the end, but for Django's own `django_migrations`


def create(apps: Any, schema_editor: Any) -> None:
    attributes = {
        "__module__": __name__,
        "Meta": type("Meta", (), {"app_label": "shop", "apps": apps}),
    }
    own = len(schema_editor.connection.introspection.table_names()) - 1
    for number in range(TABLES - own):
        model = type(f"more{number}", (models.Model,), {**attributes})
        schema_editor.create_model(model)


class Migration(migrations.Migration):
    atomic = False  # MySQL has no DDL in transactions
    dependencies = (("shop", "0001_initial"),)
    operations = (migrations.RunPython(create),)
