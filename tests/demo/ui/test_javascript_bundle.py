from pathlib import Path

import pytest

from demo.ui.javascript_bundle import bundle_modules


def bundle(folder: Path, **modules: str) -> str:
    for name, text in modules.items():
        (folder / f"{name}.js").write_text(text, encoding="utf-8")
    return bundle_modules(folder, "app", "start")


def test_modules_are_joined_in_the_order_of_their_imports(tmp_path: Path) -> None:
    text = bundle(
        tmp_path,
        app='import { b } from "./two.js";\nexport function start() {\n  b();\n}\n',
        two='import {\n  a,\n} from "./one.js";\n\n/**\n * Doc.\n */\nexport const b = () => a;\n',
        one="const own = 1;\nexport class a {}\nexport async function c() {}\n",
        unused="export const d = 1;\n",
    )
    assert text == (
        'const module_one = (() => {\n"use strict";\n'
        "const own = 1;\nclass a {}\nasync function c() {}\nreturn { a, c };\n})();\n"
        'const module_two = (() => {\n"use strict";\nconst { a } = module_one;\n'
        "const b = () => a;\nreturn { b };\n})();\n"
        'const module_app = (() => {\n"use strict";\nconst { b } = module_two;\n'
        "function start() {\n  b();\n}\nreturn { start };\n})();\n"
        "module_app.start({ element, trigger, props, watch });\n"
    )


def test_modules_can_be_in_folders(tmp_path: Path) -> None:
    (tmp_path / "votes").mkdir()
    text = bundle(
        tmp_path,
        **{
            "app": 'import { a } from "./votes/list.js";\nexport function start() {}\n',
            "votes/list": 'import { b } from "../dom.js";\nexport const a = b;\n',
            "dom": "export const b = 1;\n",
        },
    )
    assert "const module_votes_list" in text
    assert "const { b } = module_dom;" in text
    assert "const { a } = module_votes_list;" in text


def test_code_between_comments_stays(tmp_path: Path) -> None:
    text = bundle(
        tmp_path, app="/** A. */ export_();\nexport function start() {}\n/** B. */\nc();\n"
    )
    assert "export_();" in text
    assert "c();" in text
    assert "B." not in text


@pytest.mark.parametrize(
    "line",
    [
        'import "./one.js";',
        'import a from "./one.js";',
        'import * as one from "./one.js";',
        'import { a as b } from "./one.js";',
        "import { a } from './one.js';",
        'import { a } from "./one.js"',
        'import { a } from "one";',
        'const one = await import("./one.js");',
        "const here = import.meta.url;",
        "export default 1;",
        "export { start };",
        'export { a } from "./one.js";',
        'export * from "./one.js";',
        "export let a = 1;",
        "export const { a } = {};",
        "export function* a() {}",
    ],
)
def test_another_form_of_import_or_export_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(ValueError, match=r"app\.js: this import or export cannot be joined"):
        bundle(
            tmp_path, app=f"{line}\nexport function start() {{}}\n", one="export const a = 1;\n"
        )


def test_an_import_that_cannot_be_found_is_refused(tmp_path: Path) -> None:
    start = "export function start() {}\n"
    with pytest.raises(ValueError, match=r"there is no missing\.js"):
        bundle(tmp_path, app=f'import {{ a }} from "./missing.js";\n{start}')
    (tmp_path / "outside.js").write_text("export const a = 1;\n", encoding="utf-8")
    (tmp_path / "inside").mkdir()
    with pytest.raises(ValueError, match=r"there is no \.\./outside\.js"):
        bundle(tmp_path / "inside", app=f'import {{ a }} from "../outside.js";\n{start}')
    with pytest.raises(ValueError, match=r"one\.js: there is no export 'a'"):
        bundle(tmp_path, app=f'import {{ a }} from "./one.js";\n{start}', one="const a = 1;\n")
    with pytest.raises(ValueError, match=r"app\.js: there is no export 'start'"):
        bundle(tmp_path, app="function start() {}\n")


def test_modules_that_import_each_other_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="import each other: app -> one -> app"):
        bundle(
            tmp_path,
            app='import { a } from "./one.js";\nexport function start() {}\n',
            one='import { start } from "./app.js";\nexport const a = start;\n',
        )
