package main

import (
	"fmt"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/util/uuid"
)

// Environment variables, which the Pod's manifest sets from the downward API.
const (
	podNameVariable      = "POD_NAME"
	podUIDVariable       = "POD_UID"
	podNamespaceVariable = "POD_NAMESPACE"
)

// identityVariable hands the identity over to the program that takes this one's place, where no Pod gives one.
const identityVariable = "MAREGISTER_IDENTITY"

// namespaceFile is where the kubelet tells a Pod its namespace.
const namespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

// identityFrom returns the name under which this process holds the lease. In a Pod it is the Pod's name and UID, so that a restarted
// container finds the lease to be its own; no other Pod has that UID. Elsewhere it is the host's name and a random part.
func identityFrom(getenv func(string) string, hostname func() (string, error)) (string, error) {
	name, uid := getenv(podNameVariable), getenv(podUIDVariable)
	switch {
	case name != "" && uid != "":
		return name + "_" + uid, nil
	case name != "" || uid != "":
		return "", fmt.Errorf("set both of %s and %s, or neither", podNameVariable, podUIDVariable)
	case getenv(identityVariable) != "":
		return getenv(identityVariable), nil
	}
	host, err := hostname()
	if err != nil {
		return "", fmt.Errorf("make an identity for the lease: %w", err)
	}
	return host + "_" + string(uuid.NewUUID()), nil
}

// leaseNamespaceFrom returns the namespace of the lease: the flag's, else the Pod's.
func leaseNamespaceFrom(flag string, getenv func(string) string, file string) (string, error) {
	if flag != "" {
		return flag, nil
	}
	if namespace := getenv(podNamespaceVariable); namespace != "" {
		return namespace, nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("find the namespace of the lease: give --leader-election-namespace, or --leader-elect=false: %w", err)
	}
	return strings.TrimSpace(string(content)), nil
}
