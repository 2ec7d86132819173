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

// revision is set in the same way, as Go does not know the commit where there is no .git, as in an image's build.
var revision string

// Build is what a program was made from.
type Build struct {
	// Version is such as v1.2.3; "unknown" where nobody gave one.
	Version string
	// Revision is the commit; empty where the Go toolchain did not know it.
	Revision string
	// Go is the version of the toolchain.
	Go string
}

// Get returns what this program was made from.
func Get() Build {
	info, _ := debug.ReadBuildInfo()
	return read(number, revision, info)
}

// String returns the version, what compiled the program and for what, and the commit where the Go toolchain knew it.
func String() string { return Get().describe() }

// read prefers what the linker was given to what the Go toolchain, or "go install MODULE@VERSION", writes into a program.
func read(number, revision string, info *debug.BuildInfo) Build {
	build := Build{Version: number, Revision: revision, Go: runtime.Version()}
	if info != nil {
		if number == "" {
			build.Version = info.Main.Version
		}
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" && revision == "" {
				build.Revision = setting.Value
			}
		}
	}
	if build.Version == "" {
		build.Version = "unknown"
	}
	return build
}

func (b Build) describe() string {
	commit := ""
	if b.Revision != "" {
		commit = ", commit " + b.Revision
	}
	return fmt.Sprintf("%s (%s, %s/%s%s)", b.Version, b.Go, runtime.GOOS, runtime.GOARCH, commit)
}
