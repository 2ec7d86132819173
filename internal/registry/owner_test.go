package registry

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBeats(t *testing.T) {
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	elsewhere := noon.In(time.FixedZone("", 8*60*60))
	cases := map[string]struct {
		claim, other Claim
		want         bool
	}{
		"The newer one":                      {claim: Claim{Task: "a", Created: noon.Add(time.Second)}, other: Claim{Task: "b", Created: noon}, want: true},
		"The older one":                      {claim: Claim{Task: "b", Created: noon}, other: Claim{Task: "a", Created: noon.Add(time.Second)}},
		"Of one second, the later name":      {claim: Claim{Task: "b", Created: noon}, other: Claim{Task: "a", Created: noon}, want: true},
		"Of one second, the earlier name":    {claim: Claim{Task: "a", Created: noon}, other: Claim{Task: "b", Created: noon}},
		"A name that goes on is later":       {claim: Claim{Task: "a-2", Created: noon}, other: Claim{Task: "a", Created: noon}, want: true},
		"Names are compared by byte":         {claim: Claim{Task: "a10", Created: noon}, other: Claim{Task: "a9", Created: noon}},
		"Itself":                             {claim: Claim{Task: "a", Created: noon}, other: Claim{Task: "a", Created: noon}},
		"One moment in two time zones":       {claim: Claim{Task: "a", Created: elsewhere}, other: Claim{Task: "b", Created: noon}},
		"A time against no time":             {claim: Claim{Task: "a", Created: noon}, other: Claim{Task: "b"}, want: true},
		"Without times, as offline, by name": {claim: Claim{Task: "b"}, other: Claim{Task: "a"}, want: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := tc.claim.Beats(tc.other); got != tc.want {
				t.Errorf("Beats(...): want %t, got %t", tc.want, got)
			}
			if tc.claim.Beats(tc.other) && tc.other.Beats(tc.claim) {
				t.Error("Beats(...): each beats the other")
			}
		})
	}
}

func TestOwners(t *testing.T) {
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	claim := func(key, task string, seconds int) Claim {
		return Claim{Key: key, Task: task, Created: noon.Add(time.Duration(seconds) * time.Second)}
	}
	cases := map[string]struct {
		claims []Claim
		want   map[string]Claim
	}{
		"None":     {want: map[string]Claim{}},
		"One each": {claims: []Claim{claim("x", "a", 0), claim("y", "b", 0)}, want: map[string]Claim{"x": claim("x", "a", 0), "y": claim("y", "b", 0)}},
		"The newest of three": {
			claims: []Claim{claim("x", "c", 0), claim("x", "a", 2), claim("x", "b", 1)},
			want:   map[string]Claim{"x": claim("x", "a", 2)},
		},
		"The last name of three of one second": {
			claims: []Claim{claim("x", "b", 0), claim("x", "c", 0), claim("x", "a", 0)},
			want:   map[string]Claim{"x": claim("x", "c", 0)},
		},
		"Each key by itself": {
			claims: []Claim{claim("x", "a", 1), claim("y", "b", 0), claim("x", "b", 0), claim("y", "a", 1)},
			want:   map[string]Claim{"x": claim("x", "a", 1), "y": claim("y", "a", 1)},
		},
		"Case matters": {
			claims: []Claim{claim("x", "a", 0), claim("X", "b", 1)},
			want:   map[string]Claim{"x": claim("x", "a", 0), "X": claim("X", "b", 1)},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, Owners(tc.claims)); diff != "" {
				t.Errorf("Owners(...): -want, +got:\n%s", diff)
			}
			slices.Reverse(tc.claims)
			if diff := cmp.Diff(tc.want, Owners(tc.claims)); diff != "" {
				t.Errorf("Owners(...) of the same claims in reverse: -want, +got:\n%s", diff)
			}
		})
	}
}
