package caches

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	resourcev1 "k8s.io/api/resource/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// optionalServer is an API server with one DeviceClass and one ResourceSlice, which answers as it is told.
type optionalServer struct {
	mu sync.Mutex
	// absent is so while the group is not served. refused has verb and resource of what is forbidden, broken what fails.
	absent          bool
	refused, broken string
	// failed is how many requests failed since the last change.
	failed int
	open   []context.CancelFunc
}

// set changes what the server answers, and ends all watches.
func (s *optionalServer) set(change func(*optionalServer)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
	s.failed = 0
	for _, end := range s.open {
		end()
	}
	s.open = nil
}

func (s *optionalServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	absent, refused, broken := s.absent, s.refused, s.broken
	ctx, cancel := context.WithCancel(r.Context())
	s.open = append(s.open, cancel)
	s.mu.Unlock()
	defer cancel()
	w.Header().Set("Content-Type", "application/json")
	answer := func(code int, value any) {
		if code >= http.StatusBadRequest {
			s.mu.Lock()
			s.failed++
			s.mu.Unlock()
		}
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(value)
	}
	status := func(code int, reason metav1.StatusReason, message string) {
		answer(code, &metav1.Status{
			TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure, Code: int32(code), Reason: reason, Message: message,
		})
	}
	group := metav1.APIGroup{Name: resourcev1.GroupName, Versions: []metav1.GroupVersionForDiscovery{{GroupVersion: "resource.k8s.io/v1", Version: "v1"}}}
	resource := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	verb := "list"
	if r.URL.Query().Get("watch") == "true" {
		verb = "watch"
	}
	switch {
	case r.URL.Path == "/api":
		answer(http.StatusOK, &metav1.APIVersions{})
	case r.URL.Path == "/apis" && absent:
		answer(http.StatusOK, &metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}})
	case absent:
		status(http.StatusNotFound, metav1.StatusReasonNotFound, "the server could not find the requested resource")
	case r.URL.Path == "/apis":
		answer(http.StatusOK, &metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}, Groups: []metav1.APIGroup{group}})
	case r.URL.Path == "/apis/resource.k8s.io":
		group.TypeMeta = metav1.TypeMeta{Kind: "APIGroup", APIVersion: "v1"}
		answer(http.StatusOK, &group)
	case r.URL.Path == "/apis/resource.k8s.io/v1":
		answer(http.StatusOK, &metav1.APIResourceList{
			TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}, GroupVersion: "resource.k8s.io/v1", APIResources: []metav1.APIResource{
				{Name: "deviceclasses", Kind: "DeviceClass", Verbs: []string{"list", "watch"}}, {Name: "resourceslices", Kind: "ResourceSlice", Verbs: []string{"list", "watch"}},
			},
		})
	case refused == verb+" "+resource:
		status(http.StatusForbidden, metav1.StatusReasonForbidden, resource+" is forbidden: cannot "+verb)
	case broken == resource:
		status(http.StatusInternalServerError, metav1.StatusReasonInternalError, "etcd is gone")
	case verb == "watch" && r.URL.Query().Get("sendInitialEvents") == "true":
		status(http.StatusUnprocessableEntity, metav1.StatusReasonInvalid, "sendInitialEvents is not known")
	case verb == "watch":
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		<-ctx.Done()
	case resource == "deviceclasses":
		answer(http.StatusOK, &resourcev1.DeviceClassList{
			TypeMeta: metav1.TypeMeta{Kind: "DeviceClassList", APIVersion: "resource.k8s.io/v1"}, ListMeta: metav1.ListMeta{ResourceVersion: "7"},
			Items: []resourcev1.DeviceClass{{ObjectMeta: metav1.ObjectMeta{Name: "class", ResourceVersion: "3"}}},
		})
	default:
		answer(http.StatusOK, &resourcev1.ResourceSliceList{
			TypeMeta: metav1.TypeMeta{Kind: "ResourceSliceList", APIVersion: "resource.k8s.io/v1"}, ListMeta: metav1.ListMeta{ResourceVersion: "7"},
			Items: []resourcev1.ResourceSlice{{ObjectMeta: metav1.ObjectMeta{Name: "slice", ResourceVersion: "4"}}},
		})
	}
}

// optionalPatience is how long a test waits for what is to come.
const optionalPatience = 5 * time.Minute

// expectFailures waits until so many requests failed since the last change.
func (s *optionalServer) expectFailures(t *testing.T, n int) {
	t.Helper()
	failed := 0
	err := wait.PollUntilContextTimeout(t.Context(), time.Millisecond, optionalPatience, true, func(context.Context) (bool, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		failed = s.failed
		return failed >= n, nil
	})
	if err != nil {
		t.Fatalf("%d requests failed, want %d", failed, n)
	}
}

