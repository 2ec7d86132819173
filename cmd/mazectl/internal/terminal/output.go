package terminal

import (
	"fmt"
	"os"
)

// Output writes the result to a file, or to the standard output if the file has no name.
func (t Terminal) Output(file string, content []byte) error {
	if file != "" {
		return os.WriteFile(file, content, 0o666)
	}
	_, err := t.Out.Write(content)
	return err
}

// RefuseOverwriting returns an error if a file to write to is one of those that are read, or the standard input.
func (t Terminal) RefuseOverwriting(output string, inputs []string) error {
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
	if file, ok := t.In.(*os.File); ok {
		if info := regular(file.Stat()); info != nil && os.SameFile(existing, info) {
			return refuse(StdinName)
		}
	}
	return nil
}

// regular returns nil for all but a file that is there, and is no pipe or the like.
func regular(info os.FileInfo, err error) os.FileInfo {
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	return info
}
