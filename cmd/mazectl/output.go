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
	existing, err := os.Stat(output)
	if err != nil || !existing.Mode().IsRegular() { // there is nothing to lose
		return nil
	}
	refuse := func(input string) error {
		return fmt.Errorf("--output-file %s would overwrite the input %s; choose another file", output, input)
	}
	for _, input := range inputs {
		if info, err := os.Stat(input); err == nil && os.SameFile(existing, info) {
			return refuse(input)
		}
	}
	if file, ok := stdin.(*os.File); ok {
		if info, err := file.Stat(); err == nil && os.SameFile(existing, info) {
			return refuse(stdinName)
		}
	}
	return nil
}
