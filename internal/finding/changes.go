package finding

import "strings"

// Codes of the rules of changes: what the edit of a task means to those who use it. Those up to MZ319 break somebody, those up to MZ339 may,
// and the others do not.
const (
	TaskRemoved        = "MZ301"
	TaskRenamed        = "MZ302"
	InputRemoved       = "MZ303"
	InputRenamed       = "MZ304"
	InputRequired      = "MZ305"
	InputNarrowed      = "MZ306"
	OutputMissing      = "MZ307"
	OutputWidened      = "MZ308"
	OutputUnexpected   = "MZ309"
	CombinationRefused = "MZ310"
	WorkflowBroken     = "MZ311"

	OutputRemoved    = "MZ321"
	FormatChanged    = "MZ322"
	MembersChanged   = "MZ323"
	UndeclaredSide   = "MZ324"
	UndecidedChange  = "MZ325"
	IncomparableTask = "MZ326"

	TaskAdded        = "MZ341"
	CompatibleChange = "MZ342"
	DefaultChanged   = "MZ343"
	SettingChanged   = "MZ344"
	TaskDeprecated   = "MZ345"
	WorkflowInvalid  = "MZ346"
)

// ofChanges are the rules of what changes between two versions of tasks.
var ofChanges = []Rule{
	newRule(TaskRemoved, "task-removed", SeverityError, "A task that there was is gone."),
	newRule(TaskRenamed, "task-renamed", SeverityError, "A task is gone, and one with the same parameters came."),
	newRule(InputRemoved, "input-removed", SeverityError, "A task no longer takes an input."),
	newRule(InputRenamed, "input-renamed", SeverityError, "An input is gone, and one with the same values came."),
	newRule(InputRequired, "input-required", SeverityError, "A task requires an input that callers could leave out."),
	newRule(InputNarrowed, "input-narrowed", SeverityError, "An input of a task refuses a value that it took."),
	newRule(OutputMissing, "output-missing", SeverityError, "A result may lack an output that every result had."),
	newRule(OutputWidened, "output-widened", SeverityError, "An output of a task may be a value that it never was."),
	newRule(OutputUnexpected, "output-unexpected", SeverityError, "A result may have an output that the old version forbade."),
	newRule(CombinationRefused, "combination-refused", SeverityError, "What parameters have to be together has changed, and refuses what passed."),
	newRule(WorkflowBroken, "workflow-broken", SeverityError, "A workflow that was right with the old tasks is wrong with the new ones."),

	newRule(OutputRemoved, "output-removed", SeverityWarning, "An output that a result could lack is gone, or has another name."),
	newRule(FormatChanged, "format-changed", SeverityWarning, "A text stands for something else, such as a file."),
	newRule(MembersChanged, "members-changed", SeverityWarning, "An object no longer declares a member, or something else holds for undeclared members."),
	newRule(UndeclaredSide, "undeclared-side", SeverityWarning, "The inputs or the outputs are declared in one version alone."),
	newRule(UndecidedChange, "undecided-change", SeverityWarning, "Whether a change breaks something could not be shown."),
	newRule(IncomparableTask, "incomparable-task", SeverityWarning, "A task cannot be compared, as one of its versions cannot be used."),

	newRule(TaskAdded, "task-added", SeverityNote, "There is a new task."),
	newRule(CompatibleChange, "compatible-change", SeverityNote, "The parameters of a task have changed, and no one who uses it notices."),
	newRule(DefaultChanged, "default-changed", SeverityNote, "Another value is used where an argument is left out."),
	newRule(SettingChanged, "setting-changed", SeverityNote, "Something besides the parameters has changed, such as resources or the entry point."),
	newRule(TaskDeprecated, "task-deprecated", SeverityNote, "A task is deprecated now, in other words than before, or no longer."),
	newRule(WorkflowInvalid, "workflow-invalid", SeverityNote, "A workflow is wrong with the new tasks, and was wrong with the old ones, too."),
}

// ChangePrefix begins the codes of all rules of changes.
const ChangePrefix = codePrefix + "3"

// IsOfChanges reports whether a rule, or the beginning of rules, is one of changes: whether something breaks it depends on the version that
// files are compared with.
func IsOfChanges(code string) bool { return strings.HasPrefix(code, ChangePrefix) }

// MeansChanges reports whether a text, as it is written in a comment, means rules of changes. So does one that is almost the name of such a
// rule, or would be the code of one.
func MeansChanges(written string) bool {
	if prefix := prefixOf(written); isPrefix(prefix) || IsOfChanges(prefix) {
		return IsOfChanges(prefix)
	}
	return IsOfChanges(prefixOf(Useless{Rule: written}.Meant()))
}
