// Package deploy holds the tests of how the operator is installed, watched and judged by other tools: Helm, Argo CD, Flux, Prometheus, Karpenter. It
// is a module of its own, so that who uses the operator's API does not get these tools' dependencies.
package deploy
