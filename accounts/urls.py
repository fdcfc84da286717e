"""The settings page's paths. The rest of /accounts/ is allauth's own."""

from django.urls import path

from accounts import views

app_name = "accounts"
urlpatterns = [
    path("accounts/login/", views.sign_in, name="sign_in"),
    path("settings/", views.settings, name="settings"),
    path("settings/profile/", views.save_profile, name="save_profile"),
    path("settings/keys/", views.make_key, name="make_key"),
    path("settings/keys/<uuid:key_id>/revoke/", views.revoke_key, name="revoke_key"),
]
