// Package version says what version of this project a program is.
package version

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// number is set by the linker where a version is given out:
// -ldflags '-X github.com/maze-agent/maregister/internal/version.number=v1.2.3'
var number string

// String tells the version, what compiled the program and for what, and the commit where the Go toolchain knew it.
func String() string {
	info, _ := debug.ReadBuildInfo()
	return describe(number, info)
}

// describe prefers the linker's number to that which "go install MODULE@VERSION" writes into a program.
func describe(number string, info *debug.BuildInfo) string {
	revision := ""
	if info != nil {
		if number == "" {
			number = info.Main.Version
		}
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				revision = ", commit " + setting.Value
			}
		}
	}
	if number == "" {
		number = "unknown"
	}
	return fmt.Sprintf("%s (%s, %s/%s%s)", number, runtime.Version(), runtime.GOOS, runtime.GOARCH, revision)
}
