// What internal/discover/python calls: tree-sitter's Python parser, as a module of WebAssembly with one parser and one tree.
//
// Nodes are known by their index in an array, in which the children of a node follow each other. The array grows as children
// are asked for, so that of a large tree only what is looked at is taken out.

#include "lib.c"

const TSLanguage *tree_sitter_python(void);

#define EXPORT(name) __attribute__((export_name(#name)))

// Of libc, what the parser would need to say why it aborts, and to look at a clock, which it does not: this keeps imports out.
int fprintf(FILE *file, const char *format, ...) { return 0; }
int snprintf(char *buffer, size_t size, const char *format, ...) { return 0; }
int vsnprintf(char *buffer, size_t size, const char *format, va_list arguments) { return 0; }
int fputs(const char *text, FILE *file) { return 0; }
int fputc(int character, FILE *file) { return 0; }
int fclose(FILE *file) { return 0; }
FILE *fdopen(int descriptor, const char *mode) { return NULL; }
int clock_gettime(clockid_t clock, struct timespec *time) { return -1; }
clock_t clock(void) { return 0; }
void abort(void) { __builtin_trap(); }

enum { NAMED = 1, ERROR = 2, MISSING = 4, HAS_ERROR = 8 };

// Record is read from the memory: keep it as parser.go has it.
typedef struct {
  uint32_t start, end;
  uint16_t symbol;
  uint8_t field, flags;
} Record;

static TSParser *parser;
static TSTree *tree;
static char *source;
static uint32_t source_length;
static int64_t budget;
static int64_t error_at;

// ERROR_BUDGET is how many steps are left once something is no Python: enough to find the place in a file of usual size. To
// recover from very many errors would take time that grows with their square.
enum { ERROR_BUDGET = 200 };
static Array(Record) records;
static Array(TSNode) nodes;
static TSSymbol module, block, expression_statement, decorated_definition, else_clause, elif_clause, except_clause, finally_clause;

static TSSymbol symbol_named(const char *name) { return ts_language_symbol_for_name(tree_sitter_python(), name, strlen(name), true); }

EXPORT(init) void init(void) {
  parser = ts_parser_new();
  if (!ts_parser_set_language(parser, tree_sitter_python())) abort();
  module = symbol_named("module");
  block = symbol_named("block");
  expression_statement = symbol_named("expression_statement");
  decorated_definition = symbol_named("decorated_definition");
  else_clause = symbol_named("else_clause");
  elif_clause = symbol_named("elif_clause");
  except_clause = symbol_named("except_clause");
  finally_clause = symbol_named("finally_clause");
}

// buffer returns where to put a source of so many bytes.
EXPORT(buffer) char *buffer(uint32_t length) {
  free(source);
  source = ts_malloc(length + 1);
  source_length = length;
  return source;
}

static const char *read_source(void *payload, uint32_t byte, TSPoint point, uint32_t *length) {
  *length = byte < source_length ? source_length - byte : 0;
  return source + byte;
}

// has_error says whether no way to read the source is left without an error.
static bool has_error(void) {
  for (StackVersion version = 0; version < ts_stack_version_count(parser->stack); version++) {
    if (ts_stack_error_cost(parser->stack, version) == 0) return false;
  }
  return true;
}

static bool is_over_budget(TSParseState *state) {
  if (error_at < 0 && has_error()) {
    error_at = state->current_byte_offset;
    if (budget > ERROR_BUDGET) budget = ERROR_BUDGET;
  }
  return --budget < 0;
}

static uint32_t push(TSNode node, uint8_t field) {
  Record record = {
    .start = ts_node_start_byte(node), .end = ts_node_end_byte(node), .symbol = ts_node_symbol(node), .field = field,
    .flags = ts_node_is_named(node) * NAMED | ts_node_is_error(node) * ERROR | ts_node_is_missing(node) * MISSING |
             ts_node_has_error(node) * HAS_ERROR,
  };
  array_push(&records, record);
  array_push(&nodes, node);
  return records.size - 1;
}

// parse parses the buffer, within a budget of steps of a hundred operations. It returns whether it could: if not, the module is
// of no more use, as ts_parser_reset does not undo everything. The root is node 0.
EXPORT(parse) bool parse(int64_t steps) {
  if (tree) ts_tree_delete(tree);
  array_clear(&records);
  array_clear(&nodes);
  budget = steps;
  error_at = -1;
  TSInput input = {.read = read_source, .encoding = TSInputEncodingUTF8};
  TSParseOptions options = {.progress_callback = is_over_budget};
  tree = ts_parser_parse_with_options(parser, NULL, input, options);
  if (!tree) return false;
  push(ts_tree_root_node(tree), 0);
  return true;
}

// error returns about where the source ceased to be Python, or -1. It is for sources that were given up.
EXPORT(error) int32_t error(void) { return error_at; }

// children takes out the children of a node and returns how many they are; they are the last ones of all nodes.
EXPORT(children) uint32_t children(uint32_t parent) {
  uint32_t before = records.size;
  TSTreeCursor cursor = ts_tree_cursor_new(nodes.contents[parent]);
  if (ts_tree_cursor_goto_first_child(&cursor)) {
    do {
      push(ts_tree_cursor_current_node(&cursor), ts_tree_cursor_current_field_id(&cursor));
    } while (ts_tree_cursor_goto_next_sibling(&cursor));
  }
  ts_tree_cursor_delete(&cursor);
  return records.size - before;
}

