package finding

// ofPython are the rules of Python sources.
var ofPython = []Rule{
	newRule(Unreadable, "unreadable", SeverityError, "A file cannot be read."),
	newRule(WrongEncoding, "wrong-encoding", SeverityError, "The bytes of a file are not text in the encoding that Python reads it with."),
	newRule(SyntaxError, "syntax-error", SeverityError, "A file is not Python 3."),
	newRule(NotStaticallyKnown, "not-statically-known", SeverityError, "A value of a declaration is known only when the code runs."),
	newRule(DuplicateFunction, "duplicate-function", SeverityWarning, "Two functions declare a task of one name."),
	newRule(MissingName, "missing-name", SeverityError, "A declaration has no name for its task."),
	newRule(NotATask, "not-a-task", SeverityError, "Maze cannot run a decorated function as a task."),
	newRule(WrongArgument, "wrong-argument", SeverityError, "A decorator gets an argument that it does not take."),
	newRule(UnknownOutputs, "unknown-outputs", SeverityError, "What a function returns is not a dict literal with string keys."),
	newRule(UnknownType, "unknown-type", SeverityWarning, "An annotation has no counterpart in JSON Schema."),
	newRule(WrongDefault, "wrong-default", SeverityWarning, "A default is not of the type of its parameter, or no JSON."),
	newRule(UnclaimedDecorator, "unclaimed-decorator", SeverityWarning, "A decorator may be one of Maze's, or a wrapper around one, and is not claimed."),
	newRule(UnsupportedDevice, "unsupported-device", SeverityError, "A task needs a device that a MazeTask cannot ask for."),
	newRule(UnlikeSignature, "unlike-signature", SeverityWarning, "The declared inputs are not the parameters of the function."),
}
