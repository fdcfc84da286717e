"""Servers, the models they offer, and which server runs which model."""

from decimal import Decimal

from django.contrib.auth.models import Group
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.ids import uuid7
from accounts.models import User


class ServerKind(models.TextChoices):
    """How a server speaks; `inference.wire` has what differs."""

    OPENAI = "openai", _("OpenAI-compatible")
    OLLAMA = "ollama", _("Ollama")
    VLLM = "vllm", _("vLLM")
    LLAMACPP = "llamacpp", _("llama.cpp")
    KAITO = "kaito", _("KAITO")
    TGI = "tgi", _("Text Generation Inference")
    AZURE_OPENAI = "azure_openai", _("Azure OpenAI or Foundry")
    AZURE_DATED = "azure_dated", _("Azure OpenAI with a dated API version")
    AZURE_ML = "azure_ml", _("Azure ML online endpoint")
    BEDROCK = "bedrock", _("Amazon Bedrock")
    QUOTES = "quotes", _("Quotes (built in)")


class Capability(models.TextChoices):
    CHAT = "chat", _("Chat")
    EMBEDDINGS = "embeddings", _("Embeddings")
    VISION = "vision", _("Vision")
    TOOLS = "tools", _("Tools")
    REASONING = "reasoning", _("Reasoning")
    RERANK = "rerank", _("Rerank")
    TRANSCRIPTION = "transcription", _("Transcription")


class Origin(models.TextChoices):
    ENVIRONMENT = "environment", _("Environment")
    ADMIN = "admin", _("Administrator")
    BUILT_IN = "built_in", _("Built in")


class Server(models.Model):
    """A model server that Parlour may call."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(_("name"), max_length=120, unique=True)
    kind = models.CharField(_("kind"), max_length=20, choices=ServerKind, default=ServerKind.OPENAI)
    # No URLField: that refuses the one-word hosts of a cluster. `addresses` judges it.
    base_url = models.CharField(_("base URL"), max_length=500, blank=True)
    api_key_ref = models.CharField(
        _("API key reference"),
        max_length=200,
        blank=True,
        help_text=_(
            "Where the key lives, for instance env:INFERENCE_API_KEY. Never the key itself. "
            "The word entra signs in to Azure with the identity that Parlour runs as."
        ),
    )
    api_version = models.CharField(
        _("API version"),
        max_length=40,
        blank=True,
        help_text=_("Only for Azure OpenAI with a dated version, for instance 2024-10-21."),
    )
    origin = models.CharField(_("registered by"), max_length=20, choices=Origin, default=Origin.ADMIN)
    # The variable that names this server, which stays one row when its address changes.
    setting = models.CharField(max_length=40, null=True, unique=True, editable=False)  # noqa: DJ001 - unique
    is_enabled = models.BooleanField(_("enabled"), default=True)
    last_seen_at = models.DateTimeField(_("last answered"), null=True, blank=True, editable=False)
    last_error = models.CharField(_("last error"), max_length=500, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("server")
        verbose_name_plural = _("servers")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind=ServerKind.QUOTES) | ~models.Q(base_url=""),
                name="server_has_an_address",
            )
        ]

    def __str__(self) -> str:
        return self.name


class ModelQuerySet(models.QuerySet["Model"]):
    def enabled(self) -> "ModelQuerySet":
        """Models that are on and that some enabled server still offers."""
        return self.filter(
            is_enabled=True,
            deployments__is_enabled=True,
            deployments__missing_since=None,
            deployments__server__is_enabled=True,
        ).distinct()

    def with_capability(self, capability: Capability) -> "ModelQuerySet":
        return self.filter(capabilities__contains=[capability])

    def visible_to(self, user: User) -> "ModelQuerySet":
        """Models that this person may use: those for everyone, and those of a group of theirs."""
        if user.is_superuser:
            return self.all()
        theirs = Model.groups.through.objects.filter(group__in=user.groups.all()).values("model_id")
        return self.filter(models.Q(is_restricted=False) | models.Q(pk__in=theirs))


class Model(models.Model):
    """A model as people choose it, whatever servers run it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(_("name"), max_length=200, unique=True)
    label = models.CharField(_("label"), max_length=200, blank=True)
    capabilities = ArrayField(models.CharField(max_length=20, choices=Capability), default=list, blank=True)
    context_tokens = models.PositiveIntegerField(
        _("context length, tokens"),
        null=True,
        blank=True,
        help_text=_("Leave empty to use what the servers tell."),
    )
    dimensions = models.PositiveIntegerField(_("embedding dimensions"), null=True, blank=True)
    # Hosted models are priced so, in whatever currency the house reckons in; ten digits hold any of them.
    prompt_price = models.DecimalField(
        _("price of a million prompt tokens"),
        max_digits=10,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    completion_price = models.DecimalField(
        _("price of a million completion tokens"),
        max_digits=10,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    defaults = models.JSONField(
        _("defaults"),
        default=dict,
        blank=True,
        help_text=_(
            "Sampling where neither a person nor a character says otherwise: "
            "temperature, top_p, max_tokens and the like."
        ),
    )
    is_restricted = models.BooleanField(
        _("only for some groups"), default=False, help_text=_("Off: everyone may use it.")
    )
    groups = models.ManyToManyField(Group, verbose_name=_("groups"), blank=True, related_name="+")
    slots = models.PositiveSmallIntegerField(
        _("answers at once"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("More wait in a queue that takes turns between people. Leave empty for no limit."),
    )
    cache_seconds = models.PositiveIntegerField(
        _("keep answers, seconds"),
        default=0,
        help_text=_(
            "An exactly equal request with temperature 0 gets the kept answer for so long. 0 keeps none."
        ),
    )
    is_default = models.BooleanField(_("default"), default=False)
    is_enabled = models.BooleanField(_("enabled"), default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ModelQuerySet.as_manager()

    class Meta:
        verbose_name = _("model")
        verbose_name_plural = _("models")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="model_one_default"
            )
        ]

    def __str__(self) -> str:
        return self.label or self.name

    def cost_of(self, prompt_tokens: int, completion_tokens: int) -> Decimal | None:
        """What so many tokens cost at today's prices; None where the model has none."""
        if self.prompt_price is None and self.completion_price is None:
            return None
        prompt, completion = self.prompt_price or Decimal(), self.completion_price or Decimal()
        return (prompt_tokens * prompt + completion_tokens * completion) / 1_000_000


class Deployment(models.Model):
    """One model on one server, under the name that server knows it by."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="deployments")
    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="deployments")
    remote_name = models.CharField(_("name on the server"), max_length=200)
    weight = models.PositiveSmallIntegerField(_("weight"), default=1)
    slots = models.PositiveSmallIntegerField(
        _("answers at once"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    # None where the server does not tell. What the model's row says counts; this tells whether that was edited.
    capabilities = ArrayField(
        models.CharField(max_length=20, choices=Capability), null=True, blank=True, editable=False
    )
    context_tokens = models.PositiveIntegerField(
        _("context length the server tells, tokens"), null=True, blank=True, editable=False
    )
    is_enabled = models.BooleanField(_("enabled"), default=True)
    missing_since = models.DateTimeField(_("missing since"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("deployment")
        verbose_name_plural = _("deployments")
        constraints = [
            models.UniqueConstraint(fields=["server", "remote_name"], name="deployment_once_per_server")
        ]

    def __str__(self) -> str:
        return f"{self.remote_name} @ {self.server}"