// optionalRun is a running Optional, with all that it told: the changes of availability, and the objects that came.
type optionalRun struct {
	*Optional
	t  *testing.T
	mu sync.Mutex
	// told is in its order.
	told []string
}

func startOptional(t *testing.T, server *optionalServer, patience time.Duration) *optionalRun {
	t.Helper()
	listening := httptest.NewServer(server)
	config := &rest.Config{Host: listening.URL, QPS: -1}
	mapper, err := apiutil.NewDynamicRESTMapper(config, listening.Client())
	if err != nil {
		t.Fatal(err)
	}
	reader, err := client.NewWithWatch(config, client.Options{HTTPClient: listening.Client(), Scheme: scheme.Scheme, Mapper: mapper})
	if err != nil {
		t.Fatal(err)
	}
	run := &optionalRun{t: t}
	change := func(before, after client.Object) {
		if before == nil {
			run.tell(after.GetName())
		}
	}
	names := []string{"unknown", "absent", "refused", "unanswered", "served"}
	run.Optional = &Optional{
		Kinds: []OptionalKind{
			{Object: &resourcev1.DeviceClass{}, List: &resourcev1.DeviceClassList{}, Resource: "deviceclasses", Change: change},
			{Object: &resourcev1.ResourceSlice{}, List: &resourcev1.ResourceSliceList{}, Resource: "resourceslices", Change: change},
		},
		Report: func(is Availability, resource string) {
			run.tell(strings.TrimSuffix(names[is]+" "+resource, " deviceclasses"))
		},
		config: config, http: listening.Client(), scheme: scheme.Scheme, mapper: mapper, reader: reader, log: logr.Discard(), clock: clock.RealClock{},
		pace: pace{
			look: 5 * time.Millisecond, soon: 10 * time.Millisecond, again: 20 * time.Millisecond, prepare: time.Hour, patience: patience,
		},
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		server.set(func(*optionalServer) {})
		listening.Close()
	})
	return run
}

func (r *optionalRun) tell(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = append(r.told, what)
}

// expect waits until all of some things were told since the last call, the last one last, and that it is settled.
func (r *optionalRun) expect(want ...string) {
	r.t.Helper()
	var got []string
	_ = wait.PollUntilContextTimeout(r.t.Context(), time.Millisecond, optionalPatience, true, func(context.Context) (bool, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		got = slices.Clone(r.told)
		if len(got) == len(want) {
			r.told = nil
		}
		return len(got) == len(want), nil
	})
	if len(got) > 1 {
		slices.Sort(got[:len(got)-1])
	}
	if !slices.Equal(got, want) {
		r.t.Fatalf("want %q, got %q", want, got)
	}
	if !r.Settled() {
		r.t.Error("it is not settled")
	}
}

func TestOptional(t *testing.T) {
	served := func(s *optionalServer) { s.absent, s.refused, s.broken = false, "", "" }
	for name, tc := range map[string]struct {
		begin func(*optionalServer)
		want  string
	}{
		"no such API":              {func(s *optionalServer) { s.absent = true }, "absent"},
		"no right to list":         {func(s *optionalServer) { s.refused = "list resourceslices" }, "refused resourceslices"},
		"no right to watch":        {func(s *optionalServer) { s.refused = "watch deviceclasses" }, "refused"},
		"an API server that fails": {func(s *optionalServer) { s.broken = "resourceslices" }, "unanswered resourceslices"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := &optionalServer{}
			tc.begin(server)
			run := startOptional(t, server, 200*time.Millisecond)
			run.expect(tc.want)
			server.set(served) // and what is not there may come
			run.expect("class", "slice", "served")
			server.set(tc.begin)
			if strings.HasPrefix(tc.want, "unanswered") {
				server.expectFailures(t, 2)
				server.set(served)
				run.expect() // what was read is kept
				return
			}
			run.expect(tc.want)
			server.set(served)
			run.expect("class", "slice", "served")
		})
	}
}

// TestOptionalIsPatient: a refusal that passes changes nothing. A reflector waits twice as long after each refusal, and up to a minute, so few
// of them are waited for.
func TestOptionalIsPatient(t *testing.T) {
	server := &optionalServer{}
	run := startOptional(t, server, time.Hour)
	run.expect("class", "slice", "served")
	for range 2 {
		server.set(func(s *optionalServer) { s.refused = "list resourceslices" })
		server.expectFailures(t, 2)
		server.set(func(s *optionalServer) { s.refused = "" })
		run.expect()
	}
}
