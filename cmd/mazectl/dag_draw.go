package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/catalogue"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/report"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/workflows"
	"github.com/maze-agent/maregister/internal/dag"
	"github.com/maze-agent/maregister/internal/finding"
)

// drawing makes a picture of a workflow in a language.
type drawing struct {
	name string
	draw func(*dag.Graph, []finding.Finding) string
}

const (
	outputMermaid = "mermaid"
	// maxMermaidLines is Mermaid's own limit, maxEdges, which GitHub does not raise.
	maxMermaidLines = 500
)

// drawnLines is how many lines a drawing has: one between two nodes, whatever they hand over.
func drawnLines(graph *dag.Graph) int {
	lines := map[[2]int]bool{}
	for _, e := range graph.Edges {
		lines[[2]int{e.From, e.To}] = true
	}
	return len(lines)
}

// drawings are the values of -o.
var drawings = []drawing{{"svg", (*dag.Graph).SVG}, {"dot", (*dag.Graph).DOT}, {outputMermaid, (*dag.Graph).Mermaid}}

func drawingNames() []string {
	var all []string
	for _, d := range drawings {
		all = append(all, d.name)
	}
	return all
}

type dagDrawOptions struct {
	catalogue.Options
	options            dag.Options
	output, outputFile string
	check              bool
}

func newDAGDrawCommand(program string, t terminal.Terminal) *cobra.Command {
	o := dagDrawOptions{}
	c := &cobra.Command{
		Use:   "draw FILE",
		Short: "Draw a workflow as SVG, DOT or Mermaid, with what is wrong with it marked",
		Long: `Draw a workflow: its nodes with their tasks, and what they hand over to each other. Edges that are only for the order are dashed.

What is wrong is marked, and the rules that are broken are named at the node. Without tasks, that is what the workflow itself tells,
such as nodes that wait for each other. With --tasks, with --registry, or with --check or a flag that chooses a cluster or namespace,
the workflow is also checked against tasks, as by "dag check".

FILE has a workflow in JSON or YAML; it may be - for the standard input. It exits with 0 if the workflow was drawn, whatever is wrong
with it, and with 2 if not.`,
		Example: strings.ReplaceAll(`  %s dag draw workflow.json > workflow.svg

  # With what is wrong by the tasks of a cluster
  %s dag draw workflow.json -n vision --output-file workflow.svg

  # For a Markdown file on GitHub
  %s dag draw workflow.json --tasks deploy/tasks -o mermaid`, "%s", program),
		RunE: func(c *cobra.Command, files []string) error {
			noteTaskFlags(c, &o.Options)
			c.PersistentFlags().VisitAll(func(f *pflag.Flag) { o.check = o.check || f.Changed })
			return o.run(c.Context(), t, files)
		},
	}
	flags := c.Flags()
	flags.StringVarP(&o.output, "output", "o", drawings[0].name, "`FORMAT`: "+strings.Join(drawingNames(), ", "))
	flags.StringVar(&o.outputFile, "output-file", "", "`FILE` to write to, instead of the standard output")
	flags.BoolVar(&o.check, "check", false, "check the workflow against the cluster's tasks")
	addTaskFlags(c, &o.Options)
	addTargetFlag(c, &o.options)
	c.ValidArgsFunction = cobra.FixedCompletions(workflowExtensions, cobra.ShellCompDirectiveFilterFileExt)
	if err := c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(drawingNames(), cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // there is no such flag
	}
	return c
}

func (o *dagDrawOptions) run(ctx context.Context, t terminal.Terminal, files []string) error {
	if len(files) != 1 {
		return errors.New("draw takes one FILE: a workflow in JSON or YAML, or - for the standard input")
	}
	at := slices.IndexFunc(drawings, func(d drawing) bool { return d.name == o.output })
	if at < 0 {
		return fmt.Errorf("--output %q is none of %s", o.output, strings.Join(drawingNames(), ", "))
	}
	if err := o.Validate(files); err != nil {
		return err
	}
	w, err := workflows.ReadFile(ctx, t.In, files[0])
	if err != nil {
		return err
	}
	graph, findings, err := o.judge(ctx, t, w)
	if err != nil {
		return err
	}
	if len(graph.Nodes) == 0 {
		return cannotDraw(w.Name, finding.Join(findings))
	}
	if err := t.RefuseOverwriting(o.outputFile, slices.Concat(files, o.Inputs())); err != nil {
		return err
	}
	err = t.Output(o.outputFile, []byte(drawings[at].draw(graph, findings)))
	if n := drawnLines(graph); err == nil && o.output == outputMermaid && n > maxMermaidLines {
		t.Say("note:", fmt.Sprintf("GitHub shows Mermaid of up to %d edges, and this has %d; draw it as svg, or split the workflow", maxMermaidLines, n))
	}
	if err == nil {
		fmt.Fprintln(t.ErrOut, o.summary(graph, finding.Join(findings)))
	}
	return err
}

// checks reports whether the workflow is to be checked against tasks.
func (o *dagDrawOptions) checks() bool { return o.check || o.Placeable || o.Offline() }

func (o *dagDrawOptions) summary(graph *dag.Graph, findings []finding.Finding) string {
	if !o.checks() {
		nodes, edges := terminal.Plural(len(graph.Nodes), "node"), terminal.Plural(len(graph.Edges), "edge")
		return fmt.Sprintf("%s, %s: %s, not checked against tasks", nodes, edges, report.Count(findings))
	}
	var counts edgeCounts
	counts.add(graph)
	return counts.String() + ": " + report.Count(findings)
}

// judge checks a workflow, as far as that was asked for.
func (o *dagDrawOptions) judge(ctx context.Context, t terminal.Terminal, w workflows.File) (*dag.Graph, []finding.Finding, error) {
	if o.checks() {
		known, err := o.Read(ctx, t)
		if err != nil {
			return nil, nil, err
		}
		graph, findings := dag.Check(w.Name, w.Content, known.Tasks(), o.options)
		left, _ := finding.Silence(findings, dag.Ignores(w.Name, w.Content))
		return graph, left, nil
	}
	graph, findings := dag.Check(w.Name, w.Content, dag.NewTasks(nil), o.options)
	findings, _ = finding.Silence(findings, dag.Ignores(w.Name, w.Content))
	return graph, slices.DeleteFunc(findings, func(f finding.Finding) bool {
		return f.Rule == finding.UnknownFunc || f.Rule == finding.UnregisteredCode
	}), nil
}

// cannotDraw returns why there is nothing to draw.
func cannotDraw(name string, findings []finding.Finding) error {
	text := name + " cannot be drawn"
	for _, f := range findings {
		text += fmt.Sprintf("; %s: %s %s", report.Where(f.File, f.Position), f.Rule, f.Message)
	}
	return errors.New(text)
}
