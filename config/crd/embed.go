// Package crd holds the CustomResourceDefinitions of MazeTasks and MazeWorkflows, for programs that judge by them.
package crd

import _ "embed"

// MazeTasks is the definition of MazeTasks in YAML, as it is installed in a cluster.
//
//go:embed registry.mazeagent.net_mazetasks.yaml
var MazeTasks []byte

// MazeWorkflows is that of MazeWorkflows.
//
//go:embed registry.mazeagent.net_mazeworkflows.yaml
var MazeWorkflows []byte
