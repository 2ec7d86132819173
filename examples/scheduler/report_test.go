package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestReporterTellsOnceOfEachChange(t *testing.T) {
	var out strings.Builder
	w := mustRead(t, nodes(`"a": {}`, `"bcd": {}`))
	r := newReporter(&out, func() time.Time { return time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC) }, w)
	tell := func(texts ...string) {
		var all []progress
		for i, text := range texts {
			all = append(all, progress{node: w.nodes[i], text: text})
		}
		r.tell(all)
	}
	tell("starts", "waits for a")
	r.fault(errors.New("create Pod a: quota"))
	tell("starts", "waits for a")
	r.fault(errors.New("create Pod a: quota"))
	r.fault(nil)
	tell("waits: \x1b[31m\nred", "waits for a")
	r.fault(errors.New("create Pod a: quota"))
	tell("starts", "waits for a")
	want := `15:04:05  a    starts
15:04:05  bcd  waits for a
15:04:05       create Pod a: quota
15:04:05  a    waits:  [31m red
15:04:05       create Pod a: quota
15:04:05  a    starts
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
