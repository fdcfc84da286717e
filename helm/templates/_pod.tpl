{{/* What every pod of the chart has in common. */}}

{{/* Pod annotations and labels. Call with (list $ component workload). */}}
{{- define "parlour.podMetadata" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $workload := index . 2 -}}
{{- $isApplication := or (has $component (list "web" "beat" "migrate" "preload")) (hasPrefix "worker-" $component) -}}
{{- $annotations := deepCopy $workload.podAnnotations -}}
{{- if $isApplication -}}
{{- /* Settings stand in the pod itself and roll it when they change; which vault secret a setting is does not. */ -}}
{{- $annotations = merge (dict "checksum/secrets" ($root.Values.secrets | toJson | sha256sum | trunc 16)) $annotations -}}
{{- end -}}
{{- with $annotations }}
annotations:
{{ toYaml . | indent 2 }}
{{- end }}
labels:
{{ include "parlour.podLabels" (list $root $component) | indent 2 }}
{{- if and $root.Values.workloadIdentity.enabled $isApplication }}
  azure.workload.identity/use: "true"
{{- end }}
{{- with $workload.podLabels }}
{{ toYaml . | indent 2 }}
{{- end }}
{{- end -}}

{{/* Identity and security of a pod. Call with (list $ serviceAccountName). */}}
{{- define "parlour.podSecurity" -}}
{{- $root := index . 0 -}}
serviceAccountName: {{ index . 1 }}
# Nothing here talks to the Kubernetes API; workload identity projects its own token.
automountServiceAccountToken: false
enableServiceLinks: false
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  # Changing the owner of a model share file by file takes minutes; once is enough.
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- end -}}

{{- define "parlour.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{/* Where a pod runs. Call with (list $ component workload options); options: gpu (bool), priority
     (interactive, batch or ""), hash (spread by pod-template-hash; Deployments only). */}}
{{- define "parlour.scheduling" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $workload := index . 2 -}}
{{- $options := index . 3 -}}
{{- $gpu := $root.Values.inference.gpu -}}
{{- $nodeSelector := $workload.nodeSelector -}}
{{- $tolerations := $workload.tolerations -}}
{{- $affinity := deepCopy $workload.affinity -}}
{{- if $options.gpu -}}
{{- $nodeSelector = merge (dict) $nodeSelector $gpu.nodeSelector -}}
{{- $tolerations = concat $gpu.tolerations $tolerations -}}
{{- if ne $gpu.spot.use "never" -}}
{{- $tolerations = append $tolerations (dict "key" "kubernetes.azure.com/scalesetpriority" "operator" "Equal" "value" "spot" "effect" "NoSchedule") -}}
{{- end -}}
{{- if eq $gpu.spot.use "preferred" -}}
{{- $spot := dict "weight" 100 "preference" (dict "matchExpressions" (list (dict "key" "kubernetes.azure.com/scalesetpriority" "operator" "In" "values" (list "spot")))) -}}
{{- $affinity = mergeOverwrite (dict "nodeAffinity" (dict "preferredDuringSchedulingIgnoredDuringExecution" (list $spot))) $affinity -}}
{{- end -}}
{{- end -}}
{{- $priority := $workload.priorityClassName -}}
{{- if and (not $priority) $options.priority $root.Values.priorityClasses.create -}}
{{- $priority = printf "%s-%s-%s" (include "parlour.fullname" $root) $root.Release.Namespace $options.priority -}}
{{- end -}}
{{- with $priority }}
priorityClassName: {{ . }}
{{- end }}
{{- with $nodeSelector }}
nodeSelector:
{{ toYaml . | indent 2 }}
{{- end }}
{{- with $tolerations }}
tolerations:
{{ toYaml . | indent 2 }}
{{- end }}
{{- with $affinity }}
affinity:
{{ toYaml . | indent 2 }}
{{- end }}
{{- $spread := get $workload "topologySpread" | default "none" -}}
{{- if ne $spread "none" }}
topologySpreadConstraints:
{{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: {{ eq $spread "hard" | ternary "DoNotSchedule" "ScheduleAnyway" }}
    labelSelector:
      matchLabels:
{{ include "parlour.selectorLabels" (list $root $component) | indent 8 }}
{{- if $options.hash }}
    # Counts the pods of one revision, so that a rolling update spreads too.
    matchLabelKeys: [pod-template-hash]
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* An HTTP probe. Call with (list kind probe port). */}}
{{- define "parlour.httpProbe" -}}
{{- $probe := index . 1 -}}
{{ index . 0 }}Probe:
  httpGet:
    path: {{ $probe.path }}
    port: {{ index . 2 }}
  periodSeconds: {{ $probe.periodSeconds }}
  timeoutSeconds: {{ $probe.timeoutSeconds }}
  failureThreshold: {{ $probe.failureThreshold }}
{{- end -}}

{{/* Fails where `file` was not touched for `minutes`. Call with (list probe file minutes). */}}
{{- define "parlour.freshFileProbe" -}}
{{- $probe := index . 0 -}}
livenessProbe:
  exec:
    command: [sh, -c, 'test -n "$(find {{ index . 1 }} -mmin -{{ index . 2 }} -print -quit)"']
  initialDelaySeconds: 60
  periodSeconds: {{ $probe.periodSeconds }}
  timeoutSeconds: {{ $probe.timeoutSeconds }}
  failureThreshold: {{ $probe.failureThreshold }}
{{- end -}}

{{/* Requests and limits with GPUs added. Call with (list $ resources gpus). */}}
{{- define "parlour.gpuResources" -}}
{{- $root := index . 0 -}}
{{- $resources := deepCopy (index . 1) -}}
{{- $gpus := int (index . 2) -}}
{{- if gt $gpus 0 -}}
{{- $name := $root.Values.inference.gpu.resourceName -}}
{{- $limits := merge (dict $name ($gpus | toString)) (get $resources "limits" | default dict) -}}
{{- $_ := set $resources "limits" $limits -}}
{{- end -}}
{{- toYaml $resources -}}
{{- end -}}

{{/* Call with (list $ component workload). */}}
{{- define "parlour.pdb" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $workload := index . 2 -}}
{{- if $workload.pdb.enabled }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "parlour.fullname" $root }}-{{ $component }}
  namespace: {{ $root.Release.Namespace }}
  labels:
{{ include "parlour.labels" (list $root $component) | indent 4 }}
spec:
  maxUnavailable: {{ $workload.pdb.maxUnavailable }}
  # A pod that never became ready must not hold up a node's drain.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
{{ include "parlour.selectorLabels" (list $root $component) | indent 6 }}
{{- end }}
{{- end -}}

{{/* An HPA on CPU. Call with (list $ component workload). */}}
{{- define "parlour.cpuHpa" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $autoscaling := (index . 2).autoscaling -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ include "parlour.fullname" $root }}-{{ $component }}
  namespace: {{ $root.Release.Namespace }}
  labels:
{{ include "parlour.labels" (list $root $component) | indent 4 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "parlour.fullname" $root }}-{{ $component }}
  minReplicas: {{ max 1 (int $autoscaling.minReplicas) }}
  maxReplicas: {{ $autoscaling.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ $autoscaling.cpuUtilization }}
{{- end -}}
