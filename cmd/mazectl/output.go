package main

import (
	"fmt"
	"io"
	"os"
)

// refuseOverwriting sees to it that a file to write to is none of those that are read, nor the standard input.
func refuseOverwriting(output string, stdin io.Reader, inputs []string) error {
	if output == "" {
		return nil
	}
	existing := regular(os.Stat(output))
	if existing == nil { // there is nothing to lose
		return nil
	}
	refuse := func(input string) error {
		return fmt.Errorf("--output-file %s would overwrite the input %s; choose another file", output, input)
	}
	for _, input := range inputs {
		if info := regular(os.Stat(input)); info != nil && os.SameFile(existing, info) {
			return refuse(input)
		}
	}
	if file, ok := stdin.(*os.File); ok {
		if info := regular(file.Stat()); info != nil && os.SameFile(existing, info) {
			return refuse(stdinName)
		}
	}
	return nil
}

// regular gives nil for all but a file that is there, and is no pipe or the like.
func regular(info os.FileInfo, err error) os.FileInfo {
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	return info
}
