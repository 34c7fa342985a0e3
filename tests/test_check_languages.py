"""scripts/check-languages: what it takes for a difference between two pages, and for a wrong term."""

import importlib.util
import pathlib
import unittest
from importlib.machinery import SourceFileLoader

SCRIPT = pathlib.Path(__file__).resolve().parent.parent / "scripts" / "check-languages"
loader = SourceFileLoader("check_languages", str(SCRIPT))
languages = importlib.util.module_from_spec(importlib.util.spec_from_loader("check_languages", loader))
loader.exec_module(languages)

ENGLISH = """# 1 · Title

Words with $h_t$.

![a picture](pictures/a.svg)

## Part

<!-- code: program.cpp cell -->
```cpp
int a;
```

| a | b |
|---|---|
| 1 | 2 |

1. one
2. two
"""
KOREAN = ENGLISH.replace("Title", "제목").replace("Words with", "글").replace("a picture", "그림").replace("Part", "부분").replace("one", "하나")
TERMS = languages.glossary(
    "| English | 한국어 | what |\n|---|---|---|\n| forget gate, f (keep gate) | 망각 게이트 (유지 게이트) | |\n| time step, t | 시간 단계 | |\n| weight, bias | 가중치, 편향 | |\n"
)


class Pairs(unittest.TestCase):
    def differences(self, korean):
        return list(languages.differences(ENGLISH, korean))

    def test_a_translation_is_no_difference(self):
        self.assertEqual(self.differences(KOREAN), [])

    def test_what_must_be_equal(self):
        for before, after, message in [
            ("## 부분", "### 부분", "heading '###'"),
            ("## 부분\n", "", "heading '##'"),
            ("int a;", "int b;", "code"),
            ("program.cpp cell", "program.cpp all", "mark"),
            ("pictures/a.svg", "pictures/b.svg", "picture"),
            ("| 1 | 2 |\n", "", "row of a table"),
            ("2. two\n", "", "only the English page has"),
            ("$h_t$", "$h_1$", "formulae"),
        ]:
            with self.subTest(before):
                self.assertIn(before, KOREAN)
                found = self.differences(KOREAN.replace(before, after, 1))
                self.assertTrue(found and message in found[0], found)


class Terms(unittest.TestCase):
    def wrong(self, text):
        return list(languages.wrong_terms(text, TERMS))

    def test_the_glossary_s_terms_pass(self):
        self.assertEqual(self.wrong("이것이 망각 게이트(forget gate)다. 유지 게이트(keep gate)라고도 한다. 시간 단계(time step)."), [])

    def test_another_word_with_the_english_beside_it_is_named(self):
        self.assertEqual(self.wrong("잊는 문(forget gate)"), ["line 1: 잊는 문(forget gate) is 망각 게이트 or 유지 게이트 in the glossary"])

    def test_terms_that_stand_side_by_side_are_told_apart(self):
        self.assertEqual(self.wrong("편향(bias)"), [])
        self.assertEqual(self.wrong("가중치(bias)"), ["line 1: 가중치(bias) is 편향 in the glossary"])

    def test_words_from_elsewhere_are_named(self):
        self.assertEqual(self.wrong("그래디언트가 흐른다"), ["line 1: 그래디언트 is 기울기 in the glossary"])

    def test_code_is_left_alone(self):
        self.assertEqual(self.wrong("`파라미터`\n```text\n그래디언트\n```\n"), [])


if __name__ == "__main__":
    unittest.main()
