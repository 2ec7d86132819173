package registry

import (
	"testing"
	"time"
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
