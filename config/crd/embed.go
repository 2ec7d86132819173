// Package crd holds the CustomResourceDefinition of MazeTasks, for programs that judge by it.
package crd

import _ "embed"

// MazeTasks is the definition in YAML, as it is installed in a cluster.
//
//go:embed registry.mazeagent.net_mazetasks.yaml
var MazeTasks []byte
