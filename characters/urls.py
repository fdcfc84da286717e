"""Paths under /characters/."""

from django.urls import path

from characters import views

app_name = "characters"
urlpatterns = [
    path("", views.gallery, name="gallery"),
    path("<slug:slug>/", views.detail, name="detail"),
    path("<slug:slug>/avatar", views.avatar, name="avatar"),
]
