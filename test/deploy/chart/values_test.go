package chart

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/jsonpath"
	"sigs.k8s.io/yaml"
)

// everything turns on all that is off by default and can be on together.
const everything = `
metrics: {serviceMonitor: {enabled: true}, readers: [{name: prometheus, namespace: monitoring}]}
prometheusRule: {enabled: true}
dashboard: {enabled: true}
kubeStateMetrics: {enabled: true}
deletionGuard: {enabled: true}
networkPolicy: {egress: {enabled: true}}
`

// podMonitor turns on the PodMonitor, which cannot be on together with the ServiceMonitor.
const podMonitor = `metrics: {podMonitor: {enabled: true, tokenSecret: {name: reader}}}`

const (
	deployment = "Deployment/maregister-manager"
	pod        = deployment + " .spec.template.spec"
	container  = pod + ".containers[0]"
	endpoint   = "ServiceMonitor/maregister-manager .spec.endpoints[0]"
	podScrape  = "PodMonitor/maregister-manager .spec.podMetricsEndpoints[0]"
	policy     = "NetworkPolicy/maregister-manager .spec"
	test       = "Pod/maregister-test .spec"

	guard        = "ValidatingAdmissionPolicy/maregister-deletion-guard"
	guardBinding = "ValidatingAdmissionPolicyBinding/maregister-deletion-guard"

	devicesRule = "ClusterRole/maregister-manager .rules[?(@.apiGroups[0]=='resource.k8s.io')].verbs"
)

// absent is wanted of an object or a field that must not be there.
const absent = "(absent)"

// wants has what must be where: an object's key and, after a blank, a JSON path into it.
type wants map[string]string

