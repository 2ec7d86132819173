package serving

import (
	"github.com/maze-agent/maregister/internal/placement"
)

// Remember returns the memory for the next pass. It takes over what the last one held, which nobody may use any more.
func (p *Pass) Remember() *Memory {
	next := p.memory
	next.maps = p.maps
	if index := next.maps.index; index != nil && index.object != nil && index.holds != nil && index.object.Data != nil {
		light := *index
		object := *index.object
		object.Data, object.ManagedFields = nil, nil // the tree has it
		light.object = &object
		next.maps.index = &light
	}
	if p.published {
		next.maps.disturbed = false
	}
	if p.waiting != nil {
		next.waiting, next.contested = p.waiting, p.contested
	}
	if next.missed = p.behind || !p.decided && !p.published; p.behind || !p.decided {
		return next
	}
	if next.tasks == nil {
		next.tasks, next.names, next.uses = map[string]*record{}, map[string]*holding{}, map[placement.Requirement]*use{}
	}
	if p.seen.Live {
		next.floor = newest(next.floor, p.seen.View)
	}
	next.trouble = p.trouble()
	for name, r := range p.records {
		next.setRecord(name, r)
	}
	for requirement, u := range next.uses {
		if resolution := p.resolved[requirement]; resolution != nil {
			u.resolution = resolution
		}
	}
	for key, h := range p.holdings {
		if h == nil {
			delete(next.names, key)
			continue
		}
		next.names[key] = h
	}
	next.nodes, next.wanted, next.published, next.trusted = p.seen.NodesRevision, p.wanted, p.served, p.trusted
	next.assumed = p.assumed
	if p.published {
		next.published, next.trusted, next.assumed = p.target, true, nil
	}
	return next
}

// setRecord replaces the record of a task: nil for one that is gone.
func (m *Memory) setRecord(name string, next *record) {
	if last := m.tasks[name]; last != nil {
		for _, e := range []*placed{last.own, last.large, last.last} {
			if e == nil {
				continue
			}
			u := m.uses[e.requirement]
			if u == nil {
				continue
			}
			if delete(u.tasks, name); len(u.tasks) == 0 {
				delete(m.uses, e.requirement)
			}
		}
	}
	if next == nil {
		delete(m.tasks, name)
		return
	}
	m.tasks[name] = next
	for _, e := range []*placed{next.own, next.large, next.last} {
		if e == nil {
			continue
		}
		u := m.uses[e.requirement]
		if u == nil {
			u = &use{tasks: map[string]struct{}{}}
			m.uses[e.requirement] = u
		}
		u.resolution = e.resolution
		u.tasks[name] = struct{}{}
	}
}
