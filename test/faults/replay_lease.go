package faults

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"k8s.io/utils/ptr"
)

func formatInt(i int64) string { return strconv.FormatInt(i, 10) }

// identity is a manager process.
type identity struct {
	process     string
	incarnation int
}

// leaseViolations checks that only the holder of the lease wrote. events are sorted by version; resumed are the times at which a
// stopped process was continued.
func leaseViolations(events []Event, calls []*call, resumed []time.Time) []Violation {
	holders := map[string][]identity{}
	for _, c := range calls {
		if c.holder != "" && c.done() {
			holders[c.holder] = append(holders[c.holder], identity{c.process, c.incarnation})
		}
	}
	var out []Violation
	for _, c := range calls {
		if !c.done() || c.resourceVersion == 0 || c.target == LeaseWrite || c.target == EventWrite || mayWriteWithoutLease(c, resumed) {
			continue
		}
		holder := holderAt(events, c.resourceVersion)
		if !slices.Contains(holders[holder], identity{c.process, c.incarnation}) {
			out = append(out, Violation{HolderWrites, c.resourceVersion, fmt.Sprintf("%s was written while %q had the lease", c, holder)})
		}
	}
	return out
}

// holderAt returns who has the lease at a revision.
func holderAt(events []Event, version uint64) string {
	holder := ""
	for i := range events {
		if events[i].Version > version {
			break
		}
		if lease := events[i].Lease; lease != nil {
			holder = ptr.Deref(lease.Spec.HolderIdentity, "")
		}
	}
	return holder
}
