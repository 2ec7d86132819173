package faults

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/utils/ptr"
)

// call is a request of a manager process.
type call struct {
	process     string
	incarnation int
	method      string
	path        string
	target      Target
	write       bool
	watch       bool
	initial     bool // the watch begins with all objects
	ofCluster   bool // what is read is in no namespace
	name        string
	labels      map[string]string
	body        []byte
	holder      string // of the lease that is written

	sent            time.Time // when the manager sent it
	at              time.Time // when the API server answered it, or it was lost
	status          int       // of the API server's answer; 0 where the request did not reach it
	resourceVersion uint64
	fault           string
	delayed         bool // a fault held it on its way
}

func (c *call) String() string {
	text := fmt.Sprintf("%s%d %s %s %s", c.process, c.incarnation, c.method, c.target, c.name)
	if c.status != 0 {
		text += fmt.Sprintf(" -> %d", c.status)
	}
	if c.resourceVersion != 0 {
		text += fmt.Sprintf(" @%d", c.resourceVersion)
	}
	if c.fault != "" {
		text += " [" + c.fault + "]"
	}
	return text
}

// done reports whether the API server did the write.
func (c *call) done() bool { return c.write && c.status >= 200 && c.status < 300 }

// classify reads from a request what it is about.
func classify(r *http.Request, body []byte) *call {
	c := &call{method: r.Method, path: r.URL.Path, body: body, target: otherReads, sent: time.Now()}
	query := r.URL.Query()
	c.watch = query.Get("watch") == "true" || query.Get("watch") == "1"
	c.initial = query.Get("sendInitialEvents") == "true"
	c.write = r.Method != http.MethodGet && r.Method != http.MethodHead
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	i := slices.Index(parts, "namespaces")
	switch {
	case i >= 0 && len(parts) > i+2:
		c.target = c.namespaced(parts[i+2:], query.Get("fieldSelector"), query.Get("labelSelector"))
		if c.target == FlowReads && query.Get("limit") == "1" { // it only asks whether they can be read
			c.target = otherReads
		}
	case strings.HasPrefix(r.URL.Path, "/api/v1/nodes"):
		c.target, c.ofCluster = NodeReads, true
	case strings.HasPrefix(r.URL.Path, "/apis/resource.k8s.io/v1/"):
		c.ofCluster = true
		if query.Get("limit") != "1" { // else it only asks whether they can be read
			c.target = Target(parts[len(parts)-1])
		}
	}
	return c
}

// namespaced reads resource, name and subresource.
func (c *call) namespaced(parts []string, field, label string) Target {
	if len(parts) > 1 {
		c.name = parts[1]
	}
	if c.write && c.method != http.MethodDelete {
		c.readBody()
	}
	switch resource := parts[0]; {
	case resource == "configmaps" && c.write:
		return c.configMapWrite()
	case resource == "configmaps" && strings.Contains(field, "metadata.name="+indexName):
		return IndexReads
	case resource == "configmaps" && label != "":
		return ShardReads
	case resource == "mazetasks" && c.write, resource == "mazeworkflows" && c.write:
		return StatusWrite
	case resource == "mazeworkflows":
		return FlowReads
	case resource == "mazetasks":
		return TaskReads
	case resource == "events" && c.write:
		return EventWrite
	case resource == "leases" && c.write:
		return LeaseWrite
	default:
		return otherReads
	}
}

func (c *call) configMapWrite() Target {
	switch {
	case c.name == indexName:
		return IndexWrite
	case c.method == http.MethodPost:
		return ShardCreate
	case c.method == http.MethodDelete:
		return ShardDelete
	default:
		return ShardUpdate
	}
}

// readBody reads name and labels of the object that is written.
func (c *call) readBody() {
	object, _, err := scheme.Codecs.UniversalDeserializer().Decode(c.body, nil, nil)
	if err != nil {
		return // a MazeTask, whose path has the name
	}
	if accessor, err := meta.Accessor(object); err == nil {
		c.name, c.labels = accessor.GetName(), accessor.GetLabels()
	}
	if lease, ok := object.(*coordinationv1.Lease); ok {
		c.holder = ptr.Deref(lease.Spec.HolderIdentity, "")
	}
}

// journal is what the manager processes of a plan asked for, in order.
type journal struct {
	mu    sync.Mutex
	calls []*call
}

func (j *journal) add(c *call) {
	if c.at.IsZero() {
		c.at = time.Now()
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.calls = append(j.calls, c)
}

func (j *journal) all() []*call {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.calls)
}

// sentSince returns the writes to tasks, workflows and ConfigMaps that were sent after a time and carried out: what an idle operator does none of.
func (j *journal) sentSince(since time.Time) []*call {
	return slices.DeleteFunc(j.all(), func(c *call) bool {
		return !c.done() || c.sent.Before(since) || c.target == LeaseWrite || c.target == EventWrite
	})
}
