{{/* Names, labels and images. */}}

{{/* 32 characters leave room for the longest component in a Service's 63. */}}
{{- define "parlour.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 32 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 32 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 32 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Labels of every resource. Call with (list $ component); a resource of no workload passes "". */}}
{{- define "parlour.labels" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
app.kubernetes.io/name: {{ default $root.Chart.Name $root.Values.nameOverride }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
app.kubernetes.io/part-of: parlour
{{- with $component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end -}}

{{- define "parlour.selectorLabels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ default $root.Chart.Name $root.Values.nameOverride }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* Labels of a pod: those that stay the same from version to version, so that an upgrade leaves pods alone that it does
     not change. A model server takes minutes to load. Call with (list $ component). */}}
{{- define "parlour.podLabels" -}}
{{ include "parlour.selectorLabels" . }}
app.kubernetes.io/part-of: parlour
{{- end -}}

{{/* repository:tag, or repository@digest. Call with (list $ image). */}}
{{- define "parlour.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository (default $root.Chart.AppVersion $image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "parlour.serviceAccountName" -}}
{{- default (include "parlour.fullname" .) .Values.serviceAccount.name -}}
{{- end -}}

{{/* The hook runs before the release's own resources exist, so it brings a service account of its own. */}}
{{- define "parlour.migrateServiceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- printf "%s-migrate" (include "parlour.serviceAccountName" .) -}}
{{- else -}}
{{- include "parlour.serviceAccountName" . -}}
{{- end -}}
{{- end -}}

{{/* The Secret that settings are read from. Call with (list $ component). */}}
{{- define "parlour.secretName" -}}
{{- $root := index . 0 -}}
{{- if eq $root.Values.secrets.provider "keyVault" -}}
{{- $suffix := eq (index . 1) "migrate" | ternary "migrate-keyvault" "keyvault" -}}
{{- printf "%s-%s" (include "parlour.fullname" $root) $suffix -}}
{{- else -}}
{{- required "secrets.existingSecret: name a Secret with DATABASE_URL, REDIS_URL and SECRET_KEY, or set secrets.provider to keyVault (docs/helm.md, Secrets)" $root.Values.secrets.existingSecret -}}
{{- end -}}
{{- end -}}

{{/* Whether the Secret may be without this key. One that the vault is to bring is waited for: its Secret comes with the
     first application pod, and a model server that starts before it would ask for no key. Call with (list $ key). */}}
{{- define "parlour.mayLack" -}}
{{- $secrets := (index . 0).Values.secrets -}}
{{- not (and (eq $secrets.provider "keyVault") (hasKey $secrets.keyVault.objects (index . 1))) -}}
{{- end -}}

{{- define "parlour.storageClaimName" -}}
{{- required "config.storage.volume.existingClaim: name a ReadWriteMany claim, for config.storage.kind volume (docs/helm.md, Files)" .Values.config.storage.volume.existingClaim -}}
{{- end -}}

{{- define "parlour.modelsClaimName" -}}
{{- if eq .Values.models.kind "existing" -}}
{{- required "models.existingClaim: name the claim, for models.kind existing" .Values.models.existingClaim -}}
{{- else -}}
{{- printf "%s-models" (include "parlour.fullname" .) -}}
{{- end -}}
{{- end -}}

{{- define "parlour.modelsStorageClassName" -}}
{{- default (printf "%s-%s-models" (include "parlour.fullname" .) .Release.Namespace) .Values.models.storageClass.name -}}
{{- end -}}

{{/* True where pods of this release read weights from the models volume. */}}
{{- define "parlour.usesModels" -}}
{{- if has .Values.inference.mode (list "ollama" "vllm") -}}true{{- end -}}
{{- end -}}

{{/* The entries of inference.vllm.models, each whole: defaults, then what it says itself. As JSON. */}}
{{- define "parlour.vllmModels" -}}
{{- $models := dict -}}
{{- range $name, $model := .Values.inference.vllm.models -}}
{{- $whole := mergeOverwrite (deepCopy $.Values.inference.vllm.defaults) (deepCopy $model) -}}
{{- $_ := required (printf "inference.vllm.models.%s.model: name the model" $name) $whole.model -}}
{{- $_ := set $models $name $whole -}}
{{- end -}}
{{- toJson $models -}}
{{- end -}}
