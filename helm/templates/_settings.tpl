{{/* The application's environment. Call with (list $ component env), env being the workload's own entries. */}}
{{- define "parlour.env" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $values := $root.Values -}}
{{- $secret := include "parlour.secretName" (list $root $component) -}}
- name: ALLOWED_HOSTS
  value: {{ include "parlour.allowedHosts" $root | quote }}
{{- $scheme := $values.config.https | ternary "https" "http" }}
{{- with $values.hosts }}
{{- $origins := list }}
{{- range . }}{{ $origins = append $origins (printf "%s://%s" $scheme .) }}{{ end }}
- name: CSRF_TRUSTED_ORIGINS
  value: {{ join "," $origins | quote }}
{{- end }}
- name: HTTPS
  value: {{ $values.config.https | quote }}
- name: TRUSTED_PROXY_COUNT
  value: {{ $values.config.trustedProxyCount | quote }}
- name: SIGNUP_OPEN
  value: {{ $values.config.signupOpen | quote }}
- name: LOG_FORMAT
  value: json
- name: LOG_LEVEL
  value: {{ $values.config.logLevel }}
{{- with $values.config.oidc }}
{{- if .issuer }}
- name: OIDC_ISSUER
  value: {{ .issuer | quote }}
- name: OIDC_CLIENT_ID
  value: {{ required "config.oidc.clientId: name the client, or leave config.oidc.issuer empty" .clientId | quote }}
- name: OIDC_NAME
  value: {{ .name | quote }}
- name: OIDC_TRUST_EMAIL
  value: {{ .trustEmail | quote }}
{{- end }}
{{- end }}
{{- with $values.config.email }}
{{- if .host }}
- name: EMAIL_HOST
  value: {{ .host | quote }}
- name: EMAIL_PORT
  value: {{ .port | quote }}
- name: EMAIL_HOST_USER
  value: {{ .user | quote }}
- name: EMAIL_USE_TLS
  value: {{ .tls | quote }}
- name: EMAIL_FROM
  value: {{ required "config.email.from: name the sender" .from | quote }}
{{- end }}
{{- end }}
- name: DATA_DIR
  value: {{ eq $values.config.storage.kind "volume" | ternary "/data" "/tmp/parlour" }}
- name: REDIS_PREFIX
  value: {{ $values.config.redisPrefix | quote }}
- name: DATABASE_POOL_SIZE
  value: {{ $values.config.databasePoolSize | quote }}
- name: UPLOAD_MAX_MEGABYTES
  value: {{ $values.config.uploadMaxMegabytes | quote }}
{{- if ne $values.config.storage.kind "volume" }}
- name: AZURE_STORAGE_CONTAINER
  value: {{ $values.config.storage.container | quote }}
{{- end }}
{{- if eq $values.config.storage.kind "azure" }}
- name: AZURE_STORAGE_ACCOUNT
  value: {{ required "config.storage.account: name the storage account, or choose another config.storage.kind" $values.config.storage.account | quote }}
{{- end }}
- name: EMBEDDING_URL
  value: {{ include "parlour.embeddingUrl" $root | quote }}
- name: EMBEDDING_MODEL
  value: {{ $values.embeddings.model | quote }}
{{- with include "parlour.inferenceUrls" $root }}
- name: INFERENCE_URL
  value: {{ . | quote }}
{{- end }}
{{- with $values.inference.external.models }}
{{- if eq $values.inference.mode "external" }}
- name: INFERENCE_MODELS
  value: {{ join "," . | quote }}
{{- end }}
{{- end }}
{{- range $name, $value := merge (dict) (index . 2) $values.config.env }}
- name: {{ $name }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- range $values.secrets.required }}
- name: {{ . }}
  valueFrom:
    secretKeyRef:
      name: {{ $secret }}
      key: {{ . }}
{{- end }}
{{- range $values.secrets.optional }}
- name: {{ . }}
  valueFrom:
    secretKeyRef:
      name: {{ $secret }}
      key: {{ . }}
      optional: true
{{- end }}
{{- end -}}

{{- define "parlour.allowedHosts" -}}
{{- $web := printf "%s-web" (include "parlour.fullname" .) -}}
{{- $own := list $web (printf "%s.%s" $web .Release.Namespace) "localhost" -}}
{{- join "," (concat .Values.hosts .Values.config.extraAllowedHosts $own) -}}
{{- end -}}

{{- define "parlour.embeddingUrl" -}}
{{- if eq .Values.embeddings.mode "deployment" -}}
{{- printf "http://%s-embeddings:8080/v1" (include "parlour.fullname" .) -}}
{{- else -}}
{{- required "embeddings.url: name the embedding server's base URL, or set embeddings.mode to deployment" .Values.embeddings.url -}}
{{- end -}}
{{- end -}}

{{/* Base URLs of the servers that answer, comma-separated; empty where there is none. */}}
{{- define "parlour.inferenceUrls" -}}
{{- $full := include "parlour.fullname" . -}}
{{- $urls := list -}}
{{- if eq .Values.inference.mode "external" -}}
{{- $urls = .Values.inference.external.urls -}}
{{- else if eq .Values.inference.mode "ollama" -}}
{{- $urls = list (printf "http://%s-ollama:11434" $full) -}}
{{- else if eq .Values.inference.mode "vllm" -}}
{{- range $name, $_ := .Values.inference.vllm.models -}}
{{- $urls = append $urls (printf "http://%s-vllm-%s:8000/v1" $full $name) -}}
{{- end -}}
{{- else -}}
{{- range $name, $_ := .Values.inference.kaito.models -}}
{{- $urls = append $urls (printf "http://%s-%s/v1" $full $name) -}}
{{- end -}}
{{- end -}}
{{- join "," $urls -}}
{{- end -}}

{{/* Volumes of a pod that runs the application. Call with (list $ component tmpSize). */}}
{{- define "parlour.volumes" -}}
{{- $root := index . 0 -}}
- name: tmp
  emptyDir:
    sizeLimit: {{ index . 2 }}
{{- if eq $root.Values.config.storage.kind "volume" }}
- name: storage
  persistentVolumeClaim:
    claimName: {{ include "parlour.storageClaimName" $root }}
{{- end }}
{{- if eq $root.Values.secrets.provider "keyVault" }}
# The driver writes the Secret only while a pod mounts its class.
- name: keyvault
  csi:
    driver: secrets-store.csi.k8s.io
    readOnly: true
    volumeAttributes:
      secretProviderClass: {{ include "parlour.secretName" (list $root (index . 1)) }}
{{- end }}
{{- end -}}

{{- define "parlour.volumeMounts" -}}
- name: tmp
  mountPath: /tmp
{{- if eq .Values.config.storage.kind "volume" }}
- name: storage
  mountPath: /data
{{- end }}
{{- if eq .Values.secrets.provider "keyVault" }}
- name: keyvault
  mountPath: /mnt/keyvault
  readOnly: true
{{- end }}
{{- end -}}
