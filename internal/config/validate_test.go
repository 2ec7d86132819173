package config

import (
	"fmt"
	"strings"
	"testing"
)

// lines repeats a line, which may hold %[1]d, n times.
func lines(n int, format string) string {
	var all strings.Builder
	for i := range n {
		fmt.Fprintf(&all, format+"\n", i)
	}
	return all.String()
}

func TestValidate(t *testing.T) {
	const resourceName, shardSize = begin + "gpu: {resourceName: %s}\n", begin + "registry: {shardSize: %s}\n"
	const ofName = "at most 253 letters, digits, '-', '_' and '.'"
	long := strings.Repeat("x", 64)
	tests := map[string]struct {
		content string
		want    []string
	}{
		"choices": {begin + "nodes: watch\ngpu: {match: Nominally, sharing: {timeSlicing: allow, mps: Denied, provider: hami}, dynamicResources: auto}\n", []string{
			`operator.yaml:3:8: nodes is "watch": write Watch or Ignore`,
			`operator.yaml:4:14: gpu.match is "Nominally": write Exact or Nominal`,
			`operator.yaml:4:48: gpu.sharing.timeSlicing is "allow": write Deny or Allow`,
			`operator.yaml:4:60: gpu.sharing.mps is "Denied": write Deny or Allow`,
			`operator.yaml:4:78: gpu.sharing.provider is "hami": write None, HAMi or KAI`,
			`operator.yaml:4:103: gpu.dynamicResources is "auto": write Auto or Ignore`}},

		"namespaces": {begin + "watchNamespaces: [vision, Vision, '*', vision, ~, '']\n", []string{
			`operator.yaml:3:27: watchNamespaces[1] is "Vision": write the name of a namespace, such as vision`,
			`operator.yaml:3:35: watchNamespaces[2] is "*": write the name of a namespace, such as vision`,
			`operator.yaml:3:40: watchNamespaces[3] is "vision", as is watchNamespaces[0]: keep one`,
			`operator.yaml:3:48: watchNamespaces[4] is empty: write text`,
			`operator.yaml:3:51: watchNamespaces[5] is "": write the name of a namespace, such as vision`}},
		"a number for a namespace": {begin + "watchNamespaces: [42]\n", []string{
			`operator.yaml:3:19: watchNamespaces[0] is the number 42: if text is meant, put it in quotes`}},
		"too many namespaces": {begin + "watchNamespaces:\n" + lines(65, "- n%d"), []string{
			"operator.yaml:4:1: watchNamespaces has 65 namespaces: keep at most 64, or none to serve all"}},

		"a reserve": {begin + "reserve: {cpu: 1k, memory: 1Ti}\n", []string{
			`operator.yaml:3:16: reserve.cpu is 1k: write what DaemonSets take of a node, below 1k cores, such as 200m`,
			`operator.yaml:3:28: reserve.memory is 1Ti: write what DaemonSets take of a node, below 1Ti, such as 256Mi`}},
		"passing taints": {begin + "passingTaints: ['*', 'a b', x/*, x/*]\n", []string{
			`operator.yaml:3:17: passingTaints[0] is "*", which is every taint: write the key of one, such as example.com/not-ready*`,
			`operator.yaml:3:22: passingTaints[1] is "a b": write the key of a taint, in which * stands for any text, such as example.com/not-ready*`,
			`operator.yaml:3:34: passingTaints[3] is "x/*", as is passingTaints[2]: keep one`}},
		"too many passing taints": {begin + "passingTaints:\n" + lines(33, "- n%d"), []string{
			"operator.yaml:4:1: passingTaints has 33 patterns: keep at most 32"}},
		"backends": {begin + "gpu: {evenBackends: [vllm, ' ', VLLM]}\n", []string{
			`operator.yaml:3:28: gpu.evenBackends[1] is " ": write the backend of a task, such as vllm`,
			`operator.yaml:3:33: gpu.evenBackends[2] is "VLLM", as is gpu.evenBackends[0]: keep one`}},
		"accelerators": {begin + "gpu:\n  accelerators:\n  - {label: a b, value: '', memory: 8}\n  - {label: x, value: y, memory: 1Gi, count: 65}\n" +
			"  - {label: x, value: y, memory: 1Gi}\n", []string{
			`operator.yaml:5:13: gpu.accelerators[0].label is "a b": write the key of a label of nodes, such as cloud.google.com/gke-accelerator`,
			`operator.yaml:5:25: gpu.accelerators[0].value is "": write at most 63 letters, digits, '-', '_' and '.', a letter or digit first and last`,
			`operator.yaml:5:37: gpu.accelerators[0].memory is 8: write the memory of one GPU, from 1Mi to below 1Ti; did you mean "8Mi"?`,
			`operator.yaml:6:46: gpu.accelerators[1].count is 65: write the number of GPUs on one node, from 1 to 64, or leave it out`,
			`operator.yaml:7:23: gpu.accelerators[2].value is "y", as is gpu.accelerators[1].value: keep one`}},

		"a resource without a domain": {fmt.Sprintf(resourceName, "cpu"), []string{
			`operator.yaml:3:21: gpu.resourceName is "cpu": write the domain and the name of an extended resource, such as nvidia.com/gpu`}},
		"a resource with two slashes": {fmt.Sprintf(resourceName, "a.com/b/c"), []string{
			`operator.yaml:3:21: gpu.resourceName is "a.com/b/c": write the domain and the name of an extended resource, such as nvidia.com/gpu`}},
		"a resource of quotas": {fmt.Sprintf(resourceName, "requests.nvidia.com/gpu"), []string{
			`operator.yaml:3:21: gpu.resourceName is "requests.nvidia.com/gpu": write the domain and the name of an extended resource, such as nvidia.com/gpu`}},
		"a resource too long for quotas": {fmt.Sprintf(resourceName, strings.Repeat("a.", 122)+"a/gpu"), []string{
			`operator.yaml:3:21: gpu.resourceName is "` + strings.Repeat("a.", 32) + `…": write the domain and the name of an extended resource, such as nvidia.com/gpu`}},
		"a resource of Kubernetes": {fmt.Sprintf(resourceName, "gpu.kubernetes.io/gpu"), []string{
			`operator.yaml:3:21: gpu.resourceName is "gpu.kubernetes.io/gpu": the domain kubernetes.io is Kubernetes' own; write the resource of a device ` +
				`plugin, such as nvidia.com/gpu`}},
		"a MIG slice": {fmt.Sprintf(resourceName, "nvidia.com/mig-1g.5gb"), []string{
			`operator.yaml:3:21: gpu.resourceName is "nvidia.com/mig-1g.5gb", which is a MIG slice: write the resource of whole GPUs, such as nvidia.com/gpu; ` +
				`slices are found beside it`}},
		"shared GPUs": {fmt.Sprintf(resourceName, "nvidia.com/gpu.shared"), []string{
			`operator.yaml:3:21: gpu.resourceName is "nvidia.com/gpu.shared", which are shared GPUs: write it without .shared, and say with gpu.sharing whether ` +
				`they may be used`}},

		"shards too small":        {fmt.Sprintf(shardSize, "16383"), []string{"operator.yaml:3:23: registry.shardSize is 16383: write a size from 16Ki to 1Mi"}},
		"shards too large":        {fmt.Sprintf(shardSize, "1025Ki"), []string{"operator.yaml:3:23: registry.shardSize is 1025Ki: write a size from 16Ki to 1Mi"}},
		"shards of none":          {fmt.Sprintf(shardSize, "0"), []string{"operator.yaml:3:23: registry.shardSize is 0: write a size from 16Ki to 1Mi"}},
		"shards without a unit":   {fmt.Sprintf(shardSize, "256"), []string{"operator.yaml:3:23: registry.shardSize is 256: write a size from 16Ki to 1Mi; did you mean \"256Ki\"?"}},
		"shards beyond all sizes": {fmt.Sprintf(shardSize, "999999999999999999Ei"), []string{"operator.yaml:3:23: registry.shardSize is 9223372036854775807: write a size from 16Ki to 1Mi"}},

		"tolerations": {begin + `gpu:
  tolerations:
  - {operator: Exists}
  - {key: "", operator: Exists}
  - {key: node.kubernetes.io/not-ready, operator: Exists}
  - {key: a b, operator: Exists}
  - {key: a, operator: exists}
  - {key: a, operator: Gt, value: "5"}
  - {key: a, operator: Exists, value: b}
  - {key: a, value: b c}
  - {key: a, effect: NoScheduling}
  - {key: a, tolerationSeconds: 5}
  - {key: a, effect: NoSchedule, tolerationSeconds: -5}
  - {}
  - {key: a, effect: 1, tolerationSeconds: 5}
`, []string{
			"operator.yaml:5:5: gpu.tolerations[0].key is missing: write the key of a taint; without one, a Pod would tolerate every taint",
			"operator.yaml:6:11: gpu.tolerations[1].key is empty, so that a Pod would tolerate every taint: write the key of one",
			`operator.yaml:7:11: gpu.tolerations[2].key is "node.kubernetes.io/not-ready", by which Kubernetes keeps Pods off nodes that are not well: remove the ` +
				`toleration`,
			`operator.yaml:8:11: gpu.tolerations[3].key is "a b": write the key of a taint, such as nvidia.com/gpu or dedicated`,
			`operator.yaml:9:24: gpu.tolerations[4].operator is "exists": write Exists or Equal`,
			`operator.yaml:10:24: gpu.tolerations[5].operator is "Gt": write Exists or Equal`,
			`operator.yaml:11:39: gpu.tolerations[6].value is "b", but the operator Exists takes none: remove it, or write operator: Equal`,
			`operator.yaml:12:21: gpu.tolerations[7].value is "b c": write at most 63 letters, digits, '-', '_' and '.', a letter or digit first and last`,
			`operator.yaml:13:22: gpu.tolerations[8].effect is "NoScheduling": write NoSchedule, PreferNoSchedule or NoExecute, or leave it out for all of them`,
			"operator.yaml:14:33: gpu.tolerations[9].tolerationSeconds is 5, but only taints with the effect NoExecute are tolerated for a time: remove it, " +
				"or write effect: NoExecute",
			"operator.yaml:15:53: gpu.tolerations[10].tolerationSeconds is -5, but only taints with the effect NoExecute are tolerated for a time: remove it, " +
				"or write effect: NoExecute",
			"operator.yaml:16:5: gpu.tolerations[11].key is missing: write the key of a taint; without one, a Pod would tolerate every taint",
			"operator.yaml:17:22: gpu.tolerations[12].effect is the number 1: if text is meant, put it in quotes"}},
		"a profile's toleration": {begin + "gpu: {profiles: [{name: a, memory: 1Gi, count: 1, nodeSelector: {a: a}, tolerations: [{effect: NoSchedule}]}]}\n", []string{
			"operator.yaml:3:87: gpu.profiles[0].tolerations[0].key is missing: write the key of a taint; without one, a Pod would tolerate every taint"}},
		"too many tolerations": {begin + "gpu:\n  tolerations:\n" + lines(33, "  - {key: a%d}"), []string{
			"operator.yaml:5:3: gpu.tolerations has 33 tolerations: keep at most 32"}},

		"rules for predictors": {begin + `predictor:
  rules:
  - {}
  - {contains: "", toolType: ""}
  - {contains: llm process, toolType: a}
  - {contains: 图像, toolType: a}
  - {contains: 42, toolType: [a]}
  - {contains: ~, toolType: ~}
  - {contains: ` + strings.Repeat("x", 254) + `, toolType: ` + strings.Repeat("é", 254) + `}
  - ocr
  - {contain: a, toolType: a}
`, []string{
			"operator.yaml:5:5: predictor.rules[0].contains is missing: write a part of the names of tasks, such as llm_process",
			"operator.yaml:5:5: predictor.rules[0].toolType is missing: write malearn's tool type, such as llm_process",
			`operator.yaml:6:16: predictor.rules[1].contains is "": write a part of the names of tasks, such as llm_process: ` + ofName,
			`operator.yaml:6:30: predictor.rules[1].toolType is "": write malearn's tool type, such as llm_process: at most 253 characters`,
			`operator.yaml:7:16: predictor.rules[2].contains is "llm process": write a part of the names of tasks, such as llm_process: ` + ofName,
			`operator.yaml:8:16: predictor.rules[3].contains is "图像": write a part of the names of tasks, such as llm_process: ` + ofName,
			"operator.yaml:9:16: predictor.rules[4].contains is the number 42: if text is meant, put it in quotes",
			"operator.yaml:9:30: predictor.rules[4].toolType is a list: write text",
			"operator.yaml:10:5: predictor.rules[5].contains is missing: write a part of the names of tasks, such as llm_process",
			"operator.yaml:10:5: predictor.rules[5].toolType is missing: write malearn's tool type, such as llm_process",
			`operator.yaml:11:16: predictor.rules[6].contains is "` + long + `…": write a part of the names of tasks, such as llm_process: ` + ofName,
			`operator.yaml:11:282: predictor.rules[6].toolType is "` + strings.Repeat("é", 64) + `…": write malearn's tool type, such as llm_process: at most 253 characters`,
			`operator.yaml:12:5: predictor.rules[7] is "ocr": write names with values, such as {name: value}`,
			"operator.yaml:13:5: predictor.rules[8].contains is missing: write a part of the names of tasks, such as llm_process",
			"operator.yaml:13:6: predictor.rules[8].contain is not a field; did you mean \"contains\"? the fields of predictor.rules[8] are contains, toolType"}},
		"rules for predictors that never count": {begin + `predictor:
  rules:
  - {contains: llm, toolType: a}
  - {contains: vlm_process, toolType: b}
  - {contains: vlm, toolType: c}
  - {contains: llm, toolType: d}
  - {contains: LLM_process, toolType: e}
  - {contains: vl, toolType: f}
  - {contains: my_llm_and_vlm, toolType: g}
`, []string{
			`operator.yaml:8:16: predictor.rules[3].contains is "llm", as is predictor.rules[0].contains: keep one`,
			`operator.yaml:11:16: predictor.rules[6].contains is "my_llm_and_vlm", of which predictor.rules[0].contains, "llm", is a part, so that this rule ` +
				"never counts: move it before that one, or remove it"}},
		"no list of rules":              {begin + "predictor: {rules: ocr}\n", []string{`operator.yaml:3:20: predictor.rules is "ocr": write a list, such as [a, b]`}},
		"too many rules for predictors": {begin + "predictor:\n  rules:\n" + lines(65, "  - {contains: a%02d, toolType: a}"), []string{"operator.yaml:5:3: predictor.rules has 65 rules: keep at most 64"}},
		"an empty profile": {begin + "gpu:\n  profiles:\n  - {}\n", []string{
			"operator.yaml:5:5: gpu.profiles[0].count is missing: write the number of GPUs on one node",
			"operator.yaml:5:5: gpu.profiles[0].memory is missing: write the memory of one GPU, such as 23034Mi",
			"operator.yaml:5:5: gpu.profiles[0].name is missing: write a name such as l4",
			"operator.yaml:5:5: gpu.profiles[0].nodeSelector is missing: write the labels that only the nodes of the pool have"}},
		"too many profiles": {begin + "gpu:\n  profiles:\n" + lines(65, "  - {name: l%[1]d, memory: 1Gi, count: 1, nodeSelector: {a: l%[1]d}}"), []string{
			"operator.yaml:5:3: gpu.profiles has 65 profiles: keep at most 64"}},
		"names": {profile +
			"  - {name: A_b, memory: 1Gi, count: 1, nodeSelector: {a: b}}\n" +
			"  - {name: l4, memory: 1Gi, count: 1, nodeSelector: {a: c}}\n" +
			"  - {name: l4, memory: 1Gi, count: 1, nodeSelector: {a: d}}\n", []string{
			`operator.yaml:6:12: gpu.profiles[1].name is "A_b": write at most 63 lower-case letters, digits and '-', a letter or digit first and last, such as l4-spot`,
			`operator.yaml:7:12: gpu.profiles[2].name is "l4", as is gpu.profiles[0].name: give each profile a name of its own`,
			`operator.yaml:8:12: gpu.profiles[3].name is "l4", as is gpu.profiles[0].name: give each profile a name of its own`}},
		"memory": {begin + `gpu:
  profiles:
  - {name: a, nodeSelector: {a: a}, count: 1, memory: 23034}
  - {name: b, nodeSelector: {a: b}, count: 1, memory: 1023Ki}
  - {name: c, nodeSelector: {a: c}, count: 1, memory: 1Ti}
  - {name: d, nodeSelector: {a: d}, count: 1, memory: 0.5}
  - {name: e, nodeSelector: {a: e}, count: 1, memory: 0}
`, []string{
			"operator.yaml:5:55: gpu.profiles[0].memory is 23034: write the memory of one GPU, from 1Mi to below 1Ti; did you mean \"23034Mi\"?",
			"operator.yaml:6:55: gpu.profiles[1].memory is 1023Ki: write the memory of one GPU, from 1Mi to below 1Ti",
			"operator.yaml:7:55: gpu.profiles[2].memory is 1Ti: write the memory of one GPU, from 1Mi to below 1Ti",
			"operator.yaml:8:55: gpu.profiles[3].memory is 500m: write the memory of one GPU, from 1Mi to below 1Ti",
			"operator.yaml:9:55: gpu.profiles[4].memory is 0: write the memory of one GPU, from 1Mi to below 1Ti"}},
		"counts": {begin + `gpu:
  profiles:
  - {name: a, memory: 1Gi, nodeSelector: {a: a}, count: 0}
  - {name: b, memory: 1Gi, nodeSelector: {a: b}, count: 65}
  - {name: c, memory: 1Gi, nodeSelector: {a: c}, count: -1}
`, []string{
			"operator.yaml:5:57: gpu.profiles[0].count is 0: write the number of GPUs on one node, from 1 to 64",
			"operator.yaml:6:57: gpu.profiles[1].count is 65: write the number of GPUs on one node, from 1 to 64",
			"operator.yaml:7:57: gpu.profiles[2].count is -1: write the number of GPUs on one node, from 1 to 64"}},
		"node selectors": {begin + `gpu:
  profiles:
  - {name: a, memory: 1Gi, count: 1, nodeSelector: {}}
  - {name: b, memory: 1Gi, count: 1, nodeSelector: {a b: c, d: -e, "` + long + `": f, g/h: i, ok: ok}}
  - {name: c, memory: 1Gi, count: 1, nodeSelector: {a: b, c: d}}
  - {name: d, memory: 1Gi, count: 1, nodeSelector: {c: d, a: b}}
  - {name: e, memory: 1Gi, count: 1, nodeSelector: {a: b}}
  - name: f
    memory: 1Gi
    count: 1
    nodeSelector:
` + lines(17, "      a%d: b"), []string{
			"operator.yaml:5:52: gpu.profiles[0].nodeSelector is empty: write the labels that only the nodes of the pool have",
			`operator.yaml:6:58: gpu.profiles[1].nodeSelector["a b"] is not a label of nodes: write a label's key, such as cloud.google.com/gke-accelerator`,
			`operator.yaml:6:64: gpu.profiles[1].nodeSelector[d] is "-e": write at most 63 letters, digits, '-', '_' and '.', a letter or digit first and last`,
			"operator.yaml:6:136: gpu.profiles[1].nodeSelector[" + long + "] is not a label of nodes: write a label's key, such as " +
				"cloud.google.com/gke-accelerator",
			"operator.yaml:8:52: gpu.profiles[3].nodeSelector is that of gpu.profiles[2]: write labels that only the nodes of one pool have, or keep one of " +
				"the two profiles",
			"operator.yaml:14:7: gpu.profiles[5].nodeSelector has 17 labels: keep at most 16"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) { wantErrors(t, tc.content, tc.want) })
	}
}

func TestLimitsAreReached(t *testing.T) {
	tests := map[string]string{
		"the smallest shards": begin + "registry: {shardSize: 16Ki}\n",
		"the largest shards":  begin + "registry: {shardSize: 1Mi}\n",
		"profiles":            begin + "gpu:\n  profiles:\n" + lines(64, "  - {name: l%[1]d, memory: 1Gi, count: 1, nodeSelector: {a: l%[1]d}}"),
		"tolerations":         begin + "gpu:\n  tolerations:\n" + lines(32, "  - {key: a%d, operator: Exists}"),
		"the least GPUs":      begin + "gpu: {profiles: [{name: a, memory: 1Mi, count: 1, nodeSelector: {a: b}}]}\n",
		"the most GPUs":       begin + "gpu: {profiles: [{name: a, memory: 1048575.9Mi, count: 64, nodeSelector: {a: b}}]}\n",
		"labels":              begin + "gpu:\n  profiles:\n  - name: a\n    memory: 1Gi\n    count: 1\n    nodeSelector:\n" + lines(16, "      a%d: b"),
	}
	for name, content := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := Load("operator.yaml", []byte(content)); err != nil {
				t.Error(err)
			}
		})
	}
}
