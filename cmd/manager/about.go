package main

import (
	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/maze-agent/maregister/controllers"
	"github.com/maze-agent/maregister/internal/version"
)

// registerBuildInfo adds the metric that tells what runs.
func registerBuildInfo(into prometheus.Registerer, build version.Build) error {
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "maregister_build_info", Help: "What program runs; always 1.",
		ConstLabels: prometheus.Labels{"version": build.Version, "revision": build.Revision, "goversion": build.Go},
	})
	info.Set(1)
	return into.Register(info)
}

// logStart writes the line by which a log tells which program it is of, and what it was told to do.
func logStart(log logr.Logger, build version.Build, o *options, settings *controllers.Options) {
	namespaces, nodes := any(settings.Namespaces), "Watch"
	if len(settings.Namespaces) == 0 {
		namespaces = "all"
	}
	devices := "Auto"
	if settings.Placement.IgnoreDevices || settings.IgnoreNodes {
		devices = "Ignore"
	}
	if settings.IgnoreNodes {
		nodes = "Ignore"
	}
	log.Info("The operator starts",
		"version", build.Version, "revision", build.Revision, "go", build.Go,
		"config", o.config, "namespaces", namespaces, "nodes", nodes, "dynamicResources", devices, "shardSize", settings.ShardSize,
		"gpu", settings.Placement.ResourceName, "gpuProfiles", len(settings.Placement.Profiles), "predictorRules", len(settings.Predictors),
		"leaderElection", o.leaderElect, "lease", o.leaseNamespace+"/"+leaseName, "identity", o.identity, "metrics", o.metricsAddress)
}
