package publisher

import (
	"errors"
	"time"

	"github.com/maze-agent/maregister/internal/serving"
)

const (
	// A registry that others change is put right at once harmlessRepairs times in a row, which costs nothing worth a pause. Then it is left
	// alone for firstRepairPause after it was put right, and for twice as long each time: up to earlyRepairPause until the statuses report
	// it, so that they do so in time, and up to lastRepairPause from then on.
	harmlessRepairs  = 5
	firstRepairPause = 20 * time.Millisecond
	earlyRepairPause = time.Second
	lastRepairPause  = 5 * time.Second
	// contestPatience is the time for which others change a registry before the statuses report it.
	contestPatience = 5 * time.Second
	// contestEnd is the time without such a change after which it is over. It is longer than lastRepairPause.
	contestEnd = 15 * time.Second
)

// contest is a run of changes by others to a registry, each of which was put right.
type contest struct {
	// repairs counts them, and first and last are the times of the first and the last one.
	repairs     int
	first, last time.Time
}

// isRepair reports whether a pass has put right what others did, or would have, had they not been quicker. tried reports whether it has
// written for that. After another failure nothing was put right: the statuses tell why, and not that others change the registry.
func isRepair(tried bool, failure error) bool {
	return tried && (failure == nil || errors.Is(failure, serving.ErrContended))
}

// note notes that the registry was put right.
func (c *contest) note(now time.Time) {
	if now.Sub(c.last) > contestEnd {
		*c = contest{first: now}
	}
	c.repairs++
	c.last = now
}

// pause returns the time for which the registry is left alone.
func (c *contest) pause(now time.Time) time.Duration {
	if c.repairs <= harmlessRepairs {
		return 0
	}
	longest := earlyRepairPause
	if c.isLong() {
		longest = lastRepairPause
	}
	return c.last.Add(min(firstRepairPause<<min(c.repairs-harmlessRepairs, 16), longest)).Sub(now)
}

// isLong reports whether it has lasted long enough for the statuses to report it.
func (c *contest) isLong() bool { return c.last.Sub(c.first) >= contestPatience }

// lasts reports whether the statuses are to report it, and returns the time for which they will if nothing more happens.
func (c *contest) lasts(now time.Time) (time.Duration, bool) {
	left := c.last.Add(contestEnd).Sub(now)
	return left, c.repairs > harmlessRepairs && c.isLong() && left > 0
}
