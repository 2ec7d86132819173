package place

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	resourcev1 "k8s.io/api/resource/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/devices"
	"github.com/maze-agent/maregister/internal/placement"
)

const (
	gibibyte = 1 << 10 // in MiB
	// maxClassName is the longest name of a class that a Pod can ask for.
	maxClassName = 63
)

// WriteClasses prints the DeviceClasses by which tasks could run that no node is known to host now: one for each size of the GPUs that slices tell
// of, as far as some task needs it. It returns how many tasks that would be.
func WriteClasses(to io.Writer, all []Judged, nodes *Inventories) (served int, err error) {
	suggested := nodes.suggest(all)
	for i := range suggested {
		s := &suggested[i]
		content, err := yaml.Marshal(map[string]any{
			"apiVersion": resourcev1.SchemeGroupVersion.String(), "kind": "DeviceClass", "metadata": map[string]string{"name": s.class.Name}, "spec": s.class.Spec,
		})
		if err != nil {
			return 0, fmt.Errorf("encode a DeviceClass: %w", err)
		}
		names := make([]string, len(s.tasks))
		for k := range s.tasks {
			names[k] = s.tasks[k].title()
		}
		if _, err := fmt.Fprintf(to, "---\n# for %s\n%s", strings.Join(names, ", "), content); err != nil {
			return 0, err
		}
		served += len(s.tasks)
	}
	return served, nil
}

// suggestion is a class, and the tasks that could run by it.
type suggestion struct {
	class *resourcev1.DeviceClass
	tasks []Judged
}

// suggest tries a class of each size, for each kind of GPUs that a task asks for, and returns those that placements choose.
func (n *Inventories) suggest(all []Judged) []suggestion {
	var waiting []Judged
	for _, j := range all {
		if j.refused == "" && j.requirement.Type == v1alpha1.ResourceTypeGPU && j.After.Verdict.Status != metav1.ConditionTrue {
			waiting = append(waiting, j)
		}
	}
	published := n.all.Devices
	published.ImplicitNames = true // by which the classes are asked for
	models := slices.DeleteFunc(devices.NewInventory(published).Models(), func(m devices.Model) bool {
		return m.Memory == 0 || strings.ContainsAny(m.Driver+m.Type+m.Product, `'\`) // no expression is made of that
	})
	var tried []suggestion
	for _, j := range waiting {
		for i := range models {
			if !isOfKind(&models[i], &j.requirement.Kind) {
				continue
			}
			class := classOf(&models[i], models, &j.requirement.Kind)
			known := func(c *resourcev1.DeviceClass) bool { return c.Name == class.Name }
			if slices.ContainsFunc(published.Classes, known) || slices.ContainsFunc(tried, func(s suggestion) bool { return known(s.class) }) {
				continue
			}
			tried = append(tried, suggestion{class: class})
		}
	}
	for i := range tried {
		published.Classes = append(slices.Clip(published.Classes), tried[i].class)
	}
	with := InventoryOf(n.rules, Nodes{Nodes: n.all.Nodes, Devices: published})
	for _, j := range waiting {
		got := placement.Resolve(j.requirement, with)
		if got.Verdict.Status != metav1.ConditionTrue {
			continue
		}
		name := strings.TrimPrefix(string(got.Placement.GPU.ResourceName), resourcev1.ResourceDeviceClassPrefix)
		if at := slices.IndexFunc(tried, func(s suggestion) bool { return s.class.Name == name }); at >= 0 {
			tried[at].tasks = append(tried[at].tasks, j)
		}
	}
	tried = slices.DeleteFunc(tried, func(s suggestion) bool { return len(s.tasks) == 0 })
	slices.SortFunc(tried, func(a, b suggestion) int { return cmp.Compare(a.class.Name, b.class.Name) })
	return tried
}

func isOfKind(m *devices.Model, kind *placement.Kind) bool {
	return m.Capability >= int64(kind.Capability) && (len(kind.Products()) == 0 || kind.Names(m.Product))
}

// classOf returns the class of the GPUs that have the memory of a model, or more, and are of a kind.
func classOf(m *devices.Model, models []devices.Model, kind *placement.Kind) *resourcev1.DeviceClass {
	size, unit := m.Memory/gibibyte, "Gi"
	if size == 0 {
		size, unit = m.Memory, "Mi"
	}
	name := fmt.Sprintf("%s-%d%s", cmp.Or(m.Type, "gpu"), size, strings.ToLower(unit))
	attributes, memory := fmt.Sprintf("device.attributes['%s']", m.Driver), fmt.Sprintf("device.capacity['%s'].memory", m.Driver)
	parts := []string{
		fmt.Sprintf("device.driver == '%s'", m.Driver), fmt.Sprintf("%s.?type.orValue('') == '%s'", attributes, m.Type),
		fmt.Sprintf("has(%s)", memory), fmt.Sprintf("%s.compareTo(quantity('%d%s')) >= 0", memory, size, unit),
	}
	if kind.Capability > 0 {
		name += "-cc-" + kind.Capability.String()
		parts = append(parts, fmt.Sprintf("has(%s.cudaComputeCapability)", attributes),
			fmt.Sprintf("%s.cudaComputeCapability.compareTo(semver('%s.0')) >= 0", attributes, kind.Capability))
	}
	if len(kind.Products()) > 0 {
		var products []string
		for i := range models {
			if quoted := "'" + models[i].Product + "'"; kind.Names(models[i].Product) && !slices.Contains(products, quoted) {
				products = append(products, quoted)
			}
		}
		name += "-" + strings.Join(kind.Products(), "-")
		parts = append(parts, fmt.Sprintf("%s.?productName.orValue('') in [%s]", attributes, strings.Join(products, ", ")))
	}
	class := &resourcev1.DeviceClass{ObjectMeta: metav1.ObjectMeta{Name: className(name)}}
	class.Spec.Selectors = []resourcev1.DeviceSelector{{CEL: &resourcev1.CELDeviceSelector{Expression: strings.Join(parts, " && ")}}}
	return class
}

// className makes the name of an object of a text.
func className(text string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(text))
	return strings.Trim(name[:min(len(name), maxClassName)], "-")
}
