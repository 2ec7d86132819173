//go:build !unix

package pysource

import (
	"io/fs"
	"os"
)

// readFolder returns what is in a folder.
func readFolder(folder *os.File) ([]fs.DirEntry, error) { return folder.ReadDir(-1) }
