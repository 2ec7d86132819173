package version

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestDescribe(t *testing.T) {
	built := &debug.BuildInfo{
		Main: debug.Module{Version: "v1.1.0"}, Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}},
	}
	platform := runtime.Version() + ", " + runtime.GOOS + "/" + runtime.GOARCH
	cases := map[string]struct {
		number   string
		revision string
		info     *debug.BuildInfo
		want     string
	}{
		"From the linker":          {number: "v1.2.3", info: built, want: "v1.2.3 (" + platform + ", commit abc)"},
		"A commit from the linker": {revision: "def", info: built, want: "v1.1.0 (" + platform + ", commit def)"},
		"From go install":          {info: built, want: "v1.1.0 (" + platform + ", commit abc)"},
		"Without what Go writes":   {number: "v1.2.3", want: "v1.2.3 (" + platform + ")"},
		"Unknown":                  {want: "unknown (" + platform + ")"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := read(tc.number, tc.revision, tc.info).describe(); got != tc.want {
				t.Errorf("want %q, got %q", tc.want, got)
			}
		})
	}
}
