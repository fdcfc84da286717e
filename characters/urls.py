"""Paths under /characters/."""

from django.urls import path

from characters import views
from characters.assets import views as assets

app_name = "characters"
urlpatterns = [
    path("", views.gallery, name="gallery"),
    path("pictures/<uuid:asset_id>", assets.asset, name="asset"),
    path("<slug:slug>/", views.detail, name="detail"),
    path("<slug:slug>/avatar", assets.avatar, name="avatar"),
    path("<slug:slug>/favourite", views.favourite, name="favourite"),
    path("<slug:slug>/remix", views.remix, name="remix"),
]
