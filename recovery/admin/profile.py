"""Livy profiles: checked by Livy's rules when they are saved; the one kept by .env is only looked at."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse_lazy
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from recovery import wording
from recovery.admin import show, versions
from recovery.admin.base import PortalAdmin, person
from recovery.admin.conf_remarks import remarks_view, sentences_of
from recovery.admin.connection import ask_test, tested
from recovery.admin.editing import SeenForm
from recovery.admin.forms import DuplicateForm
from recovery.admin.gateway import OPERATE, to_page
from recovery.admin.history import SeenHistory, by_whom
from recovery.admin.lines import LinesField, PairsField, PairsWidget
from recovery.admin.people import by_their_names
from recovery.admin.profile_import import import_page
from recovery.domain.errors import InvalidInput, Problem
from recovery.domain.payload import WIRE_NAMES
from recovery.models import LivyProfile
from recovery.services.profiles import GROUPS, check_profile, duplicate_profile, save_profile
from recovery.services.usage import usage_of

HELP = {
    "class_name": gettext_lazy(
        "The class to start in the jar. Example: com.example.Main. Empty: the one that the jar's manifest names."
    ),
    "queue": gettext_lazy(
        "The YARN queue in which the job runs: whose share of the cluster it takes. Example: root.datalake."
    ),
    "proxy_user": gettext_lazy(
        "As whom the job should run; this user needs rights on the files. Knox usually replaces it by the user of the "
        "gateway; the recovery shows as whom it ran."
    ),
    "driver_memory": gettext_lazy("Of the driver, which leads the job. More where it collects large results."),
    "driver_cores": gettext_lazy("Processor cores of the driver. 1 or 2 do for most jobs."),
    "executor_memory": gettext_lazy("Of each executor, which does the work. More where the job runs out of memory."),
    "executor_cores": gettext_lazy("Processor cores of each executor: how many tasks it does at once."),
    "num_executors": gettext_lazy("How many executors share the work. With dynamic allocation: how many at the start."),
}
"""Of the model's own fields; in the form, since a help text in a model makes a migration."""


def _lines(label: str, help_text: Any) -> LinesField:
    return LinesField(label=label, required=False, help_text=help_text)


class ProfileForm(SeenForm):
    """Paths one a line; the configuration as `key=value` lines or JSON. Help texts after the guide."""

    jars = _lines("jars", gettext_lazy(
        "Jars to put on Spark's class path, one path a line: dependencies of the recovery's jar, shared libraries, "
        "other versions of libraries. Example: hdfs:///user/sddesigner/lib/commons-lang3-3.12.0.jar"
    ))  # fmt: skip
    files = _lines("files", gettext_lazy(  # type: ignore[assignment]  # a field, not the uploads of BaseForm
        "Files to copy into the job's working directory, one path a line: configuration, SQL, logging, static data. "
        "Example: hdfs:///config/app.properties"
    ))  # fmt: skip
    archives = _lines("archives", gettext_lazy(
        "Archives (tar.gz, tgz, zip) to unpack in the working directory, one path a line: many files at once, models. "
        "Example: hdfs:///archives/models.zip"
    ))  # fmt: skip
    py_files = _lines("pyFiles", gettext_lazy(
        "Python files for PySpark jobs, one path a line: shared code, modules, zips of packages. "
        "Example: hdfs:///python/utils.py"
    ))  # fmt: skip
    conf = PairsField(
        label="conf",
        required=False,
        help_text=gettext_lazy(
            "Spark's own settings, key=value a line, or one JSON object: how data is cut, how many executors, how long "
            "to wait. What is often set, and what for, is listed here."
        ),
        widget=PairsWidget(attrs={"data-remarks": reverse_lazy("admin:recovery_livyprofile_conf_remarks")}),
    )

    class Meta:
        help_texts: ClassVar = HELP

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for attribute, wire in WIRE_NAMES.items():
            if attribute in self.fields:
                self.fields[attribute].label = wire  # Livy's own spelling, not capitalised

    def _post_clean(self) -> None:
        """After the model's own checks: Livy's rules, each problem on its field."""
        super()._post_clean()  # type: ignore[misc]  # Django's hook is not in the stubs
        if self.errors or self.instance.gateway_id is None:
            return
        try:
            check_profile(self.instance)
        except InvalidInput as error:
            for problem in error.problems:
                self.add_error(_field(problem), wording.sentence(problem))


