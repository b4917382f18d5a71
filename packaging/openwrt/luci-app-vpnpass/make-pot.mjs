#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0
// LuCI's translations template, made of pages/texts.js: printed, or with --check
// compared with the one that is there.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const pot = join(here, "po/templates/vpnpass.pot");
const source = readFileSync(join(here, "../../pages/texts.js"), "utf8");
const { texts } = await import("data:text/javascript," + encodeURIComponent(source));
let out = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8"\n';

for (const text of new Set(["VPN passthrough", ...Object.values(texts)]))
	out += `\nmsgid ${JSON.stringify(text)}\nmsgstr ""\n`;
if (process.argv[2] === "--check") {
	if (readFileSync(pot, "utf8") !== out) {
		console.error("vpnpass.pot is not current: run make-pot.mjs");
		process.exit(1);
	}
} else {
	writeFileSync(pot, out);
}
