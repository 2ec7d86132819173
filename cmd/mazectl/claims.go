package main

import (
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/discover"
	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/lint"
)

// claimsValue is the flag --decorator.
type claimsValue struct{ claims *discover.Claims }

// String implements pflag.Value.
func (v claimsValue) String() string {
	var texts []string
	if v.claims != nil {
		for _, d := range *v.claims {
			texts = append(texts, d.Module+":"+d.Name)
		}
	}
	return strings.Join(texts, ",")
}

// Set implements pflag.Value. It adds a decorator, or several with commas between them.
func (v claimsValue) Set(text string) error {
	for _, one := range strings.Split(text, ",") {
		d, err := discover.ParseDecorator(one)
		if err != nil {
			return err
		}
		if !slices.Contains(*v.claims, d) {
			*v.claims = append(*v.claims, d)
		}
	}
	return nil
}

// Type implements pflag.Value.
func (claimsValue) Type() string { return "MODULE:NAME" }

// addDecoratorFlag adds the flag of decorators that count as Maze's to a command.
func addDecoratorFlag(c *cobra.Command, claims *discover.Claims) {
	c.Flags().Var(claimsValue{claims}, "decorator",
		"`MODULE:NAME` of a decorator that counts as Maze's, such as platform_sdk.tasks:task; can be repeated")
	if err := c.RegisterFlagCompletionFunc("decorator", cobra.NoFileCompletions); err != nil {
		panic(err) // there is no such flag
	}
}

// newJudge returns a judge of tasks that are found in Python sources. It makes a linter when one is needed: most tasks are so plain that
// none is.
func newJudge() func(spec *v1alpha1.MazeTaskSpec) []finding.Finding {
	linter := sync.OnceValues(lint.New)
	return func(spec *v1alpha1.MazeTaskSpec) []finding.Finding {
		if lint.Plain(spec) {
			return nil
		}
		l, err := linter()
		if err != nil { // the CRD is a part of the program
			return []finding.Finding{finding.New(finding.InvalidSchema, "", finding.Position{}, "", "%v", err)}
		}
		return l.Spec(spec)
	}
}
