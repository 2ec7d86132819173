package chart

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/maze-agent/maregister/internal/config"
)

func TestBadValuesAreRefused(t *testing.T) {
	for name, tc := range map[string]struct{ values, want string }{
		"unknown":                 {`{replicaCount: 3}`, `additional properties 'replicaCount' not allowed`},
		"unknown, inside":         {`{metrics: {serviceMonitor: {enable: true}}}`, `at '/metrics/serviceMonitor': additional properties 'enable' not allowed`},
		"unknown in the file":     {`{config: {node: Ignore}}`, `at '/config': additional properties 'node' not allowed`},
		"type":                    {`{replicas: two}`, `at '/replicas': got string, want integer`},
		"too many":                {`{replicas: 100}`, `at '/replicas': maximum: got 100, want 10`},
		"enum":                    {`{config: {nodes: Watched}}`, `at '/config/nodes': value must be one of 'Watch', 'Ignore'`},
		"no unit":                 {`{config: {registry: {shardSize: "262144"}}}`, `at '/config/registry/shardSize'`},
		"shard too large":         {`{config: {registry: {shardSize: 5Mi}}}`, `at '/config/registry/shardSize'`},
		"shard too small":         {`{config: {registry: {shardSize: 15Ki}}}`, `at '/config/registry/shardSize'`},
		"root":                    {`{podSecurityContext: {runAsUser: 0}}`, `at '/podSecurityContext/runAsUser': minimum: got 0, want 1`},
		"the chart's own label":   {`{commonLabels: {app.kubernetes.io/name: a}}`, `commonLabels has app.kubernetes.io/name, which the chart sets itself`},
		"namespace":               {`{config: {watchNamespaces: [Vision]}}`, `at '/config/watchNamespaces/0'`},
		"namespace twice":         {`{config: {watchNamespaces: [a, a]}}`, `at '/config/watchNamespaces': items at 0 and 1 are equal`},
		"profile":                 {`{config: {gpu: {profiles: [{name: l4, count: 1}]}}}`, `missing properties 'memory', 'nodeSelector'`},
		"toleration without key":  {`{config: {gpu: {tolerations: [{operator: Exists}]}}}`, `missing property 'key'`},
		"rule without tool type":  {`{config: {predictor: {rules: [{contains: ocr}]}}}`, `at '/config/predictor/rules/0': missing property 'toolType'`},
		"rule that never applies": {`{config: {predictor: {rules: [{contains: "o c r", toolType: vlm}]}}}`, `at '/config/predictor/rules/0/contains'`},
		"digest":                  {`{image: {digest: abc}}`, `at '/image/digest'`},
		"tag in repository":       {`{image: {repository: "a@b"}}`, `at '/image/repository'`},
		"log level":               {`{logs: {level: loud}}`, `at '/logs/level'`},
		"port of the probes":      {`{metrics: {port: 8081}}`, `metrics.port is 8081, which is the port of the probes`},
		"budget of none":          {`{podDisruptionBudget: {maxUnavailable: 0}}`, `at '/podDisruptionBudget/maxUnavailable'`},
		"no account":              {`{serviceAccount: {create: false}}`, `serviceAccount.create is false: name the account in serviceAccount.name`},
		"monitor without metrics": {`{metrics: {enabled: false, serviceMonitor: {enabled: true}}}`, `metrics.serviceMonitor and metrics.podMonitor need metrics.enabled`},
		"both monitors":           {`{metrics: {serviceMonitor: {enabled: true}, podMonitor: {enabled: true}}}`, `would both scrape every Pod: enable one of them`},
		"monitor without token":   {`{metrics: {podMonitor: {enabled: true}}}`, `metrics.podMonitor.tokenSecret.name is needed`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := template(tc.values)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want an error with %q", err, tc.want)
			}
		})
	}
}

// A chart may be a part of another one, which hands its global values down.
func TestGlobalValuesAreAccepted(t *testing.T) {
	if _, err := template(`{global: {imageRegistry: example.com}}`); err != nil {
		t.Error(err)
	}
}

func TestDefaultsAreTheOperators(t *testing.T) {
	objects, _ := render(t, "{}")
	rendered := lookUp(t, byKey(t, objects), `ConfigMap/maregister-operator .data['operator\.yaml']`)
	got, err := config.Load("operator.yaml", []byte(rendered))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(config.Default(), got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the chart's configuration differs from the operator's defaults (-default +chart):\n%s", diff)
	}
}

// The schema has a description for every value of values.yaml, and no other values.
func TestSchemaDescribesEveryValue(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(chartFolder(), "values.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	properties := values(t, string(content))
	for path := range valueCases {
		node := properties
		for _, name := range strings.Split(path, ".") {
			next, ok := node["properties"].(map[string]any)[name].(map[string]any)
			if !ok {
				t.Fatalf("values.schema.json lacks %s", path)
			}
			node = next
		}
		if node["description"] == nil {
			t.Errorf("values.schema.json does not describe %s", path)
		}
	}
}
