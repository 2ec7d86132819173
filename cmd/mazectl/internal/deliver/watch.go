package deliver

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/pysource"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/report"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
)

// firstRetry is how soon what failed is tried again. The wait then doubles up to --resync.
const firstRetry = time.Second

// taskWatch keeps a cluster as some Python files say.
type taskWatch struct {
	*Options
	find     func(context.Context) (*pysource.Found, error)
	terminal terminal.Terminal
	// tell prints the findings and the summary.
	tell    func(*pysource.Found) error
	cluster *clusterTasks
	folders *pysource.Watch

	// applied is what the cluster was brought to last.
	applied [sha256.Size]byte
	// asked is when the cluster was asked last.
	asked time.Time
	// findings is what was printed last.
	findings string
	// trouble is the error that was printed last. Empty if it went well.
	trouble string
}

// Watch applies the tasks that are found again and again, until the context ends. That is no error.
// tell prints the findings, and is called whenever they are others than before.
func (o *Options) Watch(ctx context.Context, t terminal.Terminal, find func(context.Context) (*pysource.Found, error), tell func(*pysource.Found) error) error {
	c, err := o.connect(t)
	if err != nil {
		return err
	}
	folders, err := pysource.NewWatch()
	if err != nil {
		return fmt.Errorf("watch files: %w", err)
	}
	defer folders.Stop()
	w := &taskWatch{Options: o, find: find, terminal: t, tell: tell, cluster: c, folders: folders}
	retry := firstRetry
	for ctx.Err() == nil {
		wait := o.Resync
		if err := w.sync(ctx); err != nil {
			w.tellTrouble(ctx, err)
			wait, retry = min(retry, o.Resync), min(2*retry, o.Resync)
		} else {
			w.trouble, retry = "", firstRetry
		}
		w.folders.Wait(ctx, wait)
	}
	return nil
}

// sync finds the tasks and brings the cluster to them. It asks the cluster only if they are others than before, or the time has
// come to look whether someone else changed them there.
func (w *taskWatch) sync(ctx context.Context) error {
	f, err := w.find(ctx)
	if err := w.folders.Set(f, w.Dirs); err != nil {
		w.terminal.Say("note:", fmt.Sprintf("not all folders can be watched (%s), so some changes are seen only every %s", err, w.Resync))
	}
	if err != nil {
		return err
	}
	if err := w.tellFindings(f); err != nil {
		return err
	}
	wanted, err := w.fingerprint(f)
	if err != nil || wanted == w.applied && time.Since(w.asked) < w.Resync {
		return err
	}
	w.applied, w.asked = [sha256.Size]byte{}, time.Now()
	steps, err := w.plan(ctx, w.cluster, f)
	if err != nil {
		return err
	}
	if err := w.blocked(steps); err != nil {
		return err
	}
	showPlan(w.terminal, steps)
	if err := w.cluster.carryOut(ctx, steps); err != nil {
		return err
	}
	w.applied = wanted
	return nil
}

// fingerprint stands for all that decides about what becomes of the cluster.
func (w *taskWatch) fingerprint(f *pysource.Found) ([sha256.Size]byte, error) {
	content, err := encodeManifests(pysource.Manifests(f.Tasks, w.cluster.namespace, w.SourceName), encodingJSON)
	for _, one := range f.Findings {
		if report.IsError(one) {
			content = append(content, one.Object+"\x00"...)
		}
	}
	return sha256.Sum256(append(content, strings.Join(f.Unknown, "\x00")...)), err
}

// tellFindings prints the findings and the summary if they are others than before.
func (w *taskWatch) tellFindings(f *pysource.Found) error {
	text := fmt.Sprintln(f.Summary(""), f.Findings, f.Ignores)
	if text == w.findings {
		return nil
	}
	err := w.tell(f)
	if err != nil && !errors.Is(err, report.ErrFindings) {
		return err
	}
	w.findings = text
	return nil
}

// tellTrouble prints what went wrong, once while it stays the same.
func (w *taskWatch) tellTrouble(ctx context.Context, err error) {
	if ctx.Err() != nil || err.Error() == w.trouble {
		return
	}
	w.trouble = err.Error()
	var texts []string
	if blocked, ok := errors.AsType[*blockedError](err); ok {
		texts = blocked.texts
	}
	if aggregate, ok := errors.AsType[utilerrors.Aggregate](err); ok {
		for _, one := range aggregate.Errors() {
			texts = append(texts, one.Error())
		}
	} else {
		texts = append(texts, err.Error())
	}
	for _, text := range slices.Compact(texts) {
		w.terminal.Say("error:", text)
	}
}