// valueCases has a case for every value: with it set to other than its default, what is rendered becomes what is wanted.
var valueCases = map[string]struct {
	base  string // more values, which the value needs so that it counts
	value string
	want  wants
}{
	"nameOverride":                    {value: `maze`, want: wants{"Deployment/maregister-maze-manager .spec.selector.matchLabels['app\\.kubernetes\\.io/name']": `maze`, deployment: absent}},
	"fullnameOverride":                {value: `tasks`, want: wants{"Deployment/tasks-manager .metadata.name": `tasks-manager`, "ClusterRole/tasks-view .metadata.name": `tasks-view`, deployment: absent}},
	"commonLabels":                    {value: `{team: maze}`, want: wants{deployment + " .metadata.labels.team": `maze`, "Pod/maregister-test .metadata.labels.team": `maze`}},
	"image.repository":                {value: `example.com/m`, want: wants{container + ".image": `example.com/m:` + appVersion}},
	"image.tag":                       {value: `v9`, want: wants{container + ".image": `ghcr.io/maze-agent/maregister:v9`}},
	"image.digest":                    {base: `{image: {tag: v9}}`, value: `"` + digest + `"`, want: wants{container + ".image": `ghcr.io/maze-agent/maregister@` + digest}},
	"image.pullPolicy":                {value: `Always`, want: wants{container + ".imagePullPolicy": `Always`}},
	"imagePullSecrets":                {value: `[{name: pull}]`, want: wants{pod + ".imagePullSecrets": `[{"name":"pull"}]`, test + ".imagePullSecrets": `[{"name":"pull"}]`}},
	"replicas":                        {value: `3`, want: wants{deployment + " .spec.replicas": `3`}},
	"config.nodes":                    {value: `Ignore`, want: configured("nodes: Ignore", wants{"ClusterRole/maregister-manager .rules[?(@.resources[0]=='nodes')].verbs": ``, devicesRule: ``})},
	"config.watchNamespaces":          {value: `[vision, audio]`, want: configured("watchNamespaces:\n- vision\n- audio", watched)},
	"config.gpu.resourceName":         {value: `amd.com/gpu`, want: configured("resourceName: amd.com/gpu", nil)},
	"config.gpu.match":                {value: `Nominal`, want: configured("match: Nominal", nil)},
	"config.gpu.dynamicResources":     {value: `Ignore`, want: configured("dynamicResources: Ignore", wants{devicesRule: ``})},
	"config.gpu.sharing.timeSlicing":  {value: `Allow`, want: configured("timeSlicing: Allow", nil)},
	"config.gpu.sharing.mps":          {value: `Allow`, want: configured("mps: Allow", nil)},
	"config.gpu.sharing.provider":     {value: `HAMi`, want: configured("provider: HAMi", nil)},
	"config.reserve.daemonSets":       {value: `Read`, want: configured("daemonSets: Read", wants{"ClusterRole/maregister-manager .rules[?(@.apiGroups[0]=='apps')].verbs": `["list","watch"]`})},
	"config.reserve.cpu":              {value: `500m`, want: configured("reserve:\n  cpu: 500m", nil)},
	"config.reserve.memory":           {value: `1Gi`, want: configured("memory: 1Gi", nil)},
	"config.passingTaints":            {value: `["example.com/*"]`, want: configured("passingTaints:\n- example.com/*", nil)},
	"config.gpu.evenBackends":         {value: `[vllm]`, want: configured("evenBackends:\n  - vllm", nil)},
	"config.gpu.accelerators":         {value: `[{label: example.com/gpu, value: a10, memory: 23028Mi}]`, want: configured("accelerators:\n  - label: example.com/gpu\n    memory: 23028Mi\n    value: a10", nil)},
	"config.gpu.tolerations":          {value: `[{key: dedicated, operator: Exists}]`, want: configured("tolerations:\n  - key: dedicated\n    operator: Exists", nil)},
	"config.gpu.profiles":             {value: `[{name: l4, memory: 23034Mi, count: 1, nodeSelector: {gpu: l4}}]`, want: configured("- count: 1\n    memory: 23034Mi\n    name: l4", nil)},
	"config.registry.shardSize":       {value: `16Ki`, want: configured("shardSize: 16Ki", nil)},
	"config.predictor.rules":          {value: `[{contains: ocr, toolType: vlm_process}]`, want: configured("predictor:\n  rules:\n  - contains: ocr\n    toolType: vlm_process\nregistry:", nil)},
	"crds.enabled":                    {value: `false`, want: wants{"CustomResourceDefinition/mazetasks.registry.mazeagent.net": absent}},
	"crds.keep":                       {value: `false`, want: wants{`CustomResourceDefinition/mazetasks.registry.mazeagent.net .metadata.annotations['helm\.sh/resource-policy']`: absent}},
	"serviceAccount.create":           {base: `{serviceAccount: {name: mine}}`, value: `false`, want: wants{"ServiceAccount/mine": absent, pod + ".serviceAccountName": `mine`}},
	"serviceAccount.name":             {value: `mine`, want: wants{"ValidatingAdmissionPolicy/maregister-manager .spec.matchConditions[0].expression": `request.userInfo.username == "system:serviceaccount:maregister-system:mine"`, "ServiceAccount/mine .metadata.name": `mine`, pod + ".serviceAccountName": `mine`, "ClusterRoleBinding/maregister-manager .subjects[0].name": `mine`}},
	"serviceAccount.annotations":      {value: `{a: b}`, want: wants{"ServiceAccount/maregister-manager .metadata.annotations.a": `b`}},
	"rbac.create":                     {value: `false`, want: wants{"ClusterRole/maregister-manager": absent, "ClusterRoleBinding/maregister-manager": absent, "Role/maregister-manager": absent, "RoleBinding/maregister-manager": absent, "ClusterRole/maregister-metrics-reader": absent}},
	"rbac.aggregate":                  {value: `false`, want: wants{"ClusterRole/maregister-edit": absent, "ClusterRole/maregister-view": absent}},
	"deletionGuard.enabled":           {value: `true`, want: wants{guard + " .spec.failurePolicy": `Ignore`, guardBinding + " .spec.policyName": `maregister-deletion-guard`, guardBinding + " .spec.matchResources": absent}},
	"deletionGuard.namespaceSelector": {base: `{deletionGuard: {enabled: true}}`, value: `{matchLabels: {stage: production}}`, want: wants{guardBinding + " .spec.matchResources.namespaceSelector": `{"matchLabels":{"stage":"production"}}`}},
	"admissionPolicy.enabled":         {value: `false`, want: wants{"ValidatingAdmissionPolicy/maregister-manager": absent, "ValidatingAdmissionPolicyBinding/maregister-manager": absent}},
	"logs.level":                      {value: `debug`, want: wants{container + ".args[2]": `--zap-log-level=debug`}},
	"logs.format":                     {value: `console`, want: wants{container + ".args[3]": `--zap-encoder=console`}},
	"env":                             {value: `[{name: GOGC, value: "100"}]`, want: wants{container + ".env[*].name": `POD_NAME POD_UID POD_NAMESPACE MEMORY_LIMIT GOGC`, container + ".env[4].value": `100`}},
	"resources":                       {value: `{limits: {memory: 1Gi}}`, want: wants{container + ".resources.limits.memory": `1Gi`, container + ".resources.requests.memory": `64Mi`}},
	"podLabels":                       {value: `{a: b}`, want: wants{deployment + " .spec.template.metadata.labels.a": `b`, deployment + " .spec.selector.matchLabels.a": absent}},
	"podAnnotations":                  {value: `{a: b}`, want: wants{deployment + " .spec.template.metadata.annotations.a": `b`}},
	"podSecurityContext":              {value: `{runAsUser: null, fsGroup: 1}`, want: wants{pod + ".securityContext": `{"fsGroup":1,"runAsGroup":65532,"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}}`}},
	"securityContext":                 {value: `{privileged: false}`, want: wants{container + ".securityContext.privileged": `false`, test + ".containers[0].securityContext.privileged": `false`}},
	"priorityClassName":               {value: `system-cluster-critical`, want: wants{pod + ".priorityClassName": `system-cluster-critical`}},
	"nodeSelector":                    {value: `{a: b}`, want: wants{pod + ".nodeSelector.a": `b`, test + ".nodeSelector.a": `b`}},
	"tolerations":                     {value: `[{key: a, operator: Exists}]`, want: wants{pod + ".tolerations[0].key": `a`, test + ".tolerations[0].key": `a`}},
	"affinity":                        {value: `{podAntiAffinity: {}}`, want: wants{pod + ".affinity": `{"podAntiAffinity":{}}`}},
	"topologySpreadConstraints":       {value: `[{maxSkew: 2, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}]`, want: wants{pod + ".topologySpreadConstraints[*].topologyKey": `zone`, pod + ".topologySpreadConstraints[0].labelSelector.matchLabels": `{"app.kubernetes.io/instance":"maregister","app.kubernetes.io/name":"maregister"}`}},

	"podDisruptionBudget.enabled":        {value: `false`, want: wants{"PodDisruptionBudget/maregister-manager": absent}},
	"podDisruptionBudget.maxUnavailable": {value: `"50%"`, want: wants{"PodDisruptionBudget/maregister-manager .spec.maxUnavailable": `50%`}},
	"metrics.enabled": {value: `false`, want: wants{
		"Service/maregister-metrics": absent, "ClusterRole/maregister-metrics-reader": absent, container + ".args[1]": `--metrics-bind-address=0`,
		container + ".ports[*].name": `probes`, policy + ".ingress": absent,
		"ClusterRole/maregister-manager .rules[*].resources[0]": `nodes deviceclasses configmaps events mazetasks mazetasks/status`,
	}},
	"metrics.port": {value: `9443`, want: wants{container + ".ports[0].containerPort": `9443`, container + ".args[1]": `--metrics-bind-address=:9443`, "Service/maregister-metrics .spec.ports[0].port": `9443`}},
	"metrics.certificate.secretName": {value: `cert`, want: wants{
		container + ".args[4]": `--metrics-cert-path=/etc/maregister-metrics`, container + ".volumeMounts[1].mountPath": `/etc/maregister-metrics`,
		pod + ".volumes[1].secret.secretName": `cert`,
	}},
	"metrics.readers": {value: `[{name: p, namespace: m}]`, want: wants{"ClusterRoleBinding/maregister-metrics-reader .subjects": `[{"kind":"ServiceAccount","name":"p","namespace":"m"}]`}},
	"metrics.serviceMonitor.enabled": {value: `true`, want: wants{
		endpoint + ".port": `https`, endpoint + ".scheme": `https`, endpoint + ".bearerTokenFile": absent,
		endpoint + ".authorization.credentials.name": `maregister-metrics-reader`, endpoint + ".authorization.credentials.key": `token`,
		`Secret/maregister-metrics-reader .metadata.annotations['kubernetes\.io/service-account\.name']`: `maregister-metrics-reader`,
		"ClusterRoleBinding/maregister-metrics-reader .subjects":                                         `[{"kind":"ServiceAccount","name":"maregister-metrics-reader","namespace":"maregister-system"}]`,
	}},
	"metrics.serviceMonitor.tokenSecret.name": {base: everything, value: `other`, want: wants{
		endpoint + ".authorization.credentials.name": `other`, "Secret/maregister-metrics-reader": absent, "ServiceAccount/maregister-metrics-reader": absent,
	}},
	"metrics.serviceMonitor.tokenSecret.key":   {base: everything, value: `other`, want: wants{endpoint + ".authorization.credentials.key": `other`}},
	"metrics.serviceMonitor.labels":            {base: everything, value: `{release: p}`, want: wants{"ServiceMonitor/maregister-manager .metadata.labels.release": `p`}},
	"metrics.serviceMonitor.interval":          {base: everything, value: `15s`, want: wants{endpoint + ".interval": `15s`}},
	"metrics.serviceMonitor.scrapeTimeout":     {base: everything, value: `5s`, want: wants{endpoint + ".scrapeTimeout": `5s`}},
	"metrics.serviceMonitor.tlsConfig":         {base: everything, value: `{serverName: m}`, want: wants{endpoint + ".tlsConfig.serverName": `m`}},
	"metrics.serviceMonitor.relabelings":       {base: everything, value: `[{action: drop}]`, want: wants{endpoint + ".relabelings": `[{"action":"drop"}]`}},
	"metrics.serviceMonitor.metricRelabelings": {base: everything, value: `[{action: drop}]`, want: wants{endpoint + ".metricRelabelings": `[{"action":"drop"}]`}},
	"metrics.podMonitor.enabled":               {base: `{metrics: {podMonitor: {tokenSecret: {name: reader}}}}`, value: `true`, want: wants{podScrape + ".port": `metrics`, podScrape + ".scheme": `https`}},
	"metrics.podMonitor.labels":                {base: podMonitor, value: `{release: p}`, want: wants{"PodMonitor/maregister-manager .metadata.labels.release": `p`}},
	"metrics.podMonitor.interval":              {base: podMonitor, value: `15s`, want: wants{podScrape + ".interval": `15s`}},
	"metrics.podMonitor.scrapeTimeout":         {base: podMonitor, value: `5s`, want: wants{podScrape + ".scrapeTimeout": `5s`}},
	"metrics.podMonitor.tokenSecret.name":      {base: podMonitor, value: `other`, want: wants{podScrape + ".authorization.credentials.name": `other`}},
	"metrics.podMonitor.tokenSecret.key":       {base: podMonitor, value: `other`, want: wants{podScrape + ".authorization.credentials.key": `other`}},
	"metrics.podMonitor.tlsConfig":             {base: podMonitor, value: `{serverName: m}`, want: wants{podScrape + ".tlsConfig.serverName": `m`}},
	"metrics.podMonitor.relabelings":           {base: podMonitor, value: `[{action: drop}]`, want: wants{podScrape + ".relabelings": `[{"action":"drop"}]`}},
	"metrics.podMonitor.metricRelabelings":     {base: podMonitor, value: `[{action: drop}]`, want: wants{podScrape + ".metricRelabelings": `[{"action":"drop"}]`}},
	"prometheusRule.enabled":                   {value: `true`, want: fromFile("PrometheusRule/maregister-manager .spec", "rules.yaml")},
	"prometheusRule.labels":                    {base: everything, value: `{release: p}`, want: wants{"PrometheusRule/maregister-manager .metadata.labels.release": `p`}},
	"dashboard.enabled":                        {value: `true`, want: fromFile(`ConfigMap/maregister-dashboard .data['maregister\.json']`, "dashboard.json")},
	"dashboard.labels":                         {base: everything, value: `{a: b}`, want: wants{"ConfigMap/maregister-dashboard .metadata.labels.a": `b`}},
	"dashboard.annotations":                    {base: everything, value: `{grafana_folder: Maze}`, want: wants{"ConfigMap/maregister-dashboard .metadata.annotations.grafana_folder": `Maze`}},
	"kubeStateMetrics.enabled":                 {value: `true`, want: fromFile(`ConfigMap/maregister-kube-state-metrics .data['config\.yaml']`, "kube-state-metrics.yaml")},
	"networkPolicy.enabled":                    {value: `false`, want: wants{"NetworkPolicy/maregister-manager": absent}},
	"networkPolicy.metricsFrom":                {value: `[{podSelector: {}}]`, want: wants{policy + ".ingress[0].from": `[{"podSelector":{}}]`}},
	"networkPolicy.egress.enabled":             {value: `true`, want: wants{policy + ".policyTypes": `["Ingress","Egress"]`, policy + ".egress[1].ports[*].port": `443 6443`}},
	"networkPolicy.egress.apiServerPorts":      {base: everything, value: `[16443]`, want: wants{policy + ".egress[1].ports[*].port": `16443`}},
	"networkPolicy.egress.apiServers":          {base: everything, value: `[{ipBlock: {cidr: 10.0.0.0/8}}]`, want: wants{policy + ".egress[1].to[0].ipBlock.cidr": `10.0.0.0/8`}},
	"tests.image.repository":                   {value: `example.com/k`, want: wants{test + ".containers[0].image": `example.com/k:v1.37.2`, test + ".initContainers[1].image": `example.com/k:v1.37.2`}},
	"tests.image.tag":                          {value: `v9`, want: wants{test + ".containers[0].image": `registry.k8s.io/kubectl:v9`}},
	"tests.image.digest":                       {value: `"` + digest + `"`, want: wants{test + ".containers[0].image": `registry.k8s.io/kubectl@` + digest}},
	"tests.image.pullPolicy":                   {value: `Always`, want: wants{test + ".containers[0].imagePullPolicy": `Always`}},
	"tests.timeout":                            {value: `5m`, want: wants{test + ".initContainers[1].args[2]": `--timeout=5m`}},
}

