package terminal

import (
	"errors"
	"io/fs"
)

// ErrIrregular is why a file of a folder is not read.
var ErrIrregular = errors.New("it is no regular file, and not read in a folder; give it by its name")

// IsReadable reports whether a file that nobody named can be read: a named pipe would wait for whoever writes into it, and a device may
// have no end.
func IsReadable(info fs.FileInfo) bool {
	return info.Mode()&(fs.ModeNamedPipe|fs.ModeSocket|fs.ModeDevice|fs.ModeIrregular) == 0
}
