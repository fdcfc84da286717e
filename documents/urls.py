"""The paths of the documents pages, under /documents/."""

from django.urls import path

from documents import views

app_name = "documents"

urlpatterns = [
    path("", views.list_documents, name="list"),
    path("<uuid:document_id>/", views.view_document, name="view"),
]
