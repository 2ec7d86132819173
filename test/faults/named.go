package faults

// namedPlan returns the named plan of a name, nil if there is none.
func namedPlan(string) *Plan { return nil }
