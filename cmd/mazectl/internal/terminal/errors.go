package terminal

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	utilerrors "k8s.io/apimachinery/pkg/util/errors"
)

// Cause returns an error without the name of the file, which stands before it.
func Cause(err error) error {
	if wrapped, ok := errors.AsType[*fs.PathError](err); ok {
		return wrapped.Err
	}
	return err
}

// WhatToDo returns what to do about a file or a folder that cannot be read, to be appended to why. Empty if the reason says it all.
func WhatToDo(name string, err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if info, err := os.Lstat(name); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return "; it is a link that leads nowhere: correct the link, or remove it"
		}
		return "; check the path"
	case errors.Is(err, fs.ErrPermission):
		return "; change its permissions, or leave it out"
	case errors.Is(err, syscall.ELOOP):
		return "; it is a link that leads back to itself: correct the link, or remove it"
	case errors.Is(err, syscall.ENOTDIR):
		return "; a part of the path is a file: check the path"
	}
	return ""
}

// Errors returns the errors that an error of cli-runtime or of errors.Join is made of, or the error itself.
func Errors(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, one := range joined.Unwrap() {
			all = append(all, Errors(one)...)
		}
		return all
	}
	if aggregate, ok := errors.AsType[utilerrors.Aggregate](err); ok {
		return utilerrors.Flatten(aggregate).Errors()
	}
	return []error{err}
}
