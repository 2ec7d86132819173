package lint

import (
	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
)

// Places are where the parts of a MazeTask are written, by their JSON pointers: its fields, those of its resources and its deprecation, and
// its parameters.
type Places map[string]finding.Position

// places returns where the parts of an object are written. Empty if that is not known.
func (o *object) places() Places {
	all := Places{}
	spec, ok := o.place.member("spec")
	if !ok {
		return all
	}
	for _, field := range spec.members() {
		at, _ := spec.member(field.Name)
		all[at.path] = at.at
		switch field.Name {
		case "inputParameters", "outputParameters":
			all.addMembers(at)
			if properties, ok := at.member("properties"); ok {
				all.addMembers(properties)
			}
		case "resources", "deprecated":
			all.addMembers(at)
		}
	}
	return all
}

func (p Places) addMembers(of place) {
	for _, member := range of.members() {
		at, _ := of.member(member.Name)
		p[at.path] = at.at
	}
}

// Parameter returns where a parameter is declared, below a field such as inputParameters: there, or where the field is, or nowhere.
func (p Places) Parameter(field, name string) (pointer string, at finding.Position) {
	declared, name := "/spec/"+field, jsontree.EscapeToken(name)
	for _, pointer := range []string{declared + "/properties/" + name, declared + "/" + name, declared} {
		if at, ok := p[pointer]; ok {
			return pointer, at
		}
	}
	return "", finding.Position{}
}
