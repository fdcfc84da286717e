"""Paths under /characters/."""

from django.urls import path

from characters import views
from characters.assets import views as assets
from characters.editor import views as editor
from characters.lorebooks import views as lorebooks
from characters.personas import views as personas

app_name = "characters"
urlpatterns = [
    path("", views.gallery, name="gallery"),
    path("import/", views.import_cards, name="import"),
    path("new/", editor.create, name="new"),
    path("pictures/<uuid:asset_id>", assets.asset, name="asset"),
    path("personas/", personas.personas, name="personas"),
    path("personas/new", personas.save, name="new_persona"),
    path("personas/<uuid:persona_id>", personas.save, name="save_persona"),
    path("personas/<uuid:persona_id>/delete", personas.delete, name="delete_persona"),
    path("personas/<uuid:persona_id>/avatar", personas.avatar, name="persona_avatar"),
    path("lorebooks/", lorebooks.lorebooks, name="lorebooks"),
    path("lorebooks/new", lorebooks.create, name="new_lorebook"),
    path("lorebooks/<uuid:lorebook_id>/", lorebooks.lorebook, name="lorebook"),
    path("lorebooks/<uuid:lorebook_id>/save", lorebooks.save, name="save_lorebook"),
    path("lorebooks/<uuid:lorebook_id>/try", lorebooks.attempt, name="try_lorebook"),
    path("lorebooks/<uuid:lorebook_id>/delete", lorebooks.delete, name="delete_lorebook"),
    path("lorebooks/<uuid:lorebook_id>/give", lorebooks.give, name="give_lorebook"),
    path("lorebooks/<uuid:lorebook_id>/entries/new", lorebooks.entry, name="new_entry"),
    path("lorebooks/<uuid:lorebook_id>/entries/<uuid:entry_id>", lorebooks.entry, name="entry"),
    path("<slug:slug>/", views.detail, name="detail"),
    path("<slug:slug>/avatar", assets.avatar, name="avatar"),
    path("<slug:slug>/edit/", editor.edit, name="edit"),
    path("<slug:slug>/discard", editor.discard, name="discard"),
    path("<slug:slug>/delete", editor.delete, name="delete"),
    path("<slug:slug>/history/", editor.history, name="history"),
    path("<slug:slug>/history/<int:number>", editor.restore, name="restore"),
    path("<slug:slug>/card.png", views.card, {"kind": "png"}, name="png_card"),
    path("<slug:slug>/card.charx", views.card, {"kind": "charx"}, name="charx_card"),
    path("<slug:slug>/card.json", views.card, {"kind": "json"}, name="json_card"),
    path("<slug:slug>/favourite", views.favourite, name="favourite"),
    path("<slug:slug>/remix", views.remix, name="remix"),
]
