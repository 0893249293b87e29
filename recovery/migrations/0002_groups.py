"""The three groups of people (design: words, permissions)."""

from django.db import migrations

GROUPS = {
    "Stewards": [
        ("recovery", "view_recovery"),
        ("recovery", "file_recovery"),
        ("recovery", "resubmit_recovery"),
        ("recovery", "cancel_own_recovery"),
        ("recoveryevent", "view_recoveryevent"),
        ("recoverylog", "view_recoverylog"),
        ("livyprofile", "view_livyprofile"),
        ("gateway", "view_gateway"),
    ],
    "Operators": [
        ("recovery", "view_recovery"),
        ("recovery", "file_recovery"),
        ("recovery", "resubmit_recovery"),
        ("recovery", "cancel_own_recovery"),
        ("recovery", "cancel_any_recovery"),
        ("recovery", "settle_recovery"),
        ("recoveryevent", "view_recoveryevent"),
        ("recoverylog", "view_recoverylog"),
        ("livyprofile", "view_livyprofile"),
        ("livyprofile", "add_livyprofile"),
        ("livyprofile", "change_livyprofile"),
        ("gateway", "view_gateway"),
        ("gateway", "add_gateway"),
        ("gateway", "change_gateway"),
        ("gateway", "operate_gateway"),
    ],
    "Auditors": [
        ("recovery", "view_recovery"),
        ("recoveryevent", "view_recoveryevent"),
        ("recoverylog", "view_recoverylog"),
        ("livyprofile", "view_livyprofile"),
        ("gateway", "view_gateway"),
        ("apitoken", "view_apitoken"),
    ],
}
NAMES = {
    "file_recovery": "Can file recoveries",
    "resubmit_recovery": "Can resubmit recoveries",
    "cancel_own_recovery": "Can cancel own recoveries",
    "cancel_any_recovery": "Can cancel any recovery",
    "settle_recovery": "Can settle lost recoveries",
    "operate_gateway": "Can pause, resume and test gateways",
}


def make_groups(apps, schema_editor):
    """Permissions are made after migrations by Django; the ones needed here are made now, under the same names."""
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")
    ContentType = apps.get_model("contenttypes", "ContentType")
    for group_name, permissions in GROUPS.items():
        group, _ = Group.objects.get_or_create(name=group_name)
        for model, codename in permissions:
            content_type, _ = ContentType.objects.get_or_create(app_label="recovery", model=model)
            name = NAMES.get(codename) or f"Can {codename.split('_')[0]} {model}"
            permission, _ = Permission.objects.get_or_create(
                content_type=content_type, codename=codename, defaults={"name": name}
            )
            group.permissions.add(permission)


def drop_groups(apps, schema_editor):
    apps.get_model("auth", "Group").objects.filter(name__in=GROUPS).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("recovery", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(make_groups, drop_groups)]