const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// watched is what config.watchNamespaces makes of the roles.
var watched = wants{
	"ClusterRole/maregister-manager .rules[*].resources[0]":         `nodes tokenreviews subjectaccessreviews deviceclasses`,
	"Role/vision/maregister-manager-tasks .rules[*].resources[0]":   `configmaps events mazetasks mazetasks/status`,
	"Role/audio/maregister-manager-tasks .rules[*].resources[0]":    `configmaps events mazetasks mazetasks/status`,
	"RoleBinding/vision/maregister-manager-tasks .subjects[0].name": `maregister-manager`,
	"Role/maregister-manager .rules[*].resources[0]":                `events leases leases`,
	"Pod/vision/maregister-test .metadata.namespace":                `vision`,
}

// configured wants lines in the operator's configuration file, and another checksum on the Pods; and more.
func configured(lines string, more wants) wants {
	out := wants{`ConfigMap/maregister-operator .data['operator\.yaml']`: "…" + lines, deployment + ` .spec.template.metadata.annotations['checksum/config']`: "(changed)"}
	for where, what := range more {
		out[where] = what
	}
	return out
}

// fromFile wants the content of one of the chart's files.
func fromFile(where, name string) wants { return wants{where: "file " + name} }

func TestEveryValueIsInTheTable(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(chartFolder(), "values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	documented := leaves(values(t, string(content)), "")
	if diff := cmp.Diff(sets.List(documented), sets.List(sets.KeySet(valueCases))); diff != "" {
		t.Errorf("values.yaml has other values than valueCases (-values.yaml +valueCases):\n%s", diff)
	}
}

// whole are values that are one setting, though they have fields.
var whole = sets.New("resources", "podSecurityContext", "securityContext", "metrics.serviceMonitor.tlsConfig", "metrics.podMonitor.tlsConfig", "dashboard.labels")

func leaves(tree map[string]any, prefix string) sets.Set[string] {
	out := sets.New[string]()
	for name, value := range tree {
		path := prefix + name
		if inner, ok := value.(map[string]any); ok && len(inner) > 0 && !whole.Has(path) {
			out = out.Union(leaves(inner, path+"."))
			continue
		}
		out.Insert(path)
	}
	return out
}

func TestValues(t *testing.T) {
	for path, tc := range valueCases {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			base := values(t, tc.base)
			before := rendered(t, base)
			after := rendered(t, merge(base, values(t, indent(path, tc.value))))
			if cmp.Equal(before, after) {
				t.Errorf("%s changes nothing", path)
			}
			for where, want := range tc.want {
				expect(t, before, after, where, want)
			}
		})
	}
}

