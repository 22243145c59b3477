"""Loads a script, calls its main, leaves the result as JSON in $FLOW_XCOM. Started by the `python` operator."""

import ast
import asyncio
import inspect
import json
import os
import sys
import traceback
import types

NOT_JSON = 113


def defines_main(tree):
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == "main":
            return True
        if isinstance(node, ast.Assign):
            if any(isinstance(target, ast.Name) and target.id == "main" for target in node.targets):
                return True
        if isinstance(node, ast.ImportFrom) and any((alias.asname or alias.name) == "main" for alias in node.names):
            return True
    return False


def run(given):
    with open(given["script"], "rb") as file:
        source = file.read()
    tree = ast.parse(source, given["script"])
    has_main = defines_main(tree)
    name = "flow_task" if has_main else "__main__"
    module = types.ModuleType(name)
    module.__file__ = given["script"]
    sys.modules[name] = module
    sys.argv = [given["script"]]
    sys.path[0] = given["folder"]
    exec(compile(tree, given["script"], "exec"), module.__dict__)
    if not has_main:
        return None
    result = module.main(*given["args"], **given["kwargs"])
    if inspect.iscoroutine(result):
        result = asyncio.run(result)
    return result


def leave(result):
    try:
        text = json.dumps(result, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        print(f"the result of main() cannot be written as JSON: {error}", file=sys.stderr)
        sys.exit(NOT_JSON)
    with open(os.environ["FLOW_XCOM"], "w", encoding="utf-8") as file:
        file.write(text)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        given = json.load(file)
    try:
        result = run(given)
    except Exception as error:
        # Without the frames of this file: whoever reads the log looks for their own.
        frames = error.__traceback__
        while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
            frames = frames.tb_next
        traceback.print_exception(type(error), error, frames)
        sys.exit(1)
    if result is not None:
        leave(result)


main()
