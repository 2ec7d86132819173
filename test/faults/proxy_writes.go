package faults

import (
	"encoding/json"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// serveWrite does a write, or what a fault makes of it.
func (p *proxy) serveWrite(w http.ResponseWriter, r *http.Request, c *call) {
	defer p.journal.add(c)
	if hook := p.injector.hookOf(); hook != nil {
		hook(c)
	}
	if refused := p.injector.refusal(c); refused != "" {
		c.fault = string(refused)
		statusAnswer(refused, c).send(w)
		return
	}
	f := p.injector.strike(c)
	if f == nil {
		p.forward(r, c).send(w)
		return
	}
	c.fault = f.Cell()
	p.struckWrite(w, r, c, f)
}

// struckWrite does what a fault makes of a write.
func (p *proxy) struckWrite(w http.ResponseWriter, r *http.Request, c *call, f *Fault) {
	defer p.injector.holding.Done()
	switch f.Kind {
	case CrashBefore:
		p.injector.kill(c)
		panic(http.ErrAbortHandler)
	case CrashAfter:
		p.forward(r, c)
		p.injector.kill(c)
		panic(http.ErrAbortHandler)
	case ResetBefore:
		panic(http.ErrAbortHandler)
	case ResetAfter:
		p.forward(r, c)
		panic(http.ErrAbortHandler)
	case TimeoutDone:
		p.forward(r, c)
		statusAnswer(TimeoutDone, c).send(w)
	case SlowBefore:
		c.delayed = true
		pause(p.life, f.For)
		p.forward(r, c).send(w)
	case SlowAfter:
		a := p.forward(r, c)
		pause(p.life, f.For)
		a.send(w)
	case Late:
		c.delayed = true
		p.injector.kill(c)
		pause(p.life, f.For)
		p.forward(r, c)
		panic(http.ErrAbortHandler)
	default:
		statusAnswer(f.Kind, c).send(w)
	}
}

// statusAnswer returns what the API server would answer to a call.
func statusAnswer(kind Kind, c *call) *answer {
	resource := schema.GroupResource{Resource: string(c.target)}
	var status *apierrors.StatusError
	switch kind {
	case Forbidden, WritesRefused, StatusRefused:
		status = apierrors.NewForbidden(resource, c.name, errRefused("denied for this test"))
	case QuotaExceeded:
		status = apierrors.NewForbidden(resource, c.name, errRefused("exceeded quota: objects, requested: 1, used: 9, limited: 9"))
	case NotFound:
		status = apierrors.NewNotFound(resource, c.name)
	case Conflict:
		status = apierrors.NewConflict(resource, c.name, errRefused("the object has been modified"))
	case Exists:
		status = apierrors.NewAlreadyExists(resource, c.name)
	case Invalid:
		status = apierrors.NewInvalid(schema.GroupKind{Kind: string(c.target)}, c.name,
			field.ErrorList{field.Invalid(field.NewPath("metadata"), "x", "refused for this test")})
	case TooMany:
		status = apierrors.NewTooManyRequests("too many requests", 1)
	case Internal:
		status = apierrors.NewInternalError(errRefused("an error of this test"))
	case TimeoutDone:
		status = apierrors.NewTimeoutError("the request timed out", 0)
	case WatchGone:
		status = apierrors.NewResourceExpired("too old resource version")
	default:
		status = apierrors.NewServiceUnavailable("unavailable for this test")
	}
	content, _ := json.Marshal(versioned(status.ErrStatus)) // a Status can always be encoded
	header := http.Header{"Content-Type": {"application/json"}}
	if kind == TooMany {
		header.Set("Retry-After", "1")
	}
	return &answer{status: int(status.ErrStatus.Code), header: header, body: content}
}

func versioned(status metav1.Status) *metav1.Status {
	status.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
	return &status
}

// errRefused is a reason for an answer.
type errRefused string

// Error implements error.
func (e errRefused) Error() string { return string(e) }
