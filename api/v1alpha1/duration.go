package v1alpha1

import (
	"strings"
	"time"
)

// Duration is a length of time as people write it: 90s, 10m, 1h30m, 500ms. It is a text and no number, so that a manifest says what its author
// wrote, and that one which was stored before the CRD had its rules does not keep the other tasks from being read.
type Duration string

// NewDuration returns the shortest text of a length of time, in whole milliseconds: 10m, and not 10m0s.
func NewDuration(length time.Duration) Duration {
	text := length.Round(time.Millisecond).String()
	if trimmed, ok := strings.CutSuffix(text, "m0s"); ok {
		text = trimmed + "m"
	}
	if trimmed, ok := strings.CutSuffix(text, "h0m"); ok {
		text = trimmed + "h"
	}
	return Duration(text)
}

// Length returns the length of time. It is 0 for an empty text, and for one that the CRD refuses.
func (d Duration) Length() time.Duration {
	length, err := time.ParseDuration(string(d))
	if err != nil || length < 0 {
		return 0
	}
	return length
}
