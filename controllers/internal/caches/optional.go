package caches

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

// Availability is whether kinds of objects can be read, and why not.
type Availability int

const (
	// Unknown is so while the API server has not answered yet.
	Unknown Availability = iota
	// Absent is so where the API server does not serve them.
	Absent
	// Refused is so where the operator may not list and watch them.
	Refused
	// Unanswered is so while the API server goes on failing to answer.
	Unanswered
	// Served is so once all that there are have been brought.
	Served
)

// OptionalKind is a kind of objects that an API server may not serve, and that the operator may not have the right to read.
type OptionalKind struct {
	Object client.Object
	List   client.ObjectList
	// Resource is the name of the resource, such as resourceslices.
	Resource string
	// Transform makes what is kept of an object.
	Transform toolscache.TransformFunc
	Change    Change
}

// Optional reads kinds that belong together, if all of them can be read. Unlike the other caches, it is in nobody's way: it asks for one object of
// each before it reads them, and goes on asking where it cannot. What it has read it keeps while a refusal may pass, as after a restart of the API
// server.
type Optional struct {
	// Kinds are read together. Prepare is called before they are; Report is called with each change of the availability, and with the resource that
	// cannot be read.
	Kinds   []OptionalKind
	Prepare func(ctx context.Context) error
	Report  func(is Availability, resource string)
	// Namespace is the only one whose objects are read. Empty for all, and for kinds that are in none.
	Namespace string
	// Setting is what to write into the operator's configuration so that they are not asked for. Empty where nothing is to be written.
	Setting string

	config *rest.Config
	http   *http.Client
	scheme *runtime.Scheme
	mapper meta.RESTMapper
	reader client.WithWatch
	log    logr.Logger
	clock  clock.Clock
	pace   pace

	mu      sync.Mutex
	is      Availability
	started time.Time
}

// pace says when to do things.
type pace struct {
	// look is the time between two looks whether all has been brought.
	look time.Duration
	// soon is the time between two questions whether kinds can be read while that is not decided, and again once it is.
	soon, again time.Duration
	// prepare is the time between two calls of Prepare while kinds are read.
	prepare time.Duration
	// patience is the time for which nothing is decided without an answer, and for which what was read counts while the API server refuses it.
	patience time.Duration
}

var defaultPace = pace{look: 50 * time.Millisecond, soon: time.Second, again: 30 * time.Second, prepare: 10 * time.Minute, patience: 30 * time.Second}

// AddOptional adds to the manager what reads kinds that need not be there.
func AddOptional(mgr manager.Manager, o *Optional) error {
	o.config, o.http, o.scheme, o.mapper = mgr.GetConfig(), mgr.GetHTTPClient(), mgr.GetScheme(), mgr.GetRESTMapper()
	o.log, o.clock, o.pace = mgr.GetLogger().WithName("optional"), clock.RealClock{}, defaultPace
	var err error
	o.reader, err = client.NewWithWatch(o.config, client.Options{HTTPClient: o.http, Scheme: o.scheme, Mapper: o.mapper})
	if err != nil {
		return fmt.Errorf("make the client that reads %s: %w", o.Kinds[0].Resource, err)
	}
	if err := mgr.Add(o); err != nil {
		return fmt.Errorf("add what reads %s: %w", o.Kinds[0].Resource, err)
	}
	return nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: who waits for the lease keeps caches, too.
func (*Optional) NeedLeaderElection() bool { return false }

// Settled reports whether it is known what can be read, and that is read; or that has taken too long.
func (o *Optional) Settled() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.is != Unknown || !o.started.IsZero() && o.clock.Since(o.started) > o.pace.patience
}

// Start implements manager.Runnable.
func (o *Optional) Start(ctx context.Context) error {
	o.mu.Lock()
	o.started = o.clock.Now()
	o.mu.Unlock()
	for {
		is, resource, err := o.ask(ctx)
		if is == Served {
			if err := o.read(ctx); err != nil && ctx.Err() == nil {
				o.log.Error(err, "The cache ended, and is made anew", "resource", resource)
			}
		} else {
			o.note(is, resource, err)
		}
		wait := o.pace.again
		if is == Served || is == Unanswered {
			wait = o.pace.soon
		}
		select {
		case <-ctx.Done():
			return nil
		case <-o.clock.After(wait):
		}
	}
}

// orElse returns what else can be done where the operator has no right to read.
func (o *Optional) orElse() string {
	if o.Setting == "" {
		return ""
	}
	return ", or set " + o.Setting
}

// note notes the availability, and logs a change of it. No answer changes nothing, unless there has been none for long.
func (o *Optional) note(is Availability, resource string, err error) {
	settled := o.Settled()
	o.mu.Lock()
	last := o.is
	if is == last || is == Unanswered && (last != Unknown || !settled) {
		o.mu.Unlock()
		return
	}
	o.is = is
	o.mu.Unlock()
	switch is {
	case Absent:
		o.log.Info("The API server does not serve "+resource+", so they are not read", "answer", err.Error())
	case Refused:
		o.log.Info("The operator may not list and watch "+resource+", so they are not read: give its ServiceAccount the rights of config/rbac"+
			o.orElse(), "answer", err.Error())
	case Unanswered:
		o.log.Info("The API server does not answer for "+resource+", so they are not read yet", "answer", err.Error())
	case Served:
		o.log.Info("The API server serves " + resource + ", and they are read")
	case Unknown:
	}
	o.Report(is, resource)
}

