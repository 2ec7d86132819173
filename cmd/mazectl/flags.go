package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/catalogue"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/place"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/report"
)

// silencing is what help says of what silences findings where they are.
const silencing = `A comment silences findings in its line, or, if nothing else is there, in the next one: "# maze: ignore[MZ105]". Above the
first line of an object in YAML, it is about all of the object. "# maze: ignore-file[MZ105, MZ0]" is about the file; without brackets,
all rules are meant. Where there are no comments, as in JSON, the annotation
"registry.mazeagent.net/ignore: MZ105" of a MazeTask silences what is in it. What silences nothing is told.`

// addOutputFlag adds -o for the findings that are a command's result. --output-format is what it was called first.
func addOutputFlag(c *cobra.Command, o *report.Options) {
	flags := c.Flags()
	o.Flag = "--output"
	flags.StringVarP(&o.Format, "output", "o", report.Formats()[0], "`FORMAT` of the findings: "+strings.Join(report.Formats(), ", "))
	flags.StringVar(&o.Format, "output-format", report.Formats()[0], "the same as --output `FORMAT`")
	flags.StringVar(&o.File, "output-file", "", "`FILE` to write the findings to, instead of the standard output")
	complete(c, "output", report.Formats())
	complete(c, "output-format", report.Formats())
}

// addFindingFlags adds the flags that say which findings are reported, and which are a failure.
func addFindingFlags(c *cobra.Command, o *report.Options) {
	flags := c.Flags()
	flags.StringSliceVar(&o.Select, "select", nil, "`CODE` of rules to report alone, such as MZ213, or MZ2 for all that begin so; can be repeated")
	flags.StringSliceVar(&o.Ignore, "ignore", nil, "`CODE` of rules not to report; can be repeated; of two codes that fit, the longer one decides")
	flags.BoolVar(&o.Strict, "strict", false, "exit with 1 for warnings, too")
	flags.BoolVar(&o.ExitZero, "exit-zero", false, "exit with 0 although there are findings")
	for _, name := range []string{"select", "ignore"} {
		if err := c.RegisterFlagCompletionFunc(name, completeRules); err != nil {
			panic(err) // there is no such flag
		}
	}
}

// complete completes the values of a flag.
func complete(c *cobra.Command, flag string, values []string) {
	if err := c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // there is no such flag
	}
}

// completeRules completes the last of several codes, which commas separate.
func completeRules(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	before := typed[:strings.LastIndexByte(typed, ',')+1]
	var out []string
	for _, one := range slices.Concat(ruleGroups, ruleCompletions()) {
		out = append(out, before+one)
	}
	return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// ruleGroups are the beginnings of the codes of what is judged.
var ruleGroups = []string{
	cobra.CompletionWithDesc("MZ0", "all rules of Python sources"),
	cobra.CompletionWithDesc("MZ1", "all rules of manifests"),
	cobra.CompletionWithDesc("MZ2", "all rules of workflows"),
	cobra.CompletionWithDesc("MZ3", "all rules of changes"),
}

// addNodeFlags adds the flags of the nodes to judge by to a command.
func addNodeFlags(c *cobra.Command, o *place.NodeOptions) {
	flags := c.Flags()
	flags.StringVar(&o.Nodes, "nodes", place.ClusterNodes,
		"`FILE` of the nodes to judge by, as made by: kubectl get nodes,resourceslices,deviceclasses -o yaml; or cluster")
	flags.StringVar(&o.Config, "config", "", "`FILE` with the operator's configuration; its defaults without one")
}

// addTaskFlags adds the flags of where tasks are from to a command.
func addTaskFlags(c *cobra.Command, s *catalogue.Options) {
	s.Cluster = genericclioptions.NewConfigFlags(false)
	s.Cluster.CacheDir = nil // nothing is discovered
	s.Advice = catalogue.Advice{Instead: "give --tasks or --registry", Namespace: "with -n"}
	flags := c.Flags()
	flags.StringSliceVar(&s.Manifests, "tasks", nil, "`FILE|DIR` with MazeTasks in YAML or JSON, or Python sources with tasks; can be repeated")
	flags.StringVar(&s.Registry, "registry", "", "`FILE|DIR` with a registry: as printed by kubectl get configmaps "+
		"-l 'registry.mazeagent.net/registry in (index,shard)' -o yaml, a folder where maze-registry is mounted, or what discover -o task-meta prints")
	flags.BoolVar(&s.Placeable, "placeable", false, "also report nodes whose task no node of the cluster can host now")
	addDecoratorFlag(c, &s.Claims)
	addNodeFlags(c, &s.NodeOptions)
	flags.Lookup("nodes").Usage = "with --placeable, " + flags.Lookup("nodes").Usage
	flags.Lookup("config").Usage = "with --placeable, " + flags.Lookup("config").Usage
	s.Cluster.AddFlags(c.PersistentFlags())
	c.PersistentFlags().Lookup("namespace").Usage = "Namespace of the tasks; of --tasks and --registry, those of all namespaces without it"
	manifests := cobra.FixedCompletions([]string{"yaml", "yml", "json", "py"}, cobra.ShellCompDirectiveFilterFileExt)
	for name, complete := range map[string]cobra.CompletionFunc{
		"tasks": manifests, "registry": manifests, "nodes": manifests, "config": manifests,
	} {
		if err := c.RegisterFlagCompletionFunc(name, complete); err != nil {
			panic(err) // there is no such flag
		}
	}
}

// noteTaskFlags remembers which flags the user gave.
func noteTaskFlags(c *cobra.Command, s *catalogue.Options) {
	given := c.Flags().Changed
	s.Given = catalogue.Given{Tasks: given("tasks"), Registry: given("registry"), Nodes: given("nodes"), Config: given("config")}
}
