package pysource

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
)

// maxSource is the size of the largest file that is read, in bytes. No one writes such files: they are generated.
const maxSource = 4 << 20

// fileReader reads files below a package root, one at a time. The zero value but for root is ready to use.
type fileReader struct {
	root *packageRoot
	// folder is that of the last file, and opened the same, so that the next one is opened from there: from the root, each folder on the way
	// would be opened, too. opened is nil if there is none.
	folder string
	opened *os.Root
	buffer []byte
}

// close closes what is open. The reader can be used again.
func (r *fileReader) close() {
	if r.opened != nil {
		_ = r.opened.Close() // it was only read
		r.opened = nil
	}
}

// open opens a file. It does not wait for whoever may write into a pipe that took the place of the file since it was listed.
func (r *fileReader) open(name string) (*os.File, error) {
	const flags = os.O_RDONLY | syscall.O_NONBLOCK
	folder, base := path.Split(name)
	if folder = path.Clean(folder); folder != r.folder || r.opened == nil {
		r.close()
		r.folder = folder
		r.opened, _ = r.root.OpenRoot(filepath.FromSlash(folder))
	}
	if r.opened != nil {
		if file, err := r.opened.OpenFile(base, flags, 0); err == nil {
			return file, nil
		}
	}
	return r.root.OpenFile(filepath.FromSlash(name), flags, 0) // it may be a symbolic link to another folder by now
}

// read returns the content of a file, until the next call.
func (r *fileReader) read(name string) (source []byte, err error) {
	file, err := r.open(name)
	if err != nil {
		return nil, unreadable(err)
	}
	defer func() { _ = file.Close() }() // it was only read
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, unreadable(err)
	case !info.Mode().IsRegular():
		return nil, errors.New(notRegular(info.Mode()))
	case info.Size() > maxSource:
		return nil, tooLarge(fmt.Sprintf("%d bytes", info.Size()))
	}
	if cap(r.buffer) <= int(info.Size()) {
		r.buffer = make([]byte, 0, info.Size()+1) // to see the end
	}
	source = r.buffer[:0]
	for {
		if len(source) == cap(source) {
			source = append(source, 0)[:len(source)]
		}
		n, err := file.Read(source[len(source):cap(source)])
		source = source[:len(source)+n]
		isWhole := len(source) == int(info.Size()) && len(source) < cap(source) // there was room for more
		switch {
		case len(source) > maxSource:
			return nil, tooLarge("and growing")
		case errors.Is(err, io.EOF), err == nil && n > 0 && isWhole:
			r.buffer = source
			return source, nil
		case err != nil:
			return nil, unreadable(err)
		}
	}
}

// Text returns the text of a source that is named as findings name it. Nil if it cannot be had.
func Text(name string) []byte {
	name = filepath.FromSlash(name)
	if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() || info.Size() > maxSource {
		return nil
	}
	content, err := os.ReadFile(name)
	if err != nil {
		return nil
	}
	return content
}

var errGone = errors.New("the file is gone since the folder was listed; run this again")

func unreadable(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return errGone
	}
	return fmt.Errorf("the file cannot be read: %w; correct that", terminal.Cause(err))
}

func tooLarge(size string) error {
	return fmt.Errorf("the file is larger (%s) than the %d MiB that are read; split it", size, maxSource>>20)
}
