package pysource

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
)

// maxSource is the size of the largest file that is read, in bytes. No one writes such files: they are generated.
const maxSource = 4 << 20

// readSource reads a file into the buffer, or a larger one. It does not wait for whoever may write into a pipe that took the
// place of the file since it was listed.
func (r *packageRoot) readSource(name string, buffer []byte) (source []byte, err error) {
	file, err := r.OpenFile(filepath.FromSlash(name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
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
	if cap(buffer) <= int(info.Size()) {
		buffer = make([]byte, 0, info.Size()+1) // to see the end
	}
	source = buffer[:0]
	for {
		if len(source) == cap(source) {
			source = append(source, 0)[:len(source)]
		}
		n, err := file.Read(source[len(source):cap(source)])
		source = source[:len(source)+n]
		switch {
		case len(source) > maxSource:
			return nil, tooLarge("and growing")
		case errors.Is(err, io.EOF):
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

func unreadable(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("the file is gone since the folder was listed; run this again")
	}
	return fmt.Errorf("the file cannot be read: %w; correct that, or --exclude it", terminal.Cause(err))
}

func tooLarge(size string) error {
	return fmt.Errorf("the file is larger (%s) than the %d MiB that are read; split it, or --exclude it", size, maxSource>>20)
}
