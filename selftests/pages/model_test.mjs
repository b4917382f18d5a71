#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0
// What the pages make of the tool's JSON, without a page.
import assert from "node:assert/strict";
import { age, answer, bytes, host, rows, valid } from "../../packaging/pages/model.js";
import { fill, texts } from "../../packaging/pages/texts.js";

const show = [
	{ proto: "natt", mode: "on", sessions: 0 }, { proto: "quic", mode: "on", sessions: 9 },
	{ proto: "esp", mode: "on", sessions: 2 }, { proto: "ike", mode: "off", sessions: 1 },
];
const made = rows(show);

assert.deepEqual(made.map((p) => p.proto), ["ipsec", "ike", "esp", "natt", "quic"]);
assert.equal(made[0].mode, "mixed");
assert.equal(made[0].sessions, 3);
assert.equal(rows([show[2]]).length, 1, "ESP alone is not IPsec as a whole");
assert.equal(rows([{ ...show[2], mode: "off" }, show[3]])[0].mode, "off");

assert.deepEqual(answer("[]"), []);
for (const failed of ['{"error":{"text":"no","code":"range","hint":"yes"}}',
	'[{"proto":"esp"},{"error":{"text":"no","code":"range","hint":"yes"}}]'])
	assert.throws(() => answer(failed), { message: "no", code: "range", hint: "yes" });

assert.equal(valid({ min: 1, max: 9 }, " 9 "), 9);
for (const text of ["0", "10", "", "1e0", "-1", "0x5", "5s"])
	assert.equal(valid({ min: 1, max: 9 }, text), null, text);

assert.deepEqual([59.9, 61, 3723, 90061, undefined].map(age), ["59s", "1m01s", "1h02m", "1d01h", "-"]);
assert.deepEqual([999, 1024, 1234567, undefined].map(bytes), ["999 B", "1.0 KiB", "1.2 MiB", "-"]);

for (const good of ["vpn.example.org", "192.0.2.1", "2001:db8::1", "::1", " a-b "])
	assert.equal(host(good), good.trim(), good);
for (const bad of ["-n", "a b", "$(x)", "a;b", "", "-"])
	assert.equal(host(bad), null, bad);

assert.equal(fill("{1} and {0}", "a", "b"), "b and a");
for (const text of Object.values(texts))
	assert.ok(text.trim() === text && text.length > 1, text);
