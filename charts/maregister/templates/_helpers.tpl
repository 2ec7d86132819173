{{- define "maregister.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* The longest suffix of a name has 20 characters. */}}
{{- define "maregister.fullname" -}}
{{- $name := include "maregister.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "maregister.manager" -}}
{{ include "maregister.fullname" . }}-manager
{{- end }}

{{- define "maregister.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "maregister.manager" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.create is false: name the account in serviceAccount.name" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "maregister.selectorLabels" -}}
app.kubernetes.io/name: {{ include "maregister.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "maregister.labels" -}}
{{- with .Values.commonLabels }}
{{- toYaml . }}
{{ end -}}
{{ include "maregister.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* image gives the reference of (dict "image" IMAGE "tag" TAG): the digest, or else the tag. */}}
{{- define "maregister.image" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ default .tag .image.tag }}
{{- end }}
{{- end }}

{{/* What config/rbac/role.yaml grants, as YAML lists. Each of these is cluster-scoped; the rest is in the tasks' namespaces. */}}
{{- define "maregister.clusterRules" -}}
{{- $rules := list }}
{{- $role := .Files.Get "files/rbac/role.yaml" | splitList "\n---\n" | first | trimPrefix "---\n" | fromYaml }}
{{- range $role.rules }}
{{- $nodes := and (has "nodes" .resources) (ne $.Values.config.nodes "Ignore") }}
{{- $devices := and (has "resource.k8s.io" .apiGroups) (ne $.Values.config.nodes "Ignore") (ne $.Values.config.gpu.dynamicResources "Ignore") }}
{{- if or $nodes $devices (and (hasSuffix "reviews" (first .resources)) $.Values.metrics.enabled) }}
{{- $rules = append $rules . }}
{{- end }}
{{- end }}
{{- if and (eq $.Values.config.reserve.daemonSets "Read") (ne $.Values.config.nodes "Ignore") }}
{{- $rules = append $rules (dict "apiGroups" (list "apps") "resources" (list "daemonsets") "verbs" (list "list" "watch")) }}
{{- end }}
{{- if $rules }}{{ toYaml $rules }}{{ end }}
{{- end }}

{{- define "maregister.namespaceRules" -}}
{{- $rules := list }}
{{- $role := .Files.Get "files/rbac/role.yaml" | splitList "\n---\n" | first | trimPrefix "---\n" | fromYaml }}
{{- range $role.rules }}
{{- if not (or (has "nodes" .resources) (has "resource.k8s.io" .apiGroups) (hasSuffix "reviews" (first .resources))) }}
{{- $rules = append $rules . }}
{{- end }}
{{- end }}
{{- toYaml $rules }}
{{- end }}

{{- define "maregister.leaseRules" -}}
{{- $role := .Files.Get "files/rbac/role.yaml" | splitList "\n---\n" | last | fromYaml }}
{{- toYaml $role.rules }}
{{- end }}

{{/* Roles come first when a release is read top to bottom; subjects are the same in each binding. */}}
{{- define "maregister.subjects" -}}
- kind: ServiceAccount
  name: {{ include "maregister.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}

{{/* The operator's configuration file. A field that is empty has its default. */}}
{{- define "maregister.operatorConfiguration" -}}
apiVersion: config.registry.mazeagent.net/v1alpha1
kind: OperatorConfiguration
{{- $config := .Values.config }}
{{- if not $config.watchNamespaces }}{{ $config = omit $config "watchNamespaces" }}{{ end }}
{{ toYaml $config }}
{{- end }}

{{/* The namespace where `helm test` applies a task: the release's, if the operator watches it. */}}
{{- define "maregister.testNamespace" -}}
{{- $watched := .Values.config.watchNamespaces }}
{{- if or (not $watched) (has .Release.Namespace $watched) }}{{ .Release.Namespace }}{{ else }}{{ first $watched }}{{ end }}
{{- end }}
