package terminal

import (
	"errors"
	"io/fs"

	utilerrors "k8s.io/apimachinery/pkg/util/errors"
)

// Cause returns an error without the name of the file, which stands before it.
func Cause(err error) error {
	if wrapped, ok := errors.AsType[*fs.PathError](err); ok {
		return wrapped.Err
	}
	return err
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
