{{/* KEDA's questions to Prometheus. */}}

{{- define "parlour.usesKeda" -}}
{{- $modes := list .Values.web.autoscaling.mode -}}
{{- range .Values.workers }}{{ $modes = append $modes .autoscaling.mode }}{{ end -}}
{{- if eq .Values.inference.mode "ollama" }}{{ $modes = append $modes .Values.inference.ollama.autoscaling.mode }}{{ end -}}
{{- if eq .Values.inference.mode "vllm" -}}
{{- range (include "parlour.vllmModels" . | fromJson) }}{{ $modes = append $modes .autoscaling.mode }}{{ end -}}
{{- end -}}
{{- if has "keda" $modes -}}true{{- end -}}
{{- end -}}

{{/* One trigger. Call with (list $ name query metricType threshold). */}}
{{- define "parlour.prometheusTrigger" -}}
{{- $root := index . 0 -}}
- type: prometheus
  name: {{ index . 1 }}
  metricType: {{ index . 3 }}
{{- if eq $root.Values.monitoring.flavor "azure" }}
  authenticationRef:
    name: {{ include "parlour.fullname" $root }}-prometheus
{{- end }}
  metadata:
    serverAddress: {{ required "keda.prometheusUrl: name the Prometheus that KEDA asks, or choose another autoscaling.mode" $root.Values.keda.prometheusUrl | quote }}
    query: {{ index . 2 | quote }}
    threshold: {{ index . 4 | toString | quote }}
    # Silence is not idleness: without an answer the number of pods stays.
    ignoreNullValues: "false"
{{- end -}}

{{/* GPU triggers of pods named by a pattern. Call with (list $ podPattern autoscaling cacheQuery); where cacheQuery
     is given it stands for GPU memory. */}}
{{- define "parlour.gpuTriggers" -}}
{{- $root := index . 0 -}}
{{- $autoscaling := index . 2 -}}
{{- $selector := printf "namespace=\"%s\",pod=~\"%s\"" $root.Release.Namespace (index . 1) -}}
{{- if gt (int $autoscaling.gpuUtilization) 0 }}
{{ include "parlour.prometheusTrigger" (list $root "gpu-utilization" (printf "avg(DCGM_FI_DEV_GPU_UTIL{%s})" $selector) "Value" $autoscaling.gpuUtilization) }}
{{- end }}
{{- if gt (int $autoscaling.gpuMemory) 0 }}
{{- $memory := printf "100 * sum(DCGM_FI_DEV_FB_USED{%s}) / (sum(DCGM_FI_DEV_FB_USED{%s}) + sum(DCGM_FI_DEV_FB_FREE{%s}))" $selector $selector $selector }}
{{ include "parlour.prometheusTrigger" (list $root "gpu-memory" (index . 3 | default $memory) "Value" $autoscaling.gpuMemory) }}
{{- end }}
{{- end -}}

{{/* The trigger that keeps a model server's fewest pods within office hours; outside there is nobody to count. Call
     with the autoscaling values. */}}
{{- define "parlour.officeHours" -}}
{{- if .officeHours.start }}
- type: cron
  name: office-hours
  metadata:
    timezone: {{ required "autoscaling.officeHours.timezone: name the time zone" .officeHours.timezone }}
    start: {{ .officeHours.start | quote }}
    end: {{ required "autoscaling.officeHours.end: say when they end" .officeHours.end | quote }}
    desiredReplicas: {{ .minReplicas | quote }}
{{- end }}
{{- end -}}
