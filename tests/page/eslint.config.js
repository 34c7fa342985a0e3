import js from "@eslint/js";
import globals from "globals";

const rules = {
  ...js.configs.recommended.rules,
  eqeqeq: ["error", "always", { null: "ignore" }],
  "no-restricted-properties": [
    "error",
    ...["innerHTML", "outerHTML", "insertAdjacentHTML"].map((property) => ({
      property,
      message: "names of nodes come from anywhere: use textContent",
    })),
  ],
  "no-shadow": "error",
  "no-var": "error",
  "prefer-const": "error",
};

export default [
  { files: ["**/core/render/page/*.js", "**/docs/site/*.js"], languageOptions: { globals: globals.browser }, rules },
  {
    files: ["**/tests/{page,site}/**/*.{js,mjs}"],
    languageOptions: { globals: { ...globals.node, ...globals.browser } },
    rules,
  },
];
