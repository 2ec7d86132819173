package serving

// Dropped returns the number of dropped shards that are remembered, deleted ones among them.
func (m *Memory) Dropped() int { return len(m.maps.dropped) }
