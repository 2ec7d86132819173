package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// workflow is what is to be run, in the format of Maze's description: {"nodes": [{"id", "func", "args"}]}.
type workflow struct {
	// run tells this run of the workflow from others. Whoever runs the same run creates the same Pods.
	run string
	// nodes come each after those that it needs.
	nodes []*node
}

// node is one call of a task.
type node struct {
	ID string `json:"id"`
	// Func is the spec.name of the task.
	Func string          `json:"func"`
	Args json.RawMessage `json:"args"`
	// needs are the ids of the nodes whose outputs are among the arguments, sorted, and uses are these outputs.
	needs []string
	uses  []use
}

// use is an output of another node.
type use struct{ node, output string }

// readWorkflow reads a workflow. It checks no more than is needed to run it: `mazectl dag check` tells of everything that is wrong, and
// should have the first word. Without a run's name, its content is the name: the same workflow is then the same run.
func readWorkflow(content []byte, run string) (*workflow, error) {
	var file struct {
		Nodes  []*node
		Edges  json.RawMessage
		Schema json.RawMessage
	}
	if err := json.Unmarshal(content, &file); err != nil {
		return nil, fmt.Errorf("the workflow cannot be read: %w", err)
	}
	if file.Edges != nil || file.Schema != nil {
		return nil, errors.New(`only workflows of "nodes" with "id", "func" and "args" are read here, without "edges" and "schema"`)
	}
	if len(file.Nodes) == 0 {
		return nil, errors.New(`the workflow has no "nodes"`)
	}
	byID := map[string]*node{}
	for i, n := range file.Nodes {
		switch {
		case n == nil || n.ID == "" || n.Func == "":
			return nil, fmt.Errorf(`node %d of the workflow has no "id" or no "func"`, i+1)
		case byID[n.ID] != nil:
			return nil, fmt.Errorf("two nodes have the id %q", n.ID)
		}
		byID[n.ID] = n
		if err := n.readArguments(); err != nil {
			return nil, err
		}
	}
	nodes, err := ordered(file.Nodes, byID)
	if err != nil {
		return nil, err
	}
	if run == "" {
		run = contentName(file.Nodes)
	} else if len(validation.IsValidLabelValue(run)) > 0 {
		return nil, fmt.Errorf("the run's name %q cannot be a label of its Pods: take at most %d letters, digits, \"-\", \"_\" and \".\", "+
			"with a letter or digit at both ends", run, validation.LabelValueMaxLength)
	}
	return &workflow{run: run, nodes: nodes}, nil
}

// reference is a string that stands for another node's output: node.output.key, or node.output.key[n].
var reference = regexp.MustCompile(`^([A-Za-z0-9_-]+)\.output\.([^\s\[\]/\\]+)(?:\[[0-9]{1,9}\])?$`)

// readArguments finds the references, which are arguments by themselves or items of a list.
func (n *node) readArguments() error {
	arguments := map[string]any{}
	if len(n.Args) > 0 {
		if err := json.Unmarshal(n.Args, &arguments); err != nil {
			return fmt.Errorf(`node %q: "args" is no object: %w`, n.ID, err)
		}
	}
	if arguments == nil || n.Args == nil { // null counts as nothing
		n.Args = json.RawMessage("{}")
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, n.Args); err != nil {
		return err
	}
	n.Args = compact.Bytes()
	for _, argument := range arguments {
		items, isList := argument.([]any)
		if !isList {
			items = []any{argument}
		}
		for _, item := range items {
			text, _ := item.(string)
			if match := reference.FindStringSubmatch(text); match != nil {
				n.needs, n.uses = append(n.needs, match[1]), append(n.uses, use{match[1], match[2]})
			}
		}
	}
	slices.Sort(n.needs)
	n.needs = slices.Compact(n.needs)
	return nil
}

// ordered returns the nodes with each after those that it needs, and otherwise as they are written.
func ordered(nodes []*node, byID map[string]*node) ([]*node, error) {
	var sorted []*node
	done, path := map[string]bool{}, []string{}
	var visit func(n *node) error
	visit = func(n *node) error {
		if done[n.ID] {
			return nil
		}
		if i := slices.Index(path, n.ID); i >= 0 {
			return fmt.Errorf("nodes need each other in a circle: %s", strings.Join(append(path[i:], n.ID), ", "))
		}
		path = append(path, n.ID)
		for _, id := range n.needs {
			if byID[id] == nil {
				return fmt.Errorf("node %q refers to an output of node %q, which there is not", n.ID, id)
			}
			if err := visit(byID[id]); err != nil {
				return err
			}
		}
		path = path[:len(path)-1]
		done[n.ID] = true
		sorted = append(sorted, n)
		return nil
	}
	for _, n := range nodes {
		if err := visit(n); err != nil {
			return nil, err
		}
	}
	return sorted, nil
}

// only leaves the nodes with the given ids and those that they need; all where none is given.
func (w *workflow) only(ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	wanted := map[string]bool{}
	for _, id := range ids {
		wanted[id] = true
	}
	for _, n := range slices.Backward(w.nodes) { // those that need come before those that are needed
		if wanted[n.ID] {
			for _, id := range n.needs {
				wanted[id] = true
			}
		}
	}
	for _, id := range ids {
		if !slices.ContainsFunc(w.nodes, func(n *node) bool { return n.ID == id }) {
			return fmt.Errorf("the workflow has no node %q", id)
		}
	}
	w.nodes = slices.DeleteFunc(w.nodes, func(n *node) bool { return !wanted[n.ID] })
	return nil
}

// contentName returns a name that other workflows do not have.
func contentName(nodes []*node) string {
	content, _ := json.Marshal(nodes) // cannot fail: it was JSON
	return shortHash(string(content))
}

// shortHash returns ten hexadecimal digits.
func shortHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:5])
}
