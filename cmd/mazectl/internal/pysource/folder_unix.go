//go:build unix

package pysource

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// readFolder returns what is in a folder. Of a folder that was opened below an os.Root, ReadDir would ask for the state of each file, to
// be safe from links; the kind, which the folder itself tells, is all that is wanted here.
func readFolder(folder *os.File) (entries []fs.DirEntry, err error) {
	connection, err := folder.SyscallConn()
	if err != nil {
		return nil, err
	}
	fd, failed := -1, error(nil)
	if err := connection.Control(func(original uintptr) { fd, failed = syscall.Dup(int(original)) }); err != nil || failed != nil {
		return nil, errors.Join(err, failed)
	}
	syscall.CloseOnExec(fd)
	copied := os.NewFile(uintptr(fd), folder.Name())
	defer func() { err = errors.Join(err, copied.Close()) }()
	return copied.ReadDir(-1)
}
