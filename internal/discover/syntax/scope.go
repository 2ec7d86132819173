package syntax

// Scope holds the names that a function or a class binds for the code in it.
type Scope struct {
	// outer is the scope of the function around it. It is nil at the top level.
	outer   *Scope
	isClass bool
	names   map[string][]*Binding
}

// Lookup returns what a name is bound to within functions and classes. It is empty for a name of the module.
func (s *Scope) Lookup(name string) []*Binding {
	for ; s != nil; s = s.outer {
		if bindings := s.names[name]; len(bindings) > 0 {
			return bindings
		}
	}
	return nil
}

// newScope returns the scope of a definition within another scope. The names of a class are not seen by the functions in it.
func newScope(outer *Scope, isClass bool) *Scope {
	for outer != nil && outer.isClass {
		outer = outer.outer
	}
	return &Scope{outer: outer, isClass: isClass, names: map[string][]*Binding{}}
}
