"""Paths under /characters/."""

from django.urls import path

from characters import views
from characters.assets import views as assets
from characters.editor import views as editor

app_name = "characters"
urlpatterns = [
    path("", views.gallery, name="gallery"),
    path("import/", views.import_cards, name="import"),
    path("new/", editor.create, name="new"),
    path("pictures/<uuid:asset_id>", assets.asset, name="asset"),
    path("<slug:slug>/", views.detail, name="detail"),
    path("<slug:slug>/avatar", assets.avatar, name="avatar"),
    path("<slug:slug>/edit/", editor.edit, name="edit"),
    path("<slug:slug>/discard", editor.discard, name="discard"),
    path("<slug:slug>/delete", editor.delete, name="delete"),
    path("<slug:slug>/history/", editor.history, name="history"),
    path("<slug:slug>/history/<int:number>", editor.restore, name="restore"),
    path("<slug:slug>/favourite", views.favourite, name="favourite"),
    path("<slug:slug>/remix", views.remix, name="remix"),
]
