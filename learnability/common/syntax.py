"""The part of a module's syntax tree that computes, and a text of it that is the same in every supported Python.

Left out are comments, docstrings, annotations of functions and variables (those of classes stay, where they make fields),
warnings, lines of logs, the messages of errors, and names and imports that serve nothing else. A message changes nothing that
it is made from, so that no number depends on it.
"""

import ast
import builtins

MESSAGES = {  # the functions of `common.errors` that take words: their place among the arguments
    "require": 1,
    "choose": 0,
    "whole": 0,
    "real": 0,
    "reals": 0,
    "require_finite": 0,
    "require_arguments": 0,
    "built": 0,
}
WORDS = ("what", "name", "message")  # and how these are called
WARNERS = ("warn", "warn_caller")
LOGS = ("log", "logger", "logging", "warnings")
PURE_CALLS = {
    *(
        "abs",
        "all",
        "any",
        "bool",
        "dict",
        "enumerate",
        "float",
        "int",
        "len",
        "list",
        "map",
        "max",
        "min",
        "range",
        "repr",
    ),
    *("round", "set", "sorted", "str", "sum", "tuple", "type", "zip"),
}
PURE_METHODS = {"format", "join", "removeprefix", "removesuffix", "strip"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def computing(tree: ast.Module) -> ast.Module:
    """The tree without what decides no number; the given one is taken apart.

    Examples
    --------
    >>> def computes(text):
    ...     return ast.unparse(computing(ast.parse(text)))
    >>> print(computes("def half(x: int) -> float: return x / 2  # exactly"))
    def half(x):
        return x / 2
    >>> print(computes('raise ValueError(f"x must be >= 0, got {x}")'))
    raise ValueError()
    """
    words = _WithoutWords(tree)
    tree = words.visit(tree)
    return _WithoutImports(words.dropped - _read(tree)).visit(tree)


def written(node: object) -> str:
    """A syntax tree as text, without empty fields, which differ from one Python to the next, and without places.

    Examples
    --------
    >>> written(ast.parse("x = 2.0"))
    "Module(body=[Assign(targets=[Name(id='x',ctx=Store())],value=Constant(2.0))])"
    """
    if isinstance(node, ast.Constant):
        return f"Constant({node.value!r})"
    if isinstance(node, ast.AST):
        fields = [(name, value) for name, value in ast.iter_fields(node) if value is not None and value != []]
        return f"{type(node).__name__}({','.join(f'{name}={written(value)}' for name, value in fields)})"
    return f"[{','.join(map(written, node))}]" if isinstance(node, list) else repr(node)


class _WithoutWords(ast.NodeTransformer):
    """Drops what decides no number from a module's tree, but for imports.

    Attributes
    ----------
    dropped : set of str
        The names that were read in what was dropped.
    """

    def __init__(self, tree: ast.Module) -> None:
        defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        imported = {
            alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[-1] == "errors"
            for alias in node.names
            if alias.asname is None
        }
        own = defined if set(MESSAGES) <= defined else set()  # in `common.errors` itself
        self.takes_words = set(MESSAGES) & (imported | own)
        self.dropped: set[str] = set()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def _function(self, node: Function) -> ast.AST:
        outside, self.dropped = self.dropped, set()
        self._drop(node.returns)
        node.returns = None
        self.generic_visit(node)
        while dead := _pure_assignments(node, self.dropped):
            for assignment in dead:
                self._drop(assignment.value)
            _Without(dead).visit(node)
        self.dropped |= outside
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        self._drop(node.annotation)
        node.annotation = None
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """Annotations make the fields of some classes, so they stay."""
        fields = [statement for statement in node.body if isinstance(statement, ast.AnnAssign)]
        node.body = [statement for statement in node.body if statement not in fields]
        self.generic_visit(node)
        node.body = [*fields, *node.body]
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        """`x: int = 1` outside of a class is `x = 1`."""
        self._drop(node.annotation)
        return None if node.value is None else ast.Assign(targets=[node.target], value=self.visit(node.value))

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        """A docstring, a warning or a line of a log is a statement whose value nobody uses."""
        value = node.value
        if isinstance(value, ast.Constant) or (isinstance(value, ast.Call) and _says(value.func)):
            self._drop(value)
            return None
        return self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        return node.orelse if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING" else node

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        if isinstance(node.exc, ast.Call) and _is_builtin_exception(node.exc.func):
            self._drop(*node.exc.args, *node.exc.keywords)
            node.exc.args, node.exc.keywords = [], []
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Name) and node.func.id in self.takes_words:
            place = MESSAGES[node.func.id]
            self._drop(*node.args[place : place + 1], *(word for word in node.keywords if word.arg in WORDS))
            del node.args[place : place + 1]
            node.keywords = [keyword for keyword in node.keywords if keyword.arg not in WORDS]
        return self.generic_visit(node)

    def _drop(self, *parts: ast.AST | None) -> None:
        for part in parts:
            self.dropped |= _read(part) if part is not None else set()


class _Without(ast.NodeTransformer):
    """Drops some assignments."""

    def __init__(self, assignments: list[ast.Assign]) -> None:
        self.assignments = assignments

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        return None if node in self.assignments else node


class _WithoutImports(ast.NodeTransformer):
    """Drops imports of some names."""

    def __init__(self, names: set[str]) -> None:
        self.names = names

    def visit_Import(self, node: ast.Import) -> ast.AST | None:
        return self._remaining(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        return self._remaining(node)

    def _remaining(self, node: ast.Import | ast.ImportFrom) -> ast.AST | None:
        node.names = [alias for alias in node.names if (alias.asname or alias.name.split(".")[0]) not in self.names]
        return node if node.names else None


def _read(tree: ast.AST) -> set[str]:
    """The names that are read in a tree, and the words of its texts, which may be annotations."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


def _pure_assignments(function: Function, names: set[str]) -> list[ast.Assign]:
    """Assignments in a function to some names that nothing reads any more, of values whose making changes nothing."""
    single = (
        [node for node in ast.walk(function) if isinstance(node, ast.Assign) and len(node.targets) == 1]
        if names
        else []
    )
    to_names = [
        (node, target.id) for node in single if isinstance(target := node.targets[0], ast.Name) and target.id in names
    ]
    if not to_names:
        return []
    shared = {name for node in ast.walk(function) if isinstance(node, ast.Global | ast.Nonlocal) for name in node.names}
    alive = _read(function) | shared
    return [node for node, name in to_names if name not in alive and _is_pure(node.value)]


def _is_pure(value: ast.expr) -> bool:
    for node in ast.walk(value):
        if isinstance(node, ast.NamedExpr | ast.Await | ast.Yield | ast.YieldFrom):
            return False
        if isinstance(node, ast.Call):
            called = node.func
            builtin = isinstance(called, ast.Name) and called.id in PURE_CALLS
            method = isinstance(called, ast.Attribute) and called.attr in PURE_METHODS
            if not (builtin or method):
                return False
    return True


def _says(function: ast.expr) -> bool:
    """Whether a call warns or logs."""
    if isinstance(function, ast.Attribute):
        return isinstance(function.value, ast.Name) and function.value.id in LOGS
    return isinstance(function, ast.Name) and function.id in WARNERS


def _is_builtin_exception(function: ast.expr) -> bool:
    kind = getattr(builtins, function.id, None) if isinstance(function, ast.Name) else None
    return isinstance(kind, type) and issubclass(kind, BaseException)
