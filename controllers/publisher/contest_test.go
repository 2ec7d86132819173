package publisher

import (
	"errors"
	"fmt"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/maze-agent/maregister/internal/serving"
)

// Others change a registry whenever it was put right. It is put right ever more rarely, and after seconds the statuses tell of it, until
// nobody has changed it for long.
func TestContest(t *testing.T) {
	start := time.Unix(1000, 0)
	now := start
	var c contest
	repairs := 0
	var told time.Duration
	for now.Sub(start) < time.Minute {
		if wait := c.pause(now); wait > 0 {
			now = now.Add(wait)
		}
		c.note(now)
		repairs++
		if _, lasts := c.lasts(now); lasts && told == 0 {
			told = now.Sub(start)
		}
		now = now.Add(time.Millisecond)
	}
	if repairs < 20 || repairs > 35 {
		t.Errorf("%d repairs in a minute, want 20 to 35", repairs)
	}
	if most := contestPatience + earlyRepairPause; told < contestPatience || told > most {
		t.Errorf("told of after %s, want %s to %s", told, contestPatience, most)
	}
	left, lasts := c.lasts(now)
	if !lasts || left > contestEnd {
		t.Errorf("lasts for %s, %t", left, lasts)
	}
	now = now.Add(contestEnd)
	if _, lasts := c.lasts(now); lasts || c.pause(now) > 0 {
		t.Errorf("lasts for ever")
	}
	c.note(now)
	if c.repairs != 1 || c.pause(now) != 0 {
		t.Errorf("the next change pauses for %s", c.pause(now))
	}
}

// A few repairs, and one now and then, are nothing to tell of.
func TestContestOfFew(t *testing.T) {
	start := time.Unix(1000, 0)
	for name, pauses := range map[string][]time.Duration{
		"at once":     {0, 0, 0, 0, 0, 0, 0, time.Second},
		"few":         {0, time.Second, time.Second, 5 * time.Second},
		"far between": {0, 20 * time.Second, 20 * time.Second, 20 * time.Second, 20 * time.Second, 20 * time.Second, 20 * time.Second},
	} {
		var c contest
		now := start
		for _, pause := range pauses {
			now = now.Add(pause)
			c.note(now)
		}
		if _, lasts := c.lasts(now); lasts {
			t.Errorf("%s: is told of", name)
		}
	}
}

func TestIsRepair(t *testing.T) {
	refused := apierrors.NewForbidden(schema.GroupResource{Resource: "configmaps"}, "maze-registry", errors.New("a policy"))
	for _, c := range []struct {
		name    string
		tried   bool
		failure error
		want    bool
	}{
		{"nothing was written", false, nil, false},
		{"it was put right", true, nil, true},
		{"others were quicker", true, fmt.Errorf("publish: %w", serving.ErrContended), true},
		{"the API server refuses the repair", true, refused, false},
	} {
		if got := isRepair(c.tried, c.failure); got != c.want {
			t.Errorf("%s: got %t, want %t", c.name, got, c.want)
		}
	}
}
