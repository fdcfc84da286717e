"""Trials of two models for administrators, with what came of each side."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from chat.models import Arm, Trial
from chat.trials.services import delete_trials, read_figures, save_trial
from inference.admin.estate import PlainChoices


class TrialForm(forms.ModelForm[Trial]):
    """A trial's row: of a character or of a model, never both."""

    class Meta:
        model = Trial
        fields = ["name", "character", "model", "other_model", "share_percent", "sticky_by", "is_running"]
        help_texts = {
            "character": _("Its answers where nobody chose a model; or name a model below."),
            "model": _("All answers of this model, through whichever character."),
            "is_running": _("Off: the usual model answers again; what came of the trial stays here."),
        }

    def clean(self) -> None:
        super().clean()
        character, model = self.cleaned_data.get("character"), self.cleaned_data.get("model")
        if bool(character) == bool(model):
            raise ValidationError(_("Choose a character or a model to try something else for, not both."))
        if model is not None and model == self.cleaned_data.get("other_model"):
            self.add_error("other_model", _("Choose another model than the usual one."))


@admin.register(Trial)
class TrialAdmin(PlainChoices, admin.ModelAdmin[Trial]):
    form = TrialForm
    list_display = ["name", "subject", "other_model", "share", "sticky_by", "is_running", "answers"]
    list_filter = ["is_running"]
    search_fields = ["name"]
    list_select_related = ["character", "model", "other_model"]
    autocomplete_fields = ["character", "model", "other_model"]

    def get_readonly_fields(self, request: HttpRequest, obj: Trial | None = None) -> list[str]:
        return ["figures"] if obj is not None else []

    def save_model(self, request: HttpRequest, obj: Trial, form: Any, change: bool) -> None:
        save_trial(actor=_actor(request), trial=obj)

    def delete_model(self, request: HttpRequest, obj: Trial) -> None:
        delete_trials(actor=_actor(request), trial_ids=[obj.pk])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Trial]) -> None:
        delete_trials(actor=_actor(request), trial_ids=list(queryset.values_list("pk", flat=True)))

    @admin.display(description=_("of"))
    def subject(self, trial: Trial) -> str:
        return str(trial.character or trial.model)

    @admin.display(description=_("share"))
    def share(self, trial: Trial) -> str:
        return f"{trial.share_percent} %"

    @admin.display(description=_("answers"))
    def answers(self, trial: Trial) -> int:
        return sum(figures.answers + figures.api_calls for figures in read_figures(trial.pk))

    @admin.display(description=_("what came of it"))
    def figures(self, trial: Trial) -> SafeString:
        names = {
            Arm.USUAL: str(trial.model or _("the character's model")),
            Arm.OTHER: str(trial.other_model),
        }
        sides = [(names[Arm(figures.arm)], figures) for figures in read_figures(trial.pk)]
        return render_to_string("admin/chat/trial_figures.html", {"sides": sides})


def _actor(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
