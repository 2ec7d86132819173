package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseRequests(t *testing.T) {
	const text = `# HELP apiserver_request_total Counter of apiserver requests.
# TYPE apiserver_request_total counter
apiserver_request_total{code="200",component="apiserver",dry_run="",group="registry.mazeagent.net",resource="mazetasks",scope="resource",subresource="status",verb="PUT",version="v1alpha1"} 7
apiserver_request_total{code="409",component="apiserver",dry_run="",group="",resource="configmaps",scope="resource",subresource="",verb="APPLY",version="v1"} 2
apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="configmaps",scope="resource",subresource="",verb="GET",version="v1"} 5
apiserver_request_total{code="200",component="apiserver",dry_run="",group="coordination.k8s.io",resource="leases",scope="resource",subresource="",verb="PUT",version="v1"} 9
apiserver_request_total{code="0",component="apiserver",dry_run="",group="",resource="configmaps",scope="namespace",subresource="",verb="WATCHLIST",version="v1"} 3
apiserver_requested_deprecated_apis{group="",version="v1"} 1
`
	got, err := parseRequests([]byte(text), kind.write)
	if err != nil {
		t.Fatal(err)
	}
	want := requests{{"mazetasks", "status", "PUT", "200"}: 7, {"configmaps", "", "APPLY", "409"}: 2}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(kind{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if statuses, registries, conflicts := got.count(kind.statusWrite), got.count(kind.registryWrite), got.count(kind.conflict); statuses != 7 || registries != 0 || conflicts != 2 {
		t.Errorf("counted %d status writes, %d registry writes and %d conflicts", statuses, registries, conflicts)
	}
}

func TestRead(t *testing.T) {
	for _, tt := range []struct {
		resource, verb string
		want           bool
	}{
		{"configmaps", "GET", true},
		{"mazetasks", "LIST", true},
		{"nodes", "WATCH", true},
		{"configmaps", "PUT", false},
		{"secrets", "GET", false},
	} {
		if got := (kind{resource: tt.resource, verb: tt.verb}).read(); got != tt.want {
			t.Errorf("%s %s: read is %t, want %t", tt.verb, tt.resource, got, tt.want)
		}
	}
}

func TestPercentile(t *testing.T) {
	times := make(durations, 200)
	for i := range times {
		times[i] = time.Duration(i + 1)
	}
	for p, want := range map[int]time.Duration{50: 100, 99: 198, 100: 200} {
		if got := times.percentile(p); got != want {
			t.Errorf("p%d is %d, want %d", p, got, want)
		}
	}
}
