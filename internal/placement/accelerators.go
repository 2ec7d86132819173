package placement

import "slices"

// Labels of nodes that tell by a name which GPUs they have.
const (
	gkeAccelerator = "cloud.google.com/gke-accelerator"
	instanceType   = "node.kubernetes.io/instance-type"
)

// accelerators are the GPUs of clouds whose labels name them and do not tell their memory, which is what NVIDIA's driver reports: where drivers
// or variants differ, the least. gpu.accelerators of the operator's configuration adds to them, and overrides them. The names are from
//   - GKE: https://cloud.google.com/kubernetes-engine/docs/concepts/gpus, and
//     https://cloud.google.com/compute/docs/gpus for the models;
//   - AKS: https://learn.microsoft.com/azure/virtual-machines/sizes/overview#gpu-accelerated. Sizes with a part of a GPU (NVads_A10_v5) are left
//     out, as the driver of their guest decides what they get;
//
// and the memory is that of docs/placement.md, and for older cards that of nvidia-smi in NVIDIA's and the clouds' documents.
var accelerators = []Accelerator{
	{gkeAccelerator, "nvidia-tesla-k80", 11441, 0},
	{gkeAccelerator, "nvidia-tesla-p4", 7611, 0},
	{gkeAccelerator, "nvidia-tesla-p100", 16276, 0},
	{gkeAccelerator, "nvidia-tesla-v100", 16130, 0},
	{gkeAccelerator, "nvidia-tesla-t4", 15360, 0},
	{gkeAccelerator, "nvidia-l4", 23034, 0},
	{gkeAccelerator, "nvidia-tesla-a100", 40960, 0},
	{gkeAccelerator, "nvidia-a100-80gb", 81920, 0},
	{gkeAccelerator, "nvidia-h100-80gb", 81559, 0},
	{gkeAccelerator, "nvidia-h100-mega-80gb", 81559, 0},
	{gkeAccelerator, "nvidia-h200-141gb", 143771, 0},
	{gkeAccelerator, "nvidia-b200", 183359, 0},
	{gkeAccelerator, "nvidia-gb200", 183359, 0}, // at least
	{gkeAccelerator, "nvidia-rtx-pro-6000", 97887, 0},

	{instanceType, "Standard_NC6s_v3", 16130, 1},
	{instanceType, "Standard_NC12s_v3", 16130, 2},
	{instanceType, "Standard_NC24s_v3", 16130, 4},
	{instanceType, "Standard_NC24rs_v3", 16130, 4},
	{instanceType, "Standard_ND40rs_v2", 32480, 8},
	{instanceType, "Standard_NC4as_T4_v3", 15360, 1},
	{instanceType, "Standard_NC8as_T4_v3", 15360, 1},
	{instanceType, "Standard_NC16as_T4_v3", 15360, 1},
	{instanceType, "Standard_NC64as_T4_v3", 15360, 4},
	{instanceType, "Standard_NC24ads_A100_v4", 81920, 1},
	{instanceType, "Standard_NC48ads_A100_v4", 81920, 2},
	{instanceType, "Standard_NC96ads_A100_v4", 81920, 4},
	{instanceType, "Standard_ND96asr_v4", 40960, 8},
	{instanceType, "Standard_ND96amsr_A100_v4", 81920, 8},
	{instanceType, "Standard_NC40ads_H100_v5", 95830, 1},
	{instanceType, "Standard_NC80adis_H100_v5", 95830, 2},
	{instanceType, "Standard_ND96isr_H100_v5", 81559, 8},
	{instanceType, "Standard_ND96isr_H200_v5", 143771, 8},
}

// accelerator returns the row of a label. It is nil if there is none.
func (c *Config) accelerator(label, value string) *Accelerator {
	for _, rows := range [][]Accelerator{c.Accelerators, accelerators} {
		if i := slices.IndexFunc(rows, func(a Accelerator) bool { return a.Label == label && a.Value == value }); i >= 0 {
			return &rows[i]
		}
	}
	return nil
}

// acceleratorLabels returns the labels that rows are of, each once: the known ones first.
func (c *Config) acceleratorLabels() []string {
	labels := []string{gkeAccelerator, instanceType}
	for i := range c.Accelerators {
		if label := c.Accelerators[i].Label; !slices.Contains(labels, label) {
			labels = append(labels, label)
		}
	}
	return labels
}

// values returns the values of a label whose GPUs have a memory, in MiB, and are so many on a node, sorted.
func (c *Config) values(label string, memory, count int64) []string {
	var values []string
	for _, rows := range [][]Accelerator{c.Accelerators, accelerators} {
		for i := range rows {
			if a := &rows[i]; a.Label == label && c.accelerator(label, a.Value) == a && a.Memory >= memory && (a.Count == 0 || a.Count >= count) {
				values = insert(values, a.Value)
			}
		}
	}
	return values
}

// awsMemory has, for what AWS says that a GPU has, in MiB, what it has at least as NVIDIA's driver reports it. AWS counts the memory that takes
// error correction, or less than there is. The first are of the labels in https://karpenter.sh/docs/reference/instance-types/.
var awsMemory = []struct{ told, least int64 }{
	{16384, 15360},   // T4, T4G; V100
	{22888, 22888},   // A10G (23028), L4 (23034)
	{24576, 23028},   // A10G, in older tables
	{32768, 32480},   // V100, RTX PRO 4500
	{40960, 40960},   // A100
	{45776, 45776},   // L40S (46068)
	{81920, 81251},   // A100, H100 (81559)
	{98304, 97887},   // RTX PRO 6000
	{144384, 143771}, // H200
	{183359, 183359}, // B200
	{275040, 275040}, // B300
}

// awsLeast returns what a GPU has at least, in MiB, of which AWS tells a memory. Cards that are not known may lose a sixteenth, as GDDR does.
func awsLeast(told int64) int64 {
	for _, row := range awsMemory {
		if row.told == told {
			return row.least
		}
	}
	return told - (told+15)/16
}

// awsTold returns the least that AWS must tell of GPUs so that they have a memory, in MiB: also all that tell more, of those that are known.
func awsTold(memory int64) int64 {
	safe := memory
	for awsUnknown(safe) < memory { // a few steps: each adds what is missing
		safe += memory - awsUnknown(safe)
	}
	for i := len(awsMemory) - 1; i >= 0 && awsMemory[i].least >= memory; i-- {
		if told := awsMemory[i].told; told < safe {
			safe = told
		}
	}
	for _, row := range awsMemory { // a known one above that has less
		if row.told >= safe && row.least < memory {
			safe = row.told + 1
		}
	}
	return safe
}

func awsUnknown(told int64) int64 { return told - (told+15)/16 }

// awsLargest is the largest GPU that AWS has, in MiB.
func awsLargest() int64 { return awsMemory[len(awsMemory)-1].least }
