package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// profile is a valid one; a test adds to it, on lines from 5.
const profile = begin + "gpu:\n  profiles:\n  - {name: l4, memory: 23034Mi, count: 1, nodeSelector: {pool: l4}}\n"

func TestErrors(t *testing.T) {
	tests := map[string]struct {
		content string
		want    []string
	}{
		// The file as such.
		"empty": {"", []string{
			"operator.yaml:1:1: the file is empty: begin it with apiVersion: config.registry.mazeagent.net/v1alpha1 and kind: OperatorConfiguration"}},
		"only comments": {"# nothing\n---\n# more\n", []string{
			"operator.yaml:1:1: the file is empty: begin it with apiVersion: config.registry.mazeagent.net/v1alpha1 and kind: OperatorConfiguration"}},
		"only null": {"\nnull\n", []string{
			"operator.yaml:2:1: the file is empty: write fields, beginning with apiVersion: config.registry.mazeagent.net/v1alpha1 and kind: OperatorConfiguration"}},
		"text": {"hello\n", []string{
			`operator.yaml:1:1: the file is "hello": write fields, beginning with apiVersion: config.registry.mazeagent.net/v1alpha1 and kind: OperatorConfiguration`}},
		"a list": {"- a\n", []string{
			"operator.yaml:1:1: the file is a list: write fields, beginning with apiVersion: config.registry.mazeagent.net/v1alpha1 and kind: OperatorConfiguration"}},
		"not UTF-8": {begin + "nodes: W\u00e4tch\xff\n", []string{"operator.yaml:3:13: this is not UTF-8: save the file as UTF-8"}},
		"too large": {begin + strings.Repeat("#", maxSize), []string{
			"operator.yaml:1:1: the file has 1048655 bytes: a configuration has at most 1048576; check that it is the right file"}},
		"two documents": {begin + "---\n" + begin, []string{
			"operator.yaml:3:1: a second YAML document begins here: keep one configuration in the file"}},
		"two documents, the first with comments only": {"---\n# nothing\n---\n" + begin, []string{
			"operator.yaml:3:1: a second YAML document begins here: keep one configuration in the file"}},
		"two documents, the first with its end": {begin + "...\n" + begin, []string{
			"operator.yaml:4:1: a second YAML document begins here: keep one configuration in the file"}},

		// What is not YAML, or more YAML than is read.
		"no YAML":         {begin + "nodes: a: b\n", []string{syntaxError("3:8", "this value has a colon and a space, which begin another value; put the value in quotes")}},
		"a tab":           {begin + "gpu:\n\tmatch: Exact\n", []string{syntaxError("4:1", "YAML is indented with spaces, and this is a tab; write spaces for it")}},
		"an open bracket": {begin + "gpu: {match: Exact\n", []string{syntaxError("3:6", "this { is not closed, or a comma is missing behind it; add the } or the comma; a text that begins with { has to be in quotes")}},
		"an anchor": {begin + "nodes: &a Watch\n", []string{
			"operator.yaml:3:8: anchors and aliases are not read: write the value out, or put a text that begins with & or * in quotes"}},
		"an alias": {begin + "nodes: &a Watch\ngpu: {match: *a}\n", []string{
			"operator.yaml:3:8: anchors and aliases are not read: write the value out, or put a text that begins with & or * in quotes"}},
		"an alias without a name": {begin + "nodes: *\n", []string{
			syntaxError("3:8", "& and * begin the name of an anchor, and this is none; put a text with such signs in quotes")}},
		"a merge key":               {begin + "gpu:\n  <<: {match: Exact}\n", []string{"operator.yaml:4:3: merge keys are not read: write the fields out"}},
		"a merge key below another": {begin + "gpu:\n  match: Exact\n  <<: {sharing: {}}\n", []string{"operator.yaml:5:3: merge keys are not read: write the fields out"}},
		"an anchor for a key": {begin + "gpu: {&a match: Exact}\n", []string{
			"operator.yaml:3:7: anchors and aliases are not read: write the value out, or put a text that begins with & or * in quotes"}},
		"a sign":       {begin + "nodes: @a\n", []string{syntaxError("3:8", "no text may begin with @; put a text with such signs in quotes")}},
		"an open list": {begin + "watchNamespaces: [a\n", []string{syntaxError("3:18", "this [ is not closed, or a comma is missing behind it; add the ] or the comma; a text that begins with [ has to be in quotes")}},
		"a tag": {begin + "nodes: !!str Watch\n", []string{
			"operator.yaml:3:8: tags are not read: remove it, or put a text that begins with ! in quotes"}},
		"a directive": {"%YAML 1.2\n---\n" + begin, []string{"operator.yaml:1:1: directives are not read: remove the line"}},

		// What it is.
		"no apiVersion, no kind": {"nodes: Watch\n", []string{
			"operator.yaml:1:1: apiVersion is missing: write apiVersion: config.registry.mazeagent.net/v1alpha1",
			"operator.yaml:1:1: kind is missing: write kind: OperatorConfiguration"}},
		"another file": {"# one\n\nmetadata: {name: x}\napiVersion: v1\nkind: ConfigMap\n", []string{
			`operator.yaml:4:13: apiVersion is "v1": write config.registry.mazeagent.net/v1alpha1`,
			`operator.yaml:5:7: kind is "ConfigMap": write OperatorConfiguration`}},
		"another version": {"apiVersion: config.registry.mazeagent.net/v1\nkind: OperatorConfiguration\nnew: field\n", []string{
			`operator.yaml:1:13: apiVersion is "config.registry.mazeagent.net/v1": write config.registry.mazeagent.net/v1alpha1`}},
		"a number for a kind": {"apiVersion: config.registry.mazeagent.net/v1alpha1\nkind: 1\n", []string{
			"operator.yaml:2:7: kind is the number 1: if text is meant, put it in quotes"}},

		// Fields.
		"an unknown field": {begin + "gpu:\n  # comment\n  matc: Exact\n", []string{
			"operator.yaml:5:3: gpu.matc is not a field; did you mean \"match\"? the fields of gpu are accelerators, dynamicResources, evenBackends, match, profiles, resourceName, sharing, tolerations"}},
		"an unknown field of the file": {begin + "metadata: {}\n", []string{
			"operator.yaml:3:1: metadata is not a field: the fields of the file are apiVersion, gpu, kind, nodes, passingTaints, predictor, registry, reserve, watchNamespaces"}},
		"an unknown field in other case": {begin + "gpu: {sharing: {timeslicing: Allow}}\n", []string{
			"operator.yaml:3:17: gpu.sharing.timeslicing is not a field; did you mean \"timeSlicing\"? the fields of gpu.sharing are mps, provider, timeSlicing"}},
		"an unknown field of a list's item": {profile + "  - {name: a, memory: 1Gi, count: 1, nodeSelector: {a: b}, zone: c}\n", []string{
			"operator.yaml:6:60: gpu.profiles[1].zone is not a field: the fields of gpu.profiles[1] are count, memory, memoryType, name, nodeSelector, tolerations"}},
		"an unknown field with a strange name": {begin + `"a\nb": 1` + "\n", []string{
			`operator.yaml:3:1: "a\nb" is not a field: the fields of the file are apiVersion, gpu, kind, nodes, passingTaints, predictor, registry, reserve, watchNamespaces`}},
		"a field without text for a name": {begin + "gpu: {true: x}\n", []string{
			"operator.yaml:3:7: the name of a field is true, which is true or false and not text: write text, in quotes if need be"}},
		"a field given twice": {begin + "gpu: {match: Exact}\nnodes: Watch\ngpu: {match: Nominal}\n", []string{
			"operator.yaml:5:1: gpu is given twice, first in line 3: keep one"}},
		"a label given twice": {begin + "gpu: {profiles: [{name: a, memory: 1Gi, count: 1, nodeSelector: {a: b, a: c}}]}", []string{
			"operator.yaml:3:72: gpu.profiles[0].nodeSelector[a] is given twice, first in line 3: keep one"}},

		// Types.
		"text for fields": {begin + "gpu: Exact\n", []string{
			`operator.yaml:3:6: gpu is "Exact": write names with values, such as {name: value}`}},
		"text for a list": {begin + "gpu: {tolerations: dedicated, profiles: {name: l4}}\n", []string{
			`operator.yaml:3:20: gpu.tolerations is "dedicated": write a list, such as [a, b]`,
			"operator.yaml:3:41: gpu.profiles is a mapping: write a list, such as [a, b]"}},
		"text and nothing for the items of lists": {begin + "gpu: {tolerations: [dedicated], profiles: [~]}\n", []string{
			`operator.yaml:3:21: gpu.tolerations[0] is "dedicated": write names with values, such as {name: value}`,
			"operator.yaml:3:44: gpu.profiles[0] is empty: write names with values, such as {name: value}"}},
		"a list and fields for text": {begin + "nodes: [Watch]\ngpu: {match: {}}\n", []string{
			"operator.yaml:3:8: nodes is a list: write text",
			"operator.yaml:4:14: gpu.match is a mapping: write text"}},
		"numbers and yes or no for text": {begin + "gpu: {profiles: [{name: 4, memory: 1Gi, count: 1, nodeSelector: {a: true, b: 1.5, c: }}]}\n", []string{
			"operator.yaml:3:25: gpu.profiles[0].name is the number 4: if text is meant, put it in quotes",
			"operator.yaml:3:69: gpu.profiles[0].nodeSelector[a] is true, which is true or false and not text: if text is meant, put it in quotes",
			"operator.yaml:3:78: gpu.profiles[0].nodeSelector[b] is the number 1.5: if text is meant, put it in quotes",
			"operator.yaml:3:86: gpu.profiles[0].nodeSelector[c] is empty: write text"}},
		"not a whole number": {profile + `
  - {name: a, memory: 1Gi, nodeSelector: {a: a}, count: 1.9}
  - {name: b, memory: 1Gi, nodeSelector: {a: b}, count: "1"}
  - {name: c, memory: 1Gi, nodeSelector: {a: c}, count: 4294967297}
  - {name: d, memory: 1Gi, nodeSelector: {a: d}, count: 1e0}
`, []string{
			"operator.yaml:7:57: gpu.profiles[1].count is the number 1.9: write a whole number, without quotes",
			`operator.yaml:8:57: gpu.profiles[2].count is "1": write a whole number, without quotes`,
			"operator.yaml:9:57: gpu.profiles[3].count is the number 4294967297, which is out of range: write one nearer to 0",
			`operator.yaml:10:57: gpu.profiles[4].count is "1e0": write a whole number, without quotes`}},
		"not a quantity": {begin + `gpu:
  profiles:
  - name: a
    nodeSelector: {a: a}
    count: 1
    memory: "eight"
  - {name: b, nodeSelector: {a: b}, count: 1, memory: 1e-10000000}
  - {name: c, nodeSelector: {a: c}, count: 1, memory: -1Gi}
  - {name: d, nodeSelector: {a: d}, count: 1, memory: 24 GB}
  - {name: e, nodeSelector: {a: e}, count: 1, memory: [1Gi]}
registry:
  shardSize: large
`, []string{
			`operator.yaml:8:13: gpu.profiles[0].memory is "eight": write a quantity such as 256Ki or 23034Mi`,
			`operator.yaml:9:55: gpu.profiles[1].memory is "1e-10000000": write a quantity such as 256Ki or 23034Mi`,
			`operator.yaml:10:55: gpu.profiles[2].memory is "-1Gi": write a quantity such as 256Ki or 23034Mi`,
			`operator.yaml:11:55: gpu.profiles[3].memory is "24 GB": write a quantity such as 256Ki or 23034Mi`,
			"operator.yaml:12:55: gpu.profiles[4].memory is a list: write a quantity such as 256Ki or 23034Mi",
			`operator.yaml:14:14: registry.shardSize is "large": write a quantity such as 256Ki or 23034Mi`}},
		"a long text": {begin + "nodes: " + strings.Repeat("Wä", 1000), []string{
			`operator.yaml:3:8: nodes is "` + strings.Repeat("Wä", 32) + `…": write Watch or Ignore`}},

		// Everything at once, in the order of the file.
		"several": {begin + "registry: {shardSize: 1Ki}\nnodes: Wach\ngpu:\n  sharing: {mps: yes, timeslicing: Deny}\n  match: exact\n", []string{
			"operator.yaml:3:23: registry.shardSize is 1Ki: write a size from 16Ki to 1Mi",
			`operator.yaml:4:8: nodes is "Wach": write Watch or Ignore`,
			`operator.yaml:6:18: gpu.sharing.mps is "yes": write Deny or Allow`,
			"operator.yaml:6:23: gpu.sharing.timeslicing is not a field; did you mean \"timeSlicing\"? the fields of gpu.sharing are mps, provider, timeSlicing",
			`operator.yaml:7:10: gpu.match is "exact": write Exact or Nominal`}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) { wantErrors(t, tc.content, tc.want) })
	}
}

func wantErrors(t *testing.T, content string, want []string) {
	t.Helper()
	c, err := Load("operator.yaml", []byte(content))
	if err == nil {
		t.Fatalf("want an error, got %+v", c)
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func syntaxError(at, message string) string {
	return "operator.yaml:" + at + ": this is not YAML: " + message
}

func TestManyFindings(t *testing.T) {
	content, want := begin, []string(nil)
	for i := range maxFindings + 7 {
		content += fmt.Sprintf("field%d: 1\n", i)
		if i < maxFindings {
			want = append(want, fmt.Sprintf("operator.yaml:%d:1: field%d is not a field: the fields of the file are apiVersion, gpu, kind, nodes, passingTaints, predictor, registry, reserve, watchNamespaces", i+3, i))
		}
	}
	wantErrors(t, content, append(want, "operator.yaml: correct these first; 7 more are not shown"))
}
