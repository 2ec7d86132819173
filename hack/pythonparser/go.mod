// The sources and the translator of the Python parser in internal/discover/python/treesitter.
module github.com/maze-agent/maregister/hack/pythonparser

go 1.26.0

require (
	github.com/tree-sitter/go-tree-sitter v0.25.0
	github.com/tree-sitter/tree-sitter-python v0.23.6
)

require (
	github.com/mattn/go-pointer v0.0.1 // indirect
	github.com/ncruces/wasm2go v0.4.20 // indirect
	golang.org/x/tools v0.52.0 // indirect
)

tool github.com/ncruces/wasm2go
