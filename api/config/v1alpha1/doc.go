// Package v1alpha1 holds the format of the operator's configuration file. No API server serves it: the operator reads the
// file when it starts.
package v1alpha1
