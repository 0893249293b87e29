import django.db.models.deletion
import simple_history.models
from django.db import migrations, models

NOT_KEPT = "groups not kept"


def keep_what_is_known(apps, schema_editor):
    """The newest line of each profile's history holds the groups of today; of the older ones they are not known."""
    Profile = apps.get_model("recovery", "LivyProfile")
    Line = apps.get_model("recovery", "HistoricalLivyProfile")
    Kept = apps.get_model("recovery", "HistoricalLivyProfile_allowed_groups")
    Through = Profile.allowed_groups.through
    for profile in Profile.objects.all():
        lines = Line.objects.filter(id=profile.pk)
        newest = lines.order_by("-history_date", "-history_id").first()
        if newest is None:
            continue
        lines.exclude(pk=newest.pk).update(history_change_reason=NOT_KEPT)
        Kept.objects.bulk_create(
            Kept(history_id=newest.pk, id=one.pk, livyprofile_id=profile.pk, group_id=one.group_id)
            for one in Through.objects.filter(livyprofile_id=profile.pk)
        )


def forget_the_marks(apps, schema_editor):
    """The table goes; so does what is said of it."""
    Line = apps.get_model("recovery", "HistoricalLivyProfile")
    Line.objects.filter(history_change_reason=NOT_KEPT).update(history_change_reason=None)


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("recovery", "0008_better_signatures"),
    ]

    operations = [
        migrations.CreateModel(
            name="HistoricalLivyProfile_allowed_groups",
            fields=[
                (
                    "id",
                    models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID"),
                ),
                ("m2m_history_id", models.AutoField(primary_key=True, serialize=False)),
                (
                    "group",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_tablespace="",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="auth.group",
                    ),
                ),
                (
                    "history",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="recovery.historicallivyprofile",
                    ),
                ),
                (
                    "livyprofile",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_tablespace="",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="recovery.livyprofile",
                    ),
                ),
            ],
            options={"verbose_name": "HistoricalLivyProfile_allowed_groups"},
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.RunPython(keep_what_is_known, forget_the_marks),
    ]
