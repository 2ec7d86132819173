package finding

// ofPython are the rules of Python sources.
var ofPython = []Rule{
	{Unreadable, "unreadable", SeverityError, "A file cannot be read.", ""},
	{WrongEncoding, "wrong-encoding", SeverityError, "The bytes of a file are not text in the encoding that Python reads it with.", ""},
	{SyntaxError, "syntax-error", SeverityError, "A file is not Python 3.", ""},
	{NotStaticallyKnown, "not-statically-known", SeverityError, "A value of a declaration is known only when the code runs.", ""},
	{DuplicateFunction, "duplicate-function", SeverityWarning, "Two functions declare a task of one name.", ""},
	{MissingName, "missing-name", SeverityError, "A declaration has no name for its task.", ""},
	{NotATask, "not-a-task", SeverityError, "Maze cannot run a decorated function as a task.", ""},
	{WrongArgument, "wrong-argument", SeverityError, "A decorator gets an argument that it does not take.", ""},
	{UnknownOutputs, "unknown-outputs", SeverityError, "What a function returns is not a dict literal with string keys.", ""},
	{UnknownType, "unknown-type", SeverityWarning, "An annotation has no counterpart in JSON Schema.", ""},
}
