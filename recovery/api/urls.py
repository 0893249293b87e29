"""Addresses below /api/v1/."""

from __future__ import annotations

from django.urls import URLPattern, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from recovery.api import catalogue, deciding, views
from recovery.api.execute_jar import ExecuteJarView

app_name = "api"

urlpatterns: list[URLPattern] = [
    path("recovery/execute-jar", ExecuteJarView.as_view(), name="execute-jar"),
    path("recoveries/", views.RecoveriesView.as_view(), name="recoveries"),
    path("recoveries/preview/", views.PreviewView.as_view(), name="preview"),
    path("recoveries/<int:recovery_id>/", views.RecoveryView.as_view(), name="recovery"),
    path("recoveries/<int:recovery_id>/resubmit/", views.ResubmitView.as_view(), name="resubmit"),
    path("recoveries/<int:recovery_id>/cancel/", views.CancelView.as_view(), name="cancel"),
    path("recoveries/<int:recovery_id>/settle/", deciding.SettleView.as_view(), name="settle"),
    path("recoveries/<int:recovery_id>/link/", deciding.LinkView.as_view(), name="link"),
    path("recoveries/<int:recovery_id>/acknowledge/", deciding.AcknowledgeView.as_view(), name="acknowledge"),
    path("recoveries/<int:recovery_id>/events/", views.EventsView.as_view(), name="events"),
    path("recoveries/<int:recovery_id>/log/", views.LogView.as_view(), name="log"),
    path("profiles/", catalogue.ProfilesView.as_view(), name="profiles"),
    path("profiles/<str:name>/", catalogue.ProfileView.as_view(), name="profile"),
    path("gateways/", catalogue.GatewaysView.as_view(), name="gateways"),
    path("statistics/", deciding.StatisticsView.as_view(), name="statistics"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api:schema"), name="docs"),
    re_path(r"^(?P<rest>.*)$", catalogue.NothingHereView.as_view(), name="nothing"),
]