func rendered(t *testing.T, overrides map[string]any) map[string]*unstructured.Unstructured {
	t.Helper()
	text, err := yaml.Marshal(overrides)
	if err != nil {
		t.Fatal(err)
	}
	objects, hooks := render(t, string(text))
	return byKey(t, append(objects, hooks...))
}

// expect compares what is somewhere in the objects with what is wanted.
func expect(t *testing.T, before, after map[string]*unstructured.Unstructured, where, want string) {
	t.Helper()
	got := lookUp(t, after, where)
	switch {
	case want == "(changed)":
		if was := lookUp(t, before, where); got == was || got == absent {
			t.Errorf("%s did not change from %s", where, was)
		}
	case strings.HasPrefix(want, "…"):
		if !strings.Contains(got, strings.TrimPrefix(want, "…")) {
			t.Errorf("%s is\n%s\nand does not have\n%s", where, got, want)
		}
	case strings.HasPrefix(want, "file "):
		if diff := cmp.Diff(file(t, strings.TrimPrefix(want, "file ")), values(t, got)); diff != "" {
			t.Errorf("%s is not the content of %s (-file +rendered):\n%s", where, want, diff)
		}
	case got != want:
		t.Errorf("%s is %s, want %s", where, got, want)
	}
}

func file(t *testing.T, name string) map[string]any {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(chartFolder(), "files", name))
	if err != nil {
		t.Fatal(err)
	}
	return values(t, string(content))
}

// lookUp returns what is at a place such as "Deployment/x .spec.replicas": text as it is, else JSON.
func lookUp(t *testing.T, objects map[string]*unstructured.Unstructured, where string) string {
	t.Helper()
	name, path, _ := strings.Cut(where, " ")
	object, ok := objects[name]
	if !ok {
		return absent
	}
	parser := jsonpath.New(where).AllowMissingKeys(true)
	parser.EnableJSONOutput(false)
	if err := parser.Parse(fmt.Sprintf("{%s}", path)); err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	found, err := parser.FindResults(object.Object)
	if err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	if len(found[0]) == 0 && !strings.Contains(path, "[?") {
		return absent
	}
	var out bytes.Buffer
	if err := parser.PrintResults(&out, found[0]); err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	return out.String()
}

// merge puts values over others, as Helm does.
func merge(base, over map[string]any) map[string]any {
	out := map[string]any{}
	for name, value := range base {
		out[name] = value
	}
	for name, value := range over {
		inner, isMap := value.(map[string]any)
		if outer, ok := out[name].(map[string]any); ok && isMap {
			out[name] = merge(outer, inner)
			continue
		}
		out[name] = value
	}
	return out
}
