//go:build sources

package main

// The C sources of these two modules are what is compiled.
import (
	_ "github.com/tree-sitter/go-tree-sitter"
	_ "github.com/tree-sitter/tree-sitter-python/bindings/go"
)
