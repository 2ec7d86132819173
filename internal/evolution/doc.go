// Package evolution judges what an edit of a task breaks: from an old and a new entry it makes a verdict for each change, and for the whole.
//
// It is pure. A verdict is proven or it is [Unknown]:
//
//	Compatible  every call that the old version took is taken by the new one, and every result of the new one is one that the old allowed
//	Breaking    a call, or a result, shows the contrary: the JSON Schema library has confirmed it, and the report has it
//	Unknown     neither could be shown, or it depends on who reads the task
//
// # What is compared
//
// Arguments go from callers that know the old version to the new one, results from the new version to readers that know the old one. So
// inputs may widen, and outputs may narrow.
//
// A call has only arguments that are declared, as "dag check" refuses others (MZ207). JSON Schema allows any name where nothing is said; so
// an input that is no longer declared is refused, although its schema would let it pass.
//
// An object inside an argument lets members pass that it does not declare. One that is no longer declared is not refused, but nobody may heed
// it: that is Unknown.
//
// What else an entry holds (resources, placement, entry point, predictor, description, defaults, formats) is told, and never breaking.
package evolution
