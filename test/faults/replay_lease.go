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
		version := c.resourceVersion
		if c.target == ShardDelete {
			version = deletionOf(events, c)
		}
		if !c.done() || version == 0 || c.target == LeaseWrite || c.target == EventWrite || mayWriteWithoutLease(c, resumed) {
			continue
		}
		holder := holderAt(events, version)
		if !slices.Contains(holders[holder], identity{c.process, c.incarnation}) {
			out = append(out, Violation{HolderWrites, version, fmt.Sprintf("%s was done while %q had the lease", c, holder)})
		}
	}
	return out
}

// deletionOf returns the version at which the ConfigMap went that a call deleted: the answer does not tell. It is the deletion that was
// seen next to when the call was answered; 0 where none was.
func deletionOf(events []Event, c *call) uint64 {
	version, nearest := uint64(0), time.Duration(0)
	for i := range events {
		e := &events[i]
		if !e.Deleted || e.ConfigMap == nil || e.ConfigMap.Name != c.name {
			continue
		}
		if apart := e.At.Sub(c.at).Abs(); version == 0 || apart < nearest {
			version, nearest = e.Version, apart
		}
	}
	return version
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