def _field(problem: Problem) -> str | None:
    """The form's field for a problem that names Livy's."""
    fields = {wire: attribute for attribute, wire in WIRE_NAMES.items()}
    name = fields.get(problem.field, problem.field)
    return name if name in ProfileForm.base_fields or name in LivyProfile.LAUNCH_FIELDS else None


@admin.register(LivyProfile)
class LivyProfileAdmin(SeenHistory, PortalAdmin):
    """A named launch configuration."""

    form = ProfileForm
    change_form_before_template = "recovery/admin/_seen.html"
    when_empty = gettext_lazy("A profile says where and how a jar runs. Without one no recovery can be filed.")
    list_display = ("name", "description", "gateway", "standing", "queue", "proxy_user", "version")
    list_filter = ("enabled", "gateway")
    list_select_related = ("gateway",)
    search_fields = ("name", "description", "queue", "proxy_user")
    readonly_fields = ("standing", "version", "usage", "open_to", "launched")
    actions_detail = ("duplicate", "test_connection")
    actions_list = ("import_env",)
    fieldsets = (
        (None, {"fields": ("name", "description", "gateway", ("standing", "version"), "usage", "enabled",
                           "allowed_groups")}),
        (gettext_lazy("Arguments and class"), {"fields": ("args_mode", "class_name", "never_restart_in_yarn")}),
        (gettext_lazy("Who and where"), {"fields": ("proxy_user", "queue")}),
        (gettext_lazy("Sizes"), {
            "description": gettext_lazy("Memory with its unit (4g, 512m). Empty: the cluster's own default."),
            "fields": (("driver_memory", "driver_cores"), ("executor_memory", "executor_cores"), "num_executors"),
        }),
        (gettext_lazy("Files of the job"), {
            "description": gettext_lazy("Whole paths (hdfs:///…) that the user under which the job runs may read."),
            "fields": ("jars", "files", "archives", "py_files"),
        }),
        (gettext_lazy("Spark configuration"), {"fields": ("conf",)}),
    )  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        """A version's page before Django's own."""
        view = self.admin_site.admin_view(self.version_view)
        return [
            path("<int:pk>/version/<int:version>/", view, name="recovery_livyprofile_version"),
            path("conf-remarks/", self.admin_site.admin_view(remarks_view), name="recovery_livyprofile_conf_remarks"),
            *super().get_urls(),
        ]

    def version_view(self, request: HttpRequest, pk: int, version: int) -> HttpResponse:
        """What the profile was when a recovery took its values, beside what it is today."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        profile = get_object_or_404(self.get_queryset(request), pk=pk)
        lines = versions.lines_of(profile).filter(version=version)
        then, first = lines.first(), lines.last()
        if then is None or first is None:
            raise Http404
        title = _("“%(name)s” as it was in version %(version)s") % {"name": then.name, "version": version}
        return self.page(
            request, "profile_version.html", title=title, original=profile, differs=version != profile.version,
            values=versions.values(then, profile, LivyProfile.VERSION_FIELDS), since=show.moment(first.history_date),
            by=by_whom(request, first), then_words=_("version %(version)s") % {"version": version},
            today_words=_("today: version %(version)s") % {"version": profile.version},
        )  # fmt: skip

    def has_change_permission(self, request: HttpRequest, obj: LivyProfile | None = None) -> bool:
        """Not the one kept by .env."""
        if obj is not None and obj.managed_by_env:
            return False
        return bool(super().has_change_permission(request, obj))

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Boxes to tick: there are few groups."""
        return by_their_names(
            super().formfield_for_manytomany(
                db_field, request, widget=UnfoldAdminCheckboxSelectMultipleWidget, **kwargs
            )
        )

    def get_fieldsets(self, request: HttpRequest, obj: LivyProfile | None = None) -> Any:
        """For those who only look at it: what it launches in one list, in Livy's own words."""
        if obj is None or self.has_change_permission(request, obj):
            return self.fieldsets
        told = tuple("open_to" if name == "allowed_groups" else name for name in self.fieldsets[0][1]["fields"])
        return ((None, {"fields": told}), (gettext_lazy("What it launches"), {"fields": ("launched",)}))

    def get_queryset(self, request: HttpRequest) -> QuerySet[LivyProfile]:
        """With the gateway."""
        return super().get_queryset(request).select_related("gateway")  # type: ignore[no-any-return]

    def save_model(self, request: HttpRequest, obj: LivyProfile, form: Any, change: bool) -> None:
        """Through the service: checked, with who may use it, and one line of history for all of it."""
        save_profile(profile=obj, by=person(request), groups=form.cleaned_data["allowed_groups"])
        for remark in sentences_of(obj.conf):
            messages.warning(request, remark)
        if change and "enabled" in form.changed_data and not obj.enabled and (live := usage_of(obj).live):
            text = ngettext(
                "%(count)s recovery of this profile goes on as it was filed; no new one can be filed with it.",
                "%(count)s recoveries of this profile go on as they were filed; no new one can be filed with it.",
                live,
            )
            messages.info(request, text % {"count": live})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """With the hint about .env."""
        kept = object_id.isdecimal() and LivyProfile.objects.filter(pk=object_id, managed_by_env=True).exists()
        if kept and request.method == "GET":
            messages.info(request, wording.sentence(Problem(field="name", code="managed_by_env")))
        view: HttpResponse = super().change_view(request, object_id, form_url, extra_context)
        return view

    # ── buttons ─────────────────────────────────────────────────────────────────────────────────────────────────

    def has_duplicate_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Those who may add one."""
        return request.user.has_perm("recovery.add_livyprofile")

    def has_import_permission(self, request: HttpRequest) -> bool:
        """Those who may add one."""
        return request.user.has_perm("recovery.add_livyprofile")

    def has_operate_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Operators."""
        return request.user.has_perm(OPERATE)

    @action(description=gettext_lazy("Duplicate"), permissions=["duplicate"], url_path="duplicate",
            icon="content_copy")  # fmt: skip
    def duplicate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A copy to edit, disabled until somebody enables it."""
        profile = get_object_or_404(LivyProfile, pk=object_id)
        form = DuplicateForm(
            request.POST if request.method == "POST" else None, initial={"name": f"{profile.name}-2"[:60]}
        )
        if request.method == "POST" and form.is_valid():
            copy = duplicate_profile(profile=profile, name=form.cleaned_data["name"], by=person(request))
            messages.success(request, _("Copied. The copy is disabled: edit it, then enable it."))
            return to_page(copy)
        warning = _("The copy has all values of “%(name)s” and is disabled until you enable it.")
        return self.page(
            request, "confirm.html", title=_("Duplicate"), original=profile, form=form, button=_("Duplicate"),
            warning=warning % {"name": profile.name},
        )  # fmt: skip

    @action(description=gettext_lazy("Import from .env"), permissions=["import"], url_path="import",
            icon="upload_file")  # fmt: skip
    def import_env(self, request: HttpRequest) -> HttpResponse:
        """A new one out of the guide's variables."""
        return import_page(self, request)

    @action(description=gettext_lazy("Test this connection"), permissions=["operate"], url_path="test", icon="cable")
    def test_connection(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Tests its gateway."""
        profile = get_object_or_404(LivyProfile.objects.select_related("gateway"), pk=object_id)
        if request.method == "POST":
            return tested(self, request, profile.gateway, back=profile)
        return ask_test(self, request, profile.gateway, original=profile)

    @display(description=gettext_lazy("usage"))
    def usage(self, obj: LivyProfile) -> str:
        """Looked at before it is disabled."""
        return show.usage(usage_of(obj)) if obj.pk else show.NOTHING

    @display(description=gettext_lazy("who may use it"))
    def open_to(self, obj: LivyProfile) -> str:
        """By name."""
        ((_name, groups),) = versions.columns(obj, [GROUPS])
        return groups

    @display(description=gettext_lazy("values"))
    def launched(self, obj: LivyProfile) -> SafeString:
        """Name by name."""
        rows = versions.columns(obj, LivyProfile.LAUNCH_FIELDS)
        facts = format_html_join(
            "", '<div><dt class="rp-asis">{}</dt><dd class="rp-break"><pre class="rp-inline">{}</pre></dd></div>', rows
        )
        return format_html('<dl class="rp-facts">{}</dl>', facts)

    @display(description=gettext_lazy("state"))
    def standing(self, obj: LivyProfile) -> SafeString:
        """Enabled or not, and who keeps it."""
        if obj.managed_by_env:
            return show.badge("busy", "lock", _("kept by .env"))
        if not obj.enabled:
            return show.badge("calm", "toggle_off", _("disabled"))
        return show.badge("good", "check_circle", _("enabled"))
