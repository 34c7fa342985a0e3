"""Where the sources can be changed, and how: reads a file with libclang and gives its mutants."""

import re
from dataclasses import dataclass

from clang.cindex import CursorKind as K
from clang.cindex import Index

# Binary operators, what each may become, and how tightly it binds.
REPLACED = {
    "+": ["-"],
    "-": ["+"],
    "*": ["+"],
    "/": ["*"],
    "%": ["/"],
    "<": ["<="],
    "<=": ["<"],
    ">": [">="],
    ">=": [">"],
    "==": ["!="],
    "!=": ["=="],
    "&&": ["||"],
    "||": ["&&"],
    "+=": ["-="],
    "-=": ["+="],
    "*=": ["+="],
    "/=": ["*="],
    "&=": ["|="],
}
BINDING = {"*": 9, "/": 9, "%": 9, "+": 8, "-": 8, "<": 7, "<=": 7, ">": 7, ">=": 7, "==": 6, "!=": 6, "&&": 5, "||": 4}
DROPPED = {"+", "-", "*", "/", "&&", "||"}  # one operand can be left out
SWAPPED = {"-", "/"}  # the operands can change places, and it matters

# Functions that others may stand in for, and functions that can be left out: f(x) -> x.
STANDS_IN = {
    "tanh": "sigmoid",
    "sigmoid": "tanh",
    "relu": "tanh",
    "sin": "cos",
    "cos": "sin",
    "exp": "expm1",
    "mean": "sum",
    "min": "max",
    "max": "min",
    "maximum": "minimum",
    "minimum": "maximum",
    "forward": "backward",
    "any_of": "all_of",
    "all_of": "any_of",
    "none_of": "all_of",
}
LEFT_OUT = set("tanh sigmoid relu sqrt square abs sign exp log softmax transpose normalized detach cos sin".split())
SYMMETRIC = {"add", "mul", "maximum", "minimum", "min", "max"}  # exchanging their operands changes nothing

FUNCTIONS = {K.FUNCTION_DECL, K.CXX_METHOD, K.FUNCTION_TEMPLATE, K.CONVERSION_FUNCTION}
LITERALS = {K.INTEGER_LITERAL, K.FLOATING_LITERAL}
# Checks give errors; names, scopes and steps say where something is. Neither computes.
CHECK = re.compile(r"^(?:\w+::|\w+\.)*(?:require|check|fail)\w*\(")
PLACES = re.compile(r"^(?:const )?(?:unroll::)?(?:Scope|Step|Elsewhere|AtForwardNode|std::optional<Scope>)\b")


@dataclass(frozen=True)
class Mutant:
    file: str  # relative to the project
    line: int
    edits: tuple  # of (start, end, text): the bytes of the file from start to end, one expression, are replaced by text, another
    where: str  # the function or operation
    change: str  # "before -> after", with as much around it as makes it readable

    @property
    def key(self):
        """Says which mutant it is, and stays as it is when lines move."""
        return f"{self.file}: {self.where}: {self.change}"

    def __str__(self):
        return f"{self.file}:{self.line}: {self.where}: {self.change}"


def one_line(text):
    return re.sub(r"\s+", " ", re.sub(r"//[^\n]*", "", text)).strip()


