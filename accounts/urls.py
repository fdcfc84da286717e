"""The settings page's paths. Signing in and up is under /accounts/, allauth's own."""

from django.urls import path

from accounts import views

app_name = "accounts"
urlpatterns = [
    path("settings/", views.settings, name="settings"),
    path("settings/profile/", views.save_profile, name="save_profile"),
    path("settings/keys/", views.make_key, name="make_key"),
    path("settings/keys/<uuid:key_id>/revoke/", views.revoke_key, name="revoke_key"),
]
