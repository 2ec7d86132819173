package main

import (
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// maxVariable is how many bytes Linux allows for a variable of the environment, less some for its name.
const maxVariable = 128<<10 - 64

// inputsOf returns what the nodes that a node needs have left in their termination messages, as MAZE_INPUTS has it, and why the node cannot
// run with that. Where there is a volume, executors read the whole results there.
func (s *scheduler) inputsOf(n *node, pods map[string]*corev1.Pod) (inputs, why string) {
	known := map[string]map[string]json.RawMessage{}
	for _, use := range n.uses {
		pod, _ := lastAttempt(s.workflow.run, use.node, pods)
		if pod == nil || s.claim != "" {
			continue
		}
		o := outcomeOf(pod)
		if slices.Contains(o.Omitted, use.output) {
			return "", fmt.Sprintf("the output %s of %s has no room in a termination message: give a --volume that all Pods share", use.output, use.node)
		}
		if len(o.Outputs) > 0 {
			known[use.node] = o.Outputs
		}
	}
	text, _ := json.Marshal(known) // cannot fail: it was JSON
	if size := max(len(text), len(n.Args)); size > maxVariable {
		return "", fmt.Sprintf("its arguments have %d bytes, and a variable holds %d: pass them by files, on a --volume that all Pods share", size, maxVariable)
	}
	return string(text), ""
}