class Source:
    """One parsed file and its mutants."""

    def __init__(self, path, name, arguments):
        self.name = name
        self.bytes = path.read_bytes()
        unit = Index.create(excludeDecls=True).parse(str(path), args=arguments)
        errors = [str(d) for d in unit.diagnostics if d.severity >= 3]
        if errors:
            raise ValueError(f"{name}: libclang cannot read it: {errors[0]}")
        self.root = unit.cursor
        self.path = str(path)
        self.found = {}  # edits -> (line, where, change): each change once

    # ---- text

    def span(self, cursor):
        return cursor.extent.start.offset, cursor.extent.end.offset

    def text(self, cursor):
        start, end = self.span(cursor)
        return self.bytes[start:end].decode()

    def between(self, left, right):
        text = self.bytes[left.extent.end.offset : right.extent.start.offset].decode()
        return re.sub(r"//[^\n]*", "", text).strip()

    def here(self, cursor):
        file = cursor.location.file
        return file is not None and file.name == self.path

    def walk(self, cursor):
        for child in cursor.get_children():
            if cursor.kind != K.TRANSLATION_UNIT or self.here(child):
                yield child
                yield from self.walk(child)

    def body(self, cursor):
        return next((c for c in cursor.get_children() if c.kind == K.COMPOUND_STMT), None)

    # ---- what is in scope

    def rules(self):
        """(name, body) of every derivative of a file of core/ops, and of the functions that derivatives call."""
        functions, rules = {}, []
        for cursor in self.walk(self.root):
            if cursor.kind in FUNCTIONS and self.body(cursor):
                inner = cursor.semantic_parent
                if inner.kind == K.NAMESPACE and not inner.spelling:
                    functions[cursor.spelling] = cursor
                if re.search(r"\b(?:Jvp|Vjp)\b", " ".join(a.type.spelling for a in cursor.get_arguments())):
                    rules.append((cursor.spelling, self.body(cursor)))
            if cursor.kind != K.VAR_DECL or not cursor.spelling.endswith("_op"):
                continue
            operation = cursor.spelling.removesuffix("_op")
            for inside in self.walk(cursor):
                if inside.kind == K.CALL_EXPR and re.fullmatch(r"define_(unary|binary|ternary)", inside.spelling):
                    for i, derivative in enumerate(list(inside.get_arguments())[2:]):
                        found = [c for c in [derivative, *self.walk(derivative)] if c.kind == K.LAMBDA_EXPR]
                        rules.append((f"{operation}, derivative {i}", self.body(found[0])))
                if inside.kind == K.LAMBDA_EXPR:
                    before = self.bytes[: inside.extent.start.offset].decode()
                    if rule := re.search(r"\.(vjp|jvp)\s*=\s*$", before):
                        rules.append((f"{operation}, {rule[1]}", self.body(inside)))
        for _, body in rules:  # grows while it is walked: helpers of helpers
            for name in re.findall(r"\b(\w+)\(", self.text(body)):
                if name in functions:
                    rules.append((name, self.body(functions.pop(name))))
        unique = {self.span(body): (name, body) for name, body in rules}
        return list(unique.values())

    def functions(self):
        """(name, body) of every function of a file but constructors, and checks, which only throw."""
        result = []
        for cursor in self.walk(self.root):
            if cursor.kind not in FUNCTIONS or not self.body(cursor) or CHECK.match(cursor.spelling + "("):
                continue
            parent = cursor.semantic_parent
            owner = "" if parent.kind in (K.NAMESPACE, K.TRANSLATION_UNIT) else parent.spelling + "::"
            result.append((owner + cursor.spelling, self.body(cursor)))
        return result

    def mutants(self, derivatives):
        for where, body in self.rules() if derivatives else self.functions():
            self.where = where
            self.pointwise = "derivative" in where
            self.visit(body, [])
        counted, result = {}, []
        for edits, (line, where, change) in sorted(self.found.items()):
            number = counted[where, change] = counted.get((where, change), 0) + 1
            if number > 1:
                change += f"  ({number})"
            result.append(Mutant(self.name, line, edits, where, change))
        return result

    # ---- how it is changed

    def put(self, cursor, text, above):
        """The mutant in which `cursor` reads `text`; `above` are its parents, the nearest last."""
        start, end = self.span(cursor)
        if start != end and text != self.text(cursor):
            self.add(cursor, ((start, end, text),), above)

    def add(self, cursor, edits, above):
        """The mutant with some edits, the first of them at `cursor`."""
        start, end = edits[0][0], edits[-1][1]
        shown = cursor
        for parent in reversed(above):
            if len(one_line(self.text(shown))) >= 12 and self.span(shown)[1] >= end:
                break
            if parent.kind == K.VAR_DECL:
                continue
            statement = parent.kind in (K.RETURN_STMT, K.DECL_STMT)
            if not (parent.kind.is_expression() or statement) or parent.kind == K.LAMBDA_EXPR:
                break
            if not self.text(parent) or len(one_line(self.text(parent))) > 90:
                break
            if self.span(parent)[0] <= start and end <= self.span(parent)[1]:
                shown = parent
        first, last = self.span(shown)
        last = max(last, end)
        after = edited(self.bytes[:last], edits)[first:]
        change = f"{one_line(self.bytes[first:last].decode())} -> {one_line(after.decode())}"
        self.found.setdefault(edits, (cursor.extent.start.line, self.where, change))

    def operation(self, cursor):
        """(operator, left, right) of a binary expression, ours or the language's; None for anything else."""
        if cursor.kind in (K.BINARY_OPERATOR, K.COMPOUND_ASSIGNMENT_OPERATOR):
            operands = list(cursor.get_children())
        elif cursor.kind == K.CALL_EXPR:
            operands = list(cursor.get_arguments())
        else:
            return None
        if len(operands) != 2 or not all(self.text(o) for o in operands if o):
            return None
        operator = self.between(*operands)
        return (operator, *operands) if operator in REPLACED or operator == "=" else None

    def prefix(self, cursor):
        """(operator, operand) of -x and !x, ours or the language's."""
        if cursor.kind not in (K.UNARY_OPERATOR, K.CALL_EXPR):
            return None
        operands = list(cursor.get_children() if cursor.kind == K.UNARY_OPERATOR else cursor.get_arguments())
        text = self.text(cursor)
        if len(operands) == 1 and re.match(r"-[^-]|![^=]", text):
            return text[0], operands[0]
        return None

    def call(self, cursor):
        """(name, arguments) of a call that is written as one."""
        if cursor.kind != K.CALL_EXPR:
            return None
        arguments = [a for a in cursor.get_arguments() if a is not None and self.text(a)]
        if not arguments or not self.text(cursor).endswith(")"):
            return None
        start = self.span(cursor)[0]
        callee = self.bytes[start : self.span(arguments[0])[0]].decode()
        named = re.search(r"(\w+)(?:<[^()]*>)?\($", callee.rstrip())
        return (named[1], arguments) if named else None

    def has_text(self, cursor):
        return '"' in self.text(cursor) or "string" in cursor.type.spelling or "Symbol" in cursor.type.spelling

    def is_var(self, cursor):
        return cursor.type.get_canonical().spelling.removeprefix("const ") == "unroll::Var"

    def throws(self, statement):
        kinds = [c.kind for c in [statement, *self.walk(statement)]]
        return K.CXX_THROW_EXPR in kinds and K.RETURN_STMT not in kinds

    def inner(self, cursor):
        """Without the conversions and parentheses that are written around it."""
        while cursor.kind in (K.UNEXPOSED_EXPR, K.PAREN_EXPR, K.CALL_EXPR):
            children = [c for c in cursor.get_children() if self.text(c)]
            if cursor.kind != K.PAREN_EXPR and (len(children) != 1 or self.span(children[0]) != self.span(cursor)):
                break
            if not children:
                break
            cursor = children[0]
        return cursor

    def visit(self, cursor, above):
        text = self.text(cursor)
        if cursor.kind == K.CXX_THROW_EXPR or CHECK.match(text) or PLACES.match(text):
            return
        children = [c for c in cursor.get_children() if self.text(c)]
        if cursor.kind == K.CALL_EXPR and cursor.spelling == "needs":
            return
        if cursor.kind == K.IF_STMT:
            has_else = len(children) >= 3 and "else" in self.between(children[-2], children[-1])
            condition = children[-3] if has_else else children[-2]
            then = children[children.index(condition) + 1]
            if self.throws(then):
                for child in children[children.index(then) + 1 :]:
                    self.visit(child, [*above, cursor])
                return
            opposite = self.operation(self.inner(condition)) or self.prefix(self.inner(condition))  # a mutant of its own
            plain = not opposite or opposite[0] in ("<", ">", "<=", ">=", "&&", "||")
            if "needs(" not in self.text(condition) and condition.kind.is_expression() and plain:
                self.put(condition, f"!({self.text(condition)})", above)
        if cursor.kind == K.DECL_STMT and re.match(r"static |constexpr ", text):
            return
        self.change(cursor, children, above)
        statement = cursor.kind in (K.COMPOUND_STMT, K.IF_STMT, K.FOR_STMT, K.WHILE_STMT, K.CXX_FOR_RANGE_STMT)
        for position, child in enumerate(children):
            if statement and self.is_action(cursor, child, position, len(children)):
                self.put(child, "(void)0", above)
            self.visit(child, [*above, cursor])

    def is_action(self, parent, child, position, count):
        """Whether it is a statement of its own that can be left out: an assignment or a call, such as give()."""
        branch = position == count - 1 or (parent.kind == K.IF_STMT and position == count - 2)
        if parent.kind != K.COMPOUND_STMT and not branch:
            return False
        if self.bytes[self.span(child)[1] : self.span(child)[1] + 1] != b";" or CHECK.match(self.text(child)):
            return False
        if self.throws(child) or re.match(r"(?:\(void\)|fmt::|fail)", self.text(child)):
            return False
        if not child.kind.is_expression():
            return False
        return child.kind != K.UNEXPOSED_EXPR or bool(re.search(r"[()=]", self.text(child)))

    def value(self, cursor, above):
        """A value as a whole: with the other sign, and twice as large. A name that it is given stays."""
        text = self.text(cursor)
        inner = self.inner(cursor)
        if above[-1:] and above[-1].kind == K.VAR_DECL and text == above[-1].spelling:
            return  # declared without a value
        if re.fullmatch(r"[{].*[}]", text, re.DOTALL) or inner.kind == K.LAMBDA_EXPR or self.has_text_beside_name(text):
            return
        if inner.kind in LITERALS:
            if text != "0":
                self.put(cursor, f"-{text}", above)
            return
        if named := re.fullmatch(r"(.*)(\.named\([^()]*(?:\([^()]*\))*[^()]*\))", text, re.DOTALL):
            value, name = named.groups()
            if value.startswith("(") and value.endswith(")") and balanced(value[1:-1]):
                value = value[1:-1]
            self.put(cursor, f"(-({value})){name}", above)
            self.put(cursor, f"(2 * ({value})){name}", above)
        else:
            self.put(cursor, f"-({text})", above)
            self.put(cursor, f"2 * ({text})", above)

    def has_text_beside_name(self, text):
        return '"' in re.sub(r"\.named\(.*\)", "", text)

    def change(self, cursor, children, above):
        if not self.text(cursor) or (cursor.kind.is_expression() and cursor.type.spelling.startswith("std::string")):
            return
        if cursor.kind == K.VAR_DECL and self.is_var(cursor) and children and children[-1].kind.is_expression():
            self.value(children[-1], [*above, cursor])
        if cursor.kind == K.RETURN_STMT and children:
            if self.pointwise or self.is_var(children[0]):
                self.value(children[0], [*above, cursor])
        if operation := self.operation(cursor):
            self.change_operation(cursor, *operation, above)
        elif prefixed := self.prefix(cursor):
            self.put(cursor, self.text(prefixed[1]), above)
        elif call := self.call(cursor):
            self.change_call(cursor, *call, above)
        elif cursor.kind == K.INIT_LIST_EXPR:
            self.exchange(children, [*above, cursor])
        elif cursor.kind == K.CONDITIONAL_OPERATOR and len(children) == 3 and not self.has_text(cursor):
            for choice in children[1:]:
                text = self.text(choice)
                loose = self.operation(self.inner(choice)) and above and self.operation(above[-1])
                self.put(cursor, f"({text})" if loose else text, above)
        elif cursor.kind == K.INTEGER_LITERAL and re.fullmatch(r"\d+", self.text(cursor)):
            number = int(self.text(cursor))
            for other in {number + 1, max(number - 1, 0)} - {number}:
                self.put(cursor, str(other), above)
        elif cursor.kind == K.FLOATING_LITERAL:
            self.put(cursor, f"(2 * {self.text(cursor)})", above)
        elif cursor.kind == K.CXX_BOOL_LITERAL_EXPR:
            self.put(cursor, "false" if self.text(cursor) == "true" else "true", above)

    def change_operation(self, cursor, operator, left, right, above):
        if operator == "=":
            if self.is_var(left) and self.text(right) not in ("x", "{}"):
                self.value(right, [*above, cursor])
            return
        if operator not in ("==", "!=", "&&", "||") and (self.has_text(left) or self.has_text(right)):
            return
        a, b = self.text(left), self.text(right)
        middle = self.bytes[self.span(left)[1] : self.span(right)[0]].decode()
        inside = any(self.operation(p) or self.prefix(p) for p in above[-2:] if p.kind != K.COMPOUND_STMT)
        advance = above[-1].kind == K.FOR_STMT and operator in ("+=", "-=")  # the other way, it would not end
        for other in REPLACED[operator] if not advance else []:
            text = a + middle.replace(operator, other, 1) + b
            looser = BINDING.get(other, 0) < BINDING.get(operator, 0)
            self.put(cursor, f"({text})" if looser and inside else text, above)
        if operator in DROPPED:
            self.put(cursor, a, above)
            self.put(cursor, b, above)
        if operator in SWAPPED:
            first, last = (self.enclosed(side, operator) for side in (right, left))
            self.put(cursor, first + middle + last, above)

    def enclosed(self, operand, operator):
        inner = self.operation(operand)
        text = self.text(operand)
        return f"({text})" if inner and BINDING.get(inner[0], 0) <= BINDING[operator] else text

    def change_call(self, cursor, name, arguments, above):
        start = self.span(cursor)[0]
        first, last = self.span(arguments[0])[0], self.span(cursor)[1]
        if name in STANDS_IN:
            callee = self.bytes[start:first].decode()
            position = callee.rindex(name)
            callee = callee[:position] + STANDS_IN[name] + callee[position + len(name) :]
            self.put(cursor, callee + self.bytes[first:last].decode(), above)
        if name in LEFT_OUT and (len(arguments) == 1 or name in ("softmax", "normalized")):
            operand = self.text(arguments[0])
            inside = any(self.operation(p) or self.prefix(p) for p in above[-2:] if p.kind != K.COMPOUND_STMT)
            loose = self.operation(self.inner(arguments[0]))
            self.put(cursor, f"({operand})" if inside and loose else operand, above)
        if name == "where" and len(arguments) == 3:
            for choice in arguments[1:]:
                self.put(cursor, self.text(choice), above)
        if name == "give" and len(arguments) == 2:
            self.value(arguments[1], [*above, cursor])
        if name not in SYMMETRIC:
            self.exchange(arguments, [*above, cursor])

    def exchange(self, elements, above):
        """Two neighbours of one type change places."""
        for left, right in zip(elements, elements[1:]):
            a, b = self.text(left), self.text(right)
            one, other = (re.sub(r"\bconst |&", "", e.type.get_canonical().spelling).strip() for e in (left, right))
            named = a.startswith(".") or self.has_text(left) or self.has_text(right)
            if one != other or a == b or "lambda" in one or "iterator" in one or named:
                continue
            self.add(left, ((*self.span(left), b), (*self.span(right), a)), above)


def edited(text, edits):
    for start, end, new in reversed(edits):
        text = text[:start] + new.encode() + text[end:]
    return text


def balanced(text):
    depth = 0
    for c in text:
        depth += {"(": 1, ")": -1}.get(c, 0)
        if depth < 0:
            return False
    return depth == 0
