package placement

import "math/bits"

// demand is what a requirement comes to, in this configuration.
type demand struct {
	Requirement
	// memory is what the GPUs must have together, in MiB, as it is compared.
	memory int64
	// nominal says that memory is compared as cards are sold.
	nominal bool
	// even says that the task's backend splits its model evenly.
	even bool
}

func (c *Config) demandOf(r *Requirement) demand {
	d := demand{Requirement: *r, memory: r.GPUMemory, nominal: c.Nominal, even: c.splitsEvenly(r)}
	if d.nominal && !r.Decimal {
		d.memory = asSold(d.memory)
	}
	return d
}

// asSold returns what is meant, in MiB, if a size in MiB is read as one that cards are sold by: each Gi as a GB.
func asSold(mebibytes int64) int64 {
	const gigabyte, gibibyte = 1_000_000_000, 1 << 30
	return (mebibytes*gigabyte + gibibyte - 1) / gibibyte
}

// allowed returns the least number of GPUs, from n on, that the task's model allows: one that it names, or, where its backend splits evenly, a
// power of two, for that divides the number of attention heads in practice. It is 0 if there is none.
func (d *demand) allowed(n int64) int64 {
	switch {
	case d.Counts != 0:
		k, _ := d.Counts.atLeast(n)
		return k
	case d.even && n > 1:
		return 1 << bits.Len64(uint64(n-1))
	default:
		return n
	}
}
