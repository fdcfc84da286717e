"""People, their keys and the audit for administrators. Writes go through `accounts.services`."""

from http import HTTPStatus
from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.audit import record
from accounts.errors import ParlourError
from accounts.forms import NewUserForm, UserForm
from accounts.models import ApiKey, AuditEntry, User
from accounts.services import administer_user, delete_users, revoke_api_key


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """A list to look at: nothing in it is added, changed or deleted by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class TwoStepFilter(admin.SimpleListFilter):
    title = _("two-step sign-in")
    parameter_name = "two_steps"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, Any]]:
        return [("on", _("On")), ("off", _("Off"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        protected = Authenticator.objects.filter(type=Authenticator.Type.TOTP).values("user")
        if self.value() == "on":
            return queryset.filter(pk__in=protected)
        if self.value() == "off":
            return queryset.exclude(pk__in=protected)
        return queryset


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]
    form = UserForm
    add_form = NewUserForm
    ordering = ["email"]
    list_display = [
        "email",
        "name",
        "is_active",
        "is_administrator",
        "is_staff",
        "working_keys",
        "last_login",
        "created_at",
    ]
    list_filter = [
        "is_active",
        "is_superuser",
        "is_staff",
        TwoStepFilter,
        "groups",
        "last_login",
        "created_at",
    ]
    search_fields = ["email", "name"]
    date_hierarchy = "created_at"
    readonly_fields = ["last_login", "created_at"]
    filter_horizontal = ["groups", "user_permissions"]
    actions = ["let_in", "shut_out"]
    fieldsets = [
        (None, {"fields": ["email", "name", "password"]}),
        (
            _("What they may do"),
            {"fields": ["is_active", "is_superuser", "is_staff", "groups", "user_permissions"]},
        ),
        (_("When"), {"fields": ["last_login", "created_at"]}),
    ]
    add_fieldsets = [(None, {"fields": ["email", "name", "usable_password", "password1", "password2"]})]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        working = Count("api_keys", filter=Q(api_keys__revoked_at=None))
        users: QuerySet[User] = super().get_queryset(request)
        return users.annotate(working_keys=working)

    @admin.display(description=_("administrator"), boolean=True, ordering="is_superuser")
    def is_administrator(self, user: User) -> bool:
        return user.is_superuser

    @admin.display(description=_("API keys"), ordering="working_keys")
    def working_keys(self, user: User) -> int:
        return int(getattr(user, "working_keys", 0))

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and self._may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and self._may_touch(request, obj)

    def _may_touch(self, request: HttpRequest, obj: User | None) -> bool:
        # Whoever may set an administrator's password may become one.
        return request.user.is_superuser or obj is None or not obj.is_superuser

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        rights = (
            [] if request.user.is_superuser else ["is_superuser", "is_staff", "groups", "user_permissions"]
        )
        return [*self.readonly_fields, *rights]

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        """Django's own form sets the password; the audit hears of it here."""
        with transaction.atomic():
            response = super().user_change_password(request, id, form_url)
            if request.method == "POST" and response.status_code == HTTPStatus.FOUND:
                assert isinstance(request.user, User)
                record(actor=request.user, verb="set password", target=User.objects.get(pk=id))
        return response

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm[User], change: bool) -> None:
        assert isinstance(request.user, User)
        administer_user(actor=request.user, user=obj, changed=form.changed_data, is_new=not change)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        assert isinstance(request.user, User)
        delete_users(actor=request.user, user_ids=[obj.pk])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        assert isinstance(request.user, User)
        delete_users(actor=request.user, user_ids=[user.pk for user in queryset])

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._explain(request, super().changeform_view, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._explain(request, super().delete_view, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._explain(request, super().changelist_view, *args, **kwargs)

    def _explain(self, request: HttpRequest, view: Any, *args: Any, **kwargs: Any) -> Any:
        """A refusal of the services as a sentence above the page it came from."""
        try:
            return view(request, *args, **kwargs)
        except ParlourError as error:
            messages.error(request, str(error.user_message))
            return redirect(request.get_full_path())

    @admin.action(description=_("Let the chosen people sign in"))
    def let_in(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._set_active(request, queryset, True)

    @admin.action(description=_("Shut the chosen people out"))
    def shut_out(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._set_active(request, queryset, False)

    def _set_active(self, request: HttpRequest, queryset: QuerySet[User], is_active: bool) -> None:
        assert isinstance(request.user, User)
        users = list(queryset.exclude(is_active=is_active))
        for user in users:
            user.is_active = is_active
            administer_user(actor=request.user, user=user, changed=["is_active"])
        self.message_user(
            request,
            ngettext("%(count)d person changed.", "%(count)d people changed.", len(users))
            % {"count": len(users)},
        )


class WorkingFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, Any]]:
        return [("working", _("Works")), ("unused", _("Never used")), ("revoked", _("Revoked"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        if self.value() == "working":
            return queryset.filter(revoked_at=None)
        if self.value() == "unused":
            return queryset.filter(revoked_at=None, last_used_at=None)
        if self.value() == "revoked":
            return queryset.exclude(revoked_at=None)
        return queryset


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = ["name", "user", "prefix", "created_at", "last_used_at", "revoked_at"]
    list_filter = [WorkingFilter, "created_at", "last_used_at"]
    list_select_related = ["user"]
    search_fields = ["name", "user__email", "prefix"]
    fields = ["name", "user", "prefix", "created_at", "last_used_at", "revoked_at"]
    actions = ["revoke"]

    # An action is offered to those who may change, and here nothing else is a change.
    @admin.action(description=_("Revoke the chosen keys"))
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        assert isinstance(request.user, User)
        keys = list(queryset.filter(revoked_at=None))
        for key in keys:
            revoke_api_key(actor=request.user, key_id=key.pk)
        self.message_user(
            request,
            ngettext("%(count)d key revoked.", "%(count)d keys revoked.", len(keys)) % {"count": len(keys)},
        )

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return super().get_actions(request) if request.user.has_perm("accounts.change_apikey") else {}


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "actor", "verb", "target_name", "target_type"]
    list_filter = ["created_at", "target_type", "verb"]
    list_select_related = ["actor"]
    list_display_links = None
    search_fields = ["actor__email", "target_name", "target_id", "verb"]
    date_hierarchy = "created_at"