// ask asks for one object of each kind, and for a watch. It returns what cannot be read, and the answer.
func (o *Optional) ask(ctx context.Context) (Availability, string, error) {
	for i := range o.Kinds {
		kind := &o.Kinds[i]
		err := o.try(ctx, kind)
		switch {
		case err == nil:
		case isAbsent(err):
			return Absent, kind.Resource, err
		case apierrors.IsForbidden(err):
			return Refused, kind.Resource, err
		default:
			return Unanswered, kind.Resource, err
		}
	}
	if o.Prepare != nil {
		if err := o.Prepare(ctx); err != nil {
			return Unanswered, o.Kinds[0].Resource, err
		}
	}
	return Served, o.Kinds[0].Resource, nil
}

// try lists one object of a kind, and begins to watch it, as a list and a watch take a right each.
func (o *Optional) try(ctx context.Context, kind *OptionalKind) error {
	ctx, cancel := context.WithTimeout(ctx, o.pace.again)
	defer cancel()
	list, ok := kind.List.DeepCopyObject().(client.ObjectList)
	if !ok {
		return fmt.Errorf("%T is no list", kind.List)
	}
	if err := o.reader.List(ctx, list, client.Limit(1), client.InNamespace(o.Namespace)); err != nil {
		return err
	}
	watching, err := o.reader.Watch(ctx, list, &client.ListOptions{Namespace: o.Namespace, Raw: &metav1.ListOptions{ResourceVersion: list.GetResourceVersion()}})
	if err != nil {
		return err
	}
	watching.Stop()
	return nil
}

func isAbsent(err error) bool { return meta.IsNoMatchError(err) || apierrors.IsNotFound(err) }

// read reads the kinds until they cannot be read any more, or the context ends.
func (o *Optional) read(ctx context.Context) error {
	reading, stop := context.WithCancel(ctx)
	defer stop()
	refused := make(chan struct{}, 1)
	objects := map[client.Object]cache.ByObject{}
	for i := range o.Kinds {
		selection := cache.ByObject{Transform: o.Kinds[i].Transform, UnsafeDisableDeepCopy: ptr.To(true)}
		if o.Namespace != "" {
			selection.Field = fields.OneTermEqualSelector("metadata.namespace", o.Namespace)
		}
		objects[o.Kinds[i].Object] = selection
	}
	kept, err := cache.New(o.config, cache.Options{
		HTTPClient: o.http, Scheme: o.scheme, Mapper: o.mapper, ByObject: objects,
		DefaultWatchErrorHandler: func(ctx context.Context, reflector *toolscache.Reflector, err error) {
			if apierrors.IsForbidden(err) || apierrors.IsNotFound(err) {
				select {
				case refused <- struct{}{}:
				default:
				}
				return
			}
			toolscache.DefaultWatchErrorHandler(ctx, reflector, err)
		},
	})
	if err != nil {
		return fmt.Errorf("make the cache of %s: %w", o.Kinds[0].Resource, err)
	}
	feed := NewFeed()
	for i := range o.Kinds {
		if err := feed.Watch(reading, kept, o.Kinds[i].Object, o.Kinds[i].Change); err != nil {
			return err
		}
	}
	ended := make(chan error, 1)
	go func() { ended <- kept.Start(reading) }()
	lost := o.follow(reading, feed, refused)
	stop()
	err = <-ended // no change comes after that
	if lost != nil {
		o.note(lost.is, lost.resource, lost.err)
	}
	return err
}

// answer is what an API server says to who asks for kinds.
type answer struct {
	is       Availability
	resource string
	err      error
}

// follow returns once the API server refuses for long what is read, with its answer, or the context ends, with none.
func (o *Optional) follow(ctx context.Context, feed *Feed, refused <-chan struct{}) *answer {
	var since time.Time // of the refusal that lasts
	synced := false
	pause := o.pace.look
	next := o.clock.NewTimer(pause)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-refused:
			if since.IsZero() {
				since = o.clock.Now()
			}
			pause = o.pace.soon
		case <-next.C():
			if since.IsZero() && !synced {
				if synced = feed.Complete(""); synced {
					o.note(Served, o.Kinds[0].Resource, nil)
					pause = o.pace.prepare
				}
				break
			}
			is, resource, err := o.ask(ctx)
			switch {
			case is == Served:
				since, synced = time.Time{}, false
				pause = o.pace.look
			case since.IsZero(): // it was asked to prepare
			case is != Unanswered && o.clock.Since(since) > o.pace.patience:
				return &answer{is, resource, err}
			}
		}
		next.Reset(pause)
	}
}
