"""What was looked at before filing is kept; who may set values over a profile's is a permission of its own."""

from django.conf import settings
from django.db import migrations, models

import recovery.models.recovery

CODENAME, NAME = "override_profile", "Can set values over a profile's when filing"
GROUPS = ("Stewards", "Operators")


def permit(apps, schema_editor):
    """To those who could do so through the API until now."""
    ContentType = apps.get_model("contenttypes", "ContentType")
    content_type, _ = ContentType.objects.get_or_create(app_label="recovery", model="recovery")
    permission, _ = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=content_type, codename=CODENAME, defaults={"name": NAME}
    )
    for group in apps.get_model("auth", "Group").objects.filter(name__in=GROUPS):
        group.permissions.add(permission)


def forbid(apps, schema_editor):
    apps.get_model("auth", "Permission").objects.filter(content_type__app_label="recovery", codename=CODENAME).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("recovery", "0004_linked_batches_restarts_alarms"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="recovery",
            options={
                "default_permissions": ("view",),
                "ordering": ("-id",),
                "permissions": [
                    ("file_recovery", "Can file recoveries"),
                    ("override_profile", "Can set values over a profile's when filing"),
                    ("resubmit_recovery", "Can resubmit recoveries"),
                    ("cancel_own_recovery", "Can cancel own recoveries"),
                    ("cancel_any_recovery", "Can cancel any recovery"),
                    ("settle_recovery", "Can settle lost recoveries"),
                ],
                "verbose_name": "recovery",
                "verbose_name_plural": "recoveries",
            },
        ),
        migrations.AddField(
            model_name="recovery",
            name="preflight",
            field=models.TextField(blank=True, default="", editable=False, verbose_name="preflight"),
        ),
        migrations.AddIndex(
            model_name="recovery",
            index=models.Index(
                recovery.models.recovery.JarKey("jar_path"),
                models.OrderBy(models.F("created_at"), descending=True),
                name="recovery_jar",
            ),
        ),
        migrations.RunPython(permit, forbid),
    ]
