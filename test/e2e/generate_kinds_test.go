package e2e

import (
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// capabilities are those of the cards, by a part of their name: what GPU Feature Discovery writes into two labels.
var capabilities = []struct {
	name         string
	major, minor int
}{
	{"T4", 7, 5}, {"L40S", 8, 9}, {"L4", 8, 9}, {"A10G", 8, 6}, {"A100", 8, 0}, {"H100", 9, 0}, {"H200", 9, 0}, {"B200", 10, 0},
}

// kind labels a node by what it is: its system, its processor, and what its GPUs can do, which old GPU Feature Discovery does not tell.
func (g generator) kind(node *corev1.Node) {
	node.Labels[corev1.LabelArchStable] = pick(g, "amd64", "amd64", "amd64", "arm64")
	if g.oneIn(20) {
		node.Labels[corev1.LabelOSStable] = "windows"
	}
	product := node.Labels[resourceGPU+".product"]
	for _, c := range capabilities {
		if strings.Contains(product, c.name) && !g.oneIn(20) {
			node.Labels[resourceGPU+".compute.major"] = strconv.Itoa(c.major)
			if !g.oneIn(20) {
				node.Labels[resourceGPU+".compute.minor"] = strconv.Itoa(c.minor)
			}
			return
		}
	}
}

// requirements are what a task's GPUs must be.
func (g generator) requirements() *v1alpha1.GPURequirements {
	r := &v1alpha1.GPURequirements{}
	if g.oneIn(2) {
		r.MinComputeCapability = pick(g, "7.0", "7.5", "8.0", "8.6", "8.9", "9.0", "10.0", "12.0")
	}
	if g.oneIn(3) {
		r.Architecture = pick(g, "amd64", "amd64", "arm64")
	}
	if r.MinComputeCapability == "" && r.Architecture == "" || g.oneIn(4) {
		for range 1 + g.IntN(4) {
			if c := pick(g, cards...); !slices.Contains(r.Products, c.product) {
				r.Products = append(r.Products, c.product)
			}
		}
	}
	return r
}

// isHost reports whether a node, whatever its GPUs, is what the task needs.
func (o oracle) isHost(node *corev1.Node) bool {
	r := o.task.GPURequirements
	return node.Labels["kubernetes.io/os"] != "windows" && (r == nil || r.Architecture == "" || r.Architecture == node.Labels["kubernetes.io/arch"])
}

// isKind reports whether the labels of a node say that its GPUs are what the task needs, besides their memory.
func (o oracle) isKind(node *corev1.Node) bool {
	return o.isHost(node) && o.isCard(node.Labels["nvidia.com/gpu.compute.major"], node.Labels["nvidia.com/gpu.compute.minor"],
		strings.TrimSuffix(node.Labels["nvidia.com/gpu.product"], "-SHARED"))
}

// isCard reports whether a GPU is what the task needs, besides its memory, by its compute capability and its product.
func (o oracle) isCard(major, minor, product string) bool {
	r := o.task.GPURequirements
	if r == nil {
		return true
	}
	if r.MinComputeCapability != "" {
		number := func(text string) float64 {
			n, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return -1
			}
			return n
		}
		wantMajor, wantMinor, _ := strings.Cut(r.MinComputeCapability, ".")
		has, below := number(major), number(minor)
		if has < number(wantMajor) || has == number(wantMajor) && below < number(wantMinor) && wantMinor != "0" {
			return false
		}
	}
	return len(r.Products) == 0 || slices.ContainsFunc(r.Products, func(name string) bool {
		return product == name || strings.HasPrefix(product, name+"-MIG-")
	})
}
