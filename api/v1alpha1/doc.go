// Package v1alpha1 holds the MazeTask API: a task that the Maze agent
// framework can schedule, declared as a Kubernetes object.
//
// +kubebuilder:object:generate=true
// +kubebuilder:ac:generate=true
// +groupName=registry.mazeagent.net
package v1alpha1