EXPORT(count) uint32_t count(void) { return records.size; }
EXPORT(at) Record *at(void) { return records.contents; }

// Visit says of a node whether it is looked for, and whether to look within.
typedef struct { bool found, within; } Visit;

// first takes out the first node, in the order of the source, that is looked for. It returns its index, or -1.
static int32_t first(Visit (*visit)(TSNode node, TSNode parent, uint32_t argument), uint32_t argument) {
  TSTreeCursor cursor = ts_tree_cursor_new(ts_tree_root_node(tree));
  int32_t found = -1;
  Array(TSNode) parents = array_new();
  array_push(&parents, ts_tree_root_node(tree));
  for (bool more = true; more && found < 0;) {
    TSNode node = ts_tree_cursor_current_node(&cursor);
    Visit look = visit(node, *array_back(&parents), argument);
    if (look.found) found = push(node, 0);
    if (look.within && ts_tree_cursor_goto_first_child(&cursor)) {
      array_push(&parents, node);
      continue;
    }
    while (more && !ts_tree_cursor_goto_next_sibling(&cursor)) {
      more = ts_tree_cursor_goto_parent(&cursor);
      if (more) (void)array_pop(&parents);
    }
  }
  array_delete(&parents);
  ts_tree_cursor_delete(&cursor);
  return found;
}

static Visit is_error(TSNode node, TSNode parent, uint32_t argument) {
  return (Visit){.found = ts_node_is_error(node) || ts_node_is_missing(node), .within = ts_node_has_error(node)};
}

static Visit is_symbol(TSNode node, TSNode parent, uint32_t symbol) {
  return (Visit){.found = ts_node_symbol(node) == symbol, .within = true};
}

typedef struct { bool first_on_line; uint32_t column, tabless; } Indentation;

// MAX_INDENTATION, in bytes, bounds what a hostile file can cost. Python has 100 levels at most.
enum { MAX_INDENTATION = 2000 };

// indentation_of measures as Python does: tabs go to the next multiple of 8, and must not be what makes the difference.
static Indentation indentation_of(TSNode node) {
  uint32_t start = ts_node_start_byte(node), length = ts_node_start_point(node).column;
  Indentation found = {length <= MAX_INDENTATION, 0, 0};
  for (uint32_t i = start - length; i < start && found.first_on_line; i++) {
    switch (source[i]) {
      case ' ': found.column++; found.tabless++; break;
      case '\t': found.column = (found.column / 8 + 1) * 8; found.tabless++; break;
      case '\f': found.column = found.tabless = 0; break;
      default: found.first_on_line = false;
    }
  }
  return found;
}

// may_hold_block says whether a node may have blocks in it. One that ends in a colon has an empty one.
static bool may_hold_block(TSNode node) {
  uint32_t end = ts_node_end_byte(node);
  if (ts_node_symbol(node) == expression_statement || end == 0) return false;
  return ts_node_start_point(node).row < ts_node_end_point(node).row || source[end - 1] == ':';
}

// is_misplaced says whether a statement or a clause is indented otherwise than those that it goes with, or a block is empty.
// tree-sitter takes both.
static Visit is_misplaced(TSNode node, TSNode parent, uint32_t argument) {
  TSSymbol symbol = ts_node_symbol(node), of = ts_node_symbol(parent);
  Visit look = {symbol == block && ts_node_start_byte(node) == ts_node_end_byte(node), may_hold_block(node)};
  if (look.found) return look;
  bool is_clause = symbol == else_clause || symbol == elif_clause || symbol == except_clause || symbol == finally_clause;
  bool is_statement = (of == module || of == block || of == decorated_definition) && ts_node_is_named(node) && !ts_node_is_extra(node) && !ts_node_eq(node, parent);
  if (!is_clause && !is_statement) return look;
  Indentation own = indentation_of(node), wanted = {true, 0, 0};
  if (of != module) wanted = indentation_of(parent);
  look.found = own.first_on_line && wanted.first_on_line && (own.column != wanted.column || own.tabless != wanted.tabless);
  return look;
}

// find takes out the first node that is an error or missing (symbol 0) or has a symbol. It returns its index, or -1.
EXPORT(find) int32_t find(uint32_t symbol) { return symbol ? first(is_symbol, symbol) : first(is_error, 0); }

// misplaced takes out the first statement whose indentation is wrong. It returns its index, or -1.
EXPORT(misplaced) int32_t misplaced(void) { return first(is_misplaced, 0); }

EXPORT(symbols) uint32_t symbols(void) { return ts_language_symbol_count(tree_sitter_python()); }
EXPORT(symbol_name) const char *symbol_name(uint32_t id) { return ts_language_symbol_name(tree_sitter_python(), id); }
EXPORT(fields) uint32_t fields(void) { return ts_language_field_count(tree_sitter_python()); }
EXPORT(field_name) const char *field_name(uint32_t id) { return ts_language_field_name_for_id(tree_sitter_python(), id); }
