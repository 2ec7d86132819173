package dag

import (
	"bytes"
	"slices"
	"strings"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
)

// test reports whether a document is of one kind.
type test = func(*checker, *jsontree.Node) bool

// is makes a test for a text at the top.
func is(name string, texts ...string) test {
	return func(c *checker, v *jsontree.Node) bool { return slices.Contains(texts, c.text(v.Member(name))) }
}

// both makes a test of several that all have to hold.
func both(tests ...test) test {
	return func(c *checker, v *jsontree.Node) bool {
		return !slices.ContainsFunc(tests, func(one test) bool { return !one(c, v) })
	}
}

// without makes a test for the lack of a member.
func without(name string) test {
	return func(_ *checker, v *jsontree.Node) bool { return v.Member(name) == nil }
}

// at makes a test of what a way leads to. A * stands for the first member or item.
func at(one test, way ...string) test {
	return func(c *checker, v *jsontree.Node) bool {
		for _, name := range way {
			switch {
			case v == nil:
				return false
			case name == "*" && len(v.Children) > 0:
				v = v.Children[0]
			default:
				v = v.Member(name)
			}
		}
		return v != nil && one(c, v)
	}
}

// every makes a test that all members of an object, or all items of a list, have to pass; there is one at least.
func every(one test) test {
	return func(c *checker, v *jsontree.Node) bool {
		return len(v.Children) > 0 && !slices.ContainsFunc(v.Children, func(child *jsontree.Node) bool { return !one(c, child) })
	}
}

// someMember makes a test that one of the members has to pass.
func someMember(one test) test {
	return func(c *checker, v *jsontree.Node) bool {
		return slices.ContainsFunc(v.Children, func(child *jsontree.Node) bool { return one(c, child) })
	}
}

// someNode makes a test that one of the nodes has to pass.
func someNode(one test) test {
	return func(c *checker, v *jsontree.Node) bool {
		nodes := v.Member("nodes")
		return nodes != nil && slices.ContainsFunc(nodes.Children, func(n *jsontree.Node) bool { return one(c, n) })
	}
}

// begins makes a test for how a text of a member begins.
func begins(name string, prefixes ...string) test {
	return func(c *checker, v *jsontree.Node) bool {
		text := c.text(v.Member(name))
		return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(text, prefix) })
	}
}

const (
	// asNodes says what to do with a workflow of another platform, whose steps may be tasks here.
	asNodes = `write each of its steps that is a task as a node with "id", "func" and "args"`
	// hasNodes says what a workflow of Maze looks like.
	hasNodes = `a workflow of Maze has "nodes" with "func" and "args"`
)

