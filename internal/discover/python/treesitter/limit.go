// Package treesitter is tree-sitter's Python parser, translated to Go by hack/pythonparser.
package treesitter

const pageSize = 64 << 10

// SetMaxMemory bounds what the module's memory may grow to, in bytes.
func (m *Module) SetMaxMemory(bytes int) { m.maxPages = int64(bytes / pageSize) }
