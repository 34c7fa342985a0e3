import { chromium } from "playwright-core";
import { writeFileSync } from "node:fs";
import { joinPage } from "./join.mjs";
import { lstmModel } from "./lstm_model.mjs";
for (const T of [3, 1000]) { const t0=Date.now(); const p = joinPage(lstmModel(T)); writeFileSync(`/tmp/pagework/l${T}.html`, p); console.log(T, p.length, Date.now()-t0); }
