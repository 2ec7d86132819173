package main

import (
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/catalogue"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/place"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/report"
)

// addFindingFlags adds the flags of findings to a command.
func addFindingFlags(c *cobra.Command, o *report.Options) {
	flags := c.Flags()
	flags.StringVar(&o.Format, "output-format", report.Formats()[0], "`FORMAT` of the findings: "+strings.Join(report.Formats(), ", "))
	flags.StringVar(&o.File, "output-file", "", "`FILE` to write the findings to, instead of the standard output")
	flags.BoolVar(&o.ExitZero, "exit-zero", false, "exit with 0 although there are findings")
	if err := c.RegisterFlagCompletionFunc("output-format", cobra.FixedCompletions(report.Formats(), cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // there is no such flag
	}
}

// addNodeFlags adds the flags of the nodes to judge by to a command.
func addNodeFlags(c *cobra.Command, o *place.NodeOptions) {
	flags := c.Flags()
	flags.StringVar(&o.Nodes, "nodes", place.ClusterNodes, "`FILE` of the nodes to judge by, as made by: kubectl get nodes -o yaml; or cluster")
	flags.StringVar(&o.Config, "config", "", "`FILE` with the operator's configuration; its defaults without one")
}

// addTaskFlags adds the flags of where tasks are from to a command.
func addTaskFlags(c *cobra.Command, s *catalogue.Options) {
	s.Cluster = genericclioptions.NewConfigFlags(false)
	s.Cluster.CacheDir = nil // nothing is discovered
	flags := c.Flags()
	flags.StringSliceVar(&s.Manifests, "tasks", nil, "`FILE|DIR` with MazeTasks in YAML or JSON, or Python sources with tasks; can be repeated")
	flags.StringVar(&s.Registry, "registry", "", "`FILE|DIR` with a registry: as printed by kubectl get configmaps "+
		"-l 'registry.mazeagent.net/registry in (index,shard)' -o yaml, a folder where maze-registry is mounted, or what discover -o task-meta prints")
	flags.BoolVar(&s.Placeable, "placeable", false, "also report nodes whose task no node of the cluster can host now")
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
