package v1alpha1_test

import (
	"testing"
	"time"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

func TestDuration(t *testing.T) {
	for written, want := range map[v1alpha1.Duration]struct {
		length time.Duration
		text   v1alpha1.Duration
	}{
		"600s":        {10 * time.Minute, "10m"},
		"90m":         {90 * time.Minute, "1h30m"},
		"1.5h":        {90 * time.Minute, "1h30m"},
		"60m":         {time.Hour, "1h"},
		"3601s":       {time.Hour + time.Second, "1h0m1s"},
		"500ms":       {500 * time.Millisecond, "500ms"},
		"1s500ms":     {1500 * time.Millisecond, "1.5s"},
		"10s":         {10 * time.Second, "10s"},
		"100m0s":      {100 * time.Minute, "1h40m"},
		"8760h":       {8760 * time.Hour, "8760h"},
		"0s":          {0, "0s"},
		"":            {0, "0s"},
		"soon":        {0, "0s"},
		"-1s":         {0, "0s"},
		"9999999999h": {0, "0s"},
	} {
		if got := written.Length(); got != want.length {
			t.Errorf("%q: length %s, want %s", written, got, want.length)
		}
		if got := v1alpha1.NewDuration(written.Length()); got != want.text {
			t.Errorf("%q: %s, want %s", written, got, want.text)
		}
	}
}