// platforms are the workflows, and what is taken for them, of other platforms, by what they write. The first that fits counts. None of the
// tests fits what Maze reads.
var platforms = []stranger{
	{at(has("component_name"), "components", "*", "obj"), "an agent of RAGFlow", asNodes},
	{either(both(is("kind", "app"), has("app")), at(someNode(at(has("type"), "data")), "graph"), at(someNode(at(has("type"), "data")), "workflow", "graph")),
		"a workflow of Dify", asNodes},
	{either(has("last_tested_version"), at(someNode(is("type", "genericNode")), "data"), someNode(is("type", "genericNode"))), "a flow of Langflow", asNodes},
	{someNode(either(at(has("inputAnchors"), "data"), at(has("outputAnchors"), "data"))), "a chatflow of Flowise", asNodes},
	{either(someNode(at(has("nodeMeta"), "data")), at(has("sourceNodeID"), "edges", "*")), "a workflow of Coze", asNodes},
	{someNode(has("flowNodeType")), "a workflow of FastGPT", asNodes},
	{both(has("connections"), someNode(either(has("typeVersion"), begins("type", "n8n-nodes-", "@n8n/")))), "a workflow of n8n",
		`write its nodes with "id", "func" and "args"`},
	{either(every(has("class_type")), at(every(has("class_type")), "prompt")), "a workflow of ComfyUI", hasNodes},
	{either(has("last_node_id"), both(has("links"), someNode(has("widgets_values")))), "a workflow of ComfyUI, as its editor saves it",
		`write its nodes with "id", "func" and "args"`},
	{someNode(both(is("type", "runnable", "schema"), has("data"))), "a graph of LangGraph, as it draws itself", asNodes},
	{has("graphs", "dependencies"), "the configuration of a LangGraph application", hasNodes},
	{either(someNode(at(has("type"), "source")), someNode(has("use_variants"))), "a flow of Prompt flow", asNodes},
	{has("component_type", "provider"), "a component of AutoGen", hasNodes},
	{both(has("components", "connections"), at(begins("type", "haystack"), "components", "*")), "a pipeline of Haystack", asNodes},
	{at(has("expected_output"), "*"), "a file with the tasks of a crew of CrewAI", asNodes},
	{at(has("backstory"), "*"), "a file with the agents of a crew of CrewAI", hasNodes},
	{has("pipelineInfo", "deploymentSpec"), "a pipeline of Kubeflow", asNodes},
	{both(has("dag_id"), without("graph_definition")), "a DAG of Airflow", asNodes},
	{at(begins("type", "io.kestra"), "tasks", "*"), "a flow of Kestra", asNodes},
	{either(at(has("dsl"), "document"), has("specVersion", "states")), "a workflow of the Serverless Workflow specification", asNodes},
	{at(has("module"), "flow", "*"), "a scenario of Make", asNodes},
	{at(has("modules"), "value"), "a flow of Windmill", asNodes},
	{has("cwlVersion"), "a workflow in the Common Workflow Language", asNodes},
	{at(has("triggers", "actions"), "definition"), "a workflow of Azure Logic Apps", asNodes},
	{both(has("deployments"), at(has("entrypoint"), "deployments", "*")), "a file with the deployments of a Prefect project", hasNodes},
	{either(at(has("script"), "*"), both(has("stages"), someMember(has("script")))), "a pipeline of GitLab CI", hasNodes},
	{at(has("cmd"), "stages", "*"), "a pipeline of DVC", hasNodes},
	{at(either(has("image"), has("build")), "services", "*"), "a file of Docker Compose", hasNodes},
}

// platform reports a document that is of another platform. It reports false if it is of none.
func (c *checker) platform() bool {
	documents := []*jsontree.Node{c.root}
	if c.root.Kind == jsontree.Array && len(c.root.Children) > 0 {
		first := c.root.Children[0]
		if slices.ContainsFunc(c.root.Children, func(n *jsontree.Node) bool { return n.Member("wires") != nil }) {
			c.report(finding.MalformedDAG, c.root, nil, "this is a flow of Node-RED; %s", asNodes)
			return true
		}
		documents = append(documents, first)
	} else if c.workflow != c.root {
		documents = append(documents, c.workflow)
	}
	return slices.ContainsFunc(documents, func(v *jsontree.Node) bool { return v.Kind == jsontree.Object && c.recognise(v, platforms) })
}

// languages are texts in other languages, by how they begin.
var languages = []struct{ begins, what string }{
	{"graph ", "a drawing in Mermaid"}, {"flowchart ", "a drawing in Mermaid"}, {"```mermaid", "a drawing in Mermaid"},
	{"digraph", "a graph in DOT"}, {"strict digraph", "a graph in DOT"}, {"@startuml", "a drawing in PlantUML"},
	{"<?xml", "XML, as editors of BPMN and draw.io save it"}, {"<bpmn", "XML, as editors of BPMN save it"}, {"<mxfile", "XML, as draw.io saves it"},
	{"import ", "a source of Python"}, {"from ", "a source of Python"}, {"#!/usr/bin/env python", "a source of Python"},
}

// otherLanguage returns what a text is that is neither JSON nor a workflow in YAML. Empty if that is not known.
func otherLanguage(content []byte) string {
	content = bytes.TrimSpace(content)
	for _, one := range languages {
		if bytes.HasPrefix(content, []byte(one.begins)) {
			return one.what
		}
	}
	return ""
}
