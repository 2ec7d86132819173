package deliver

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/pysource"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/report"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/evolution"
	"github.com/maze-agent/maregister/internal/text"
)

// verbColors are green for what comes and red for what goes.
var verbColors = map[verb]terminal.Color{verbCreate: terminal.Green, verbChange: terminal.Yellow, verbPrune: terminal.Red}

// applyOnce shows what the cluster would make of the tasks, and has it made.
func (o *Options) applyOnce(ctx context.Context, t terminal.Terminal, f *pysource.Found) error {
	c, err := o.connect(t)
	if err != nil {
		return err
	}
	steps, err := o.plan(ctx, c, f)
	if err != nil {
		return err
	}
	showPlan(t, steps)
	if err := o.blocked(steps); err != nil { // the plan tells which
		t.Say("error:", err.Error())
		return report.ErrFindings
	}
	end := " (dry run)"
	if !o.DryRun {
		end = ""
		if err := c.carryOut(ctx, steps); err != nil {
			return err
		}
	}
	fmt.Fprintf(t.ErrOut, "namespace %s: %s%s\n", c.namespace, countSteps(steps), end)
	return nil
}

// carryOut applies what there is to apply, and deletes nothing unless all of that went well.
func (c *clusterTasks) carryOut(ctx context.Context, steps []step) error {
	for _, pruning := range []bool{false, true} {
		errs := make([]error, len(steps))
		var requests errgroup.Group
		requests.SetLimit(maxRequests)
		for i := range steps {
			requests.Go(func() error {
				errs[i] = c.take(ctx, &steps[i], pruning)
				return nil // all of them are told
			})
		}
		_ = requests.Wait()
		if err := utilerrors.NewAggregate(errs); err != nil {
			return err
		}
	}
	return nil
}

// take takes a step, if it is one of those that prune, or of those that do not.
func (c *clusterTasks) take(ctx context.Context, s *step, pruning bool) error {
	switch {
	case !pruning && (s.verb == verbCreate || s.verb == verbChange):
		if _, err := c.apply(ctx, s.manifest.Object, false); err != nil {
			return fmt.Errorf("%s: apply MazeTask %s/%s: %w", s.place, c.namespace, s.name, err)
		}
	case pruning && s.verb == verbPrune:
		if err := c.remove(ctx, s.existing, false); err != nil {
			return fmt.Errorf("delete MazeTask %s/%s: %w", c.namespace, s.name, err)
		}
	}
	return nil
}

// showPlan prints a line for each object that something becomes of.
func showPlan(t terminal.Terminal, steps []step) {
	width := 0
	indentation := strings.Repeat(" ", len(verbCreate)+len("  "))
	for _, s := range steps {
		if s.verb != verbUnchanged {
			width = max(width, text.Columns(s.name))
		}
	}
	for _, s := range steps {
		if s.verb == verbUnchanged {
			continue
		}
		line := t.Paint(verbColors[s.verb], terminal.Pad(string(s.verb), len(verbCreate))) + "  " + terminal.Pad(s.name, width) + "  " + terminal.Plain(s.place)
		if s.note != "" {
			line += "  (" + terminal.Plain(s.note) + ")"
		}
		fmt.Fprintln(t.Out, line)
		for _, meaning := range s.meaning {
			fmt.Fprintln(t.Out, indentation+terminal.Plain(meaning.String()))
		}
		if s.refusal != "" {
			fmt.Fprintln(t.Out, indentation+"refused: "+terminal.Plain(s.refusal))
		}
	}
}

func countSteps(steps []step) string {
	count := map[verb]int{}
	for _, s := range steps {
		count[s.verb]++
	}
	counted := fmt.Sprintf("%d created, %d changed, %d unchanged, %d pruned", count[verbCreate], count[verbChange], count[verbUnchanged], count[verbPrune])
	if count[verbKeep] > 0 {
		counted += fmt.Sprintf(", %d kept", count[verbKeep])
	}
	if breaking := countVerdicts(steps, evolution.Breaking); breaking > 0 {
		verb := "are"
		if breaking == 1 {
			verb = "is"
		}
		counted += fmt.Sprintf("; %d of the changes %s breaking", breaking, verb)
	}
	return counted
}
