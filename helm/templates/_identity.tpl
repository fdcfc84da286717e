{{/* Workload identity and Key Vault. */}}

{{- define "parlour.identityAnnotations" -}}
{{- with .Values.serviceAccount.annotations }}
{{ toYaml . }}
{{- end }}
{{- if .Values.workloadIdentity.enabled }}
azure.workload.identity/client-id: {{ required "workloadIdentity.clientId: name the managed identity's client id" .Values.workloadIdentity.clientId | quote }}
{{- with .Values.workloadIdentity.tenantId }}
azure.workload.identity/tenant-id: {{ . | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The class that makes a Secret of vault secrets. Call with (list $ component); the migrate job's is a hook. */}}
{{- define "parlour.secretProviderClass" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $vault := $root.Values.secrets.keyVault -}}
{{- $name := include "parlour.secretName" (list $root $component) -}}
{{- range $root.Values.secrets.required -}}
{{- if not (hasKey $vault.objects .) -}}
{{- fail (printf "secrets.keyVault.objects: name the vault secret that holds %s" .) -}}
{{- end -}}
{{- end -}}
apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata:
  name: {{ $name }}
  namespace: {{ $root.Release.Namespace }}
  labels:
{{ include "parlour.labels" (list $root $component) | indent 4 }}
{{- if eq $component "migrate" }}
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-weight: "-10"
    helm.sh/hook-delete-policy: before-hook-creation
{{- end }}
spec:
  provider: azure
  parameters:
    keyvaultName: {{ required "secrets.keyVault.name: name the vault" $vault.name | quote }}
    tenantId: {{ required "secrets.keyVault.tenantId: name the vault's tenant" $vault.tenantId | quote }}
    clientID: {{ required "workloadIdentity.clientId: Key Vault is read with workload identity" $root.Values.workloadIdentity.clientId | quote }}
    usePodIdentity: "false"
    objects: |
      array:
{{- range $_, $object := $vault.objects }}
        - |
          objectName: {{ $object }}
          objectType: secret
{{- end }}
  secretObjects:
    - secretName: {{ $name }}
      type: Opaque
      data:
{{- range $setting, $object := $vault.objects }}
        - key: {{ $setting }}
          objectName: {{ $object }}
{{- end }}
{{- end -}}
