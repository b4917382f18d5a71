// SPDX-License-Identifier: GPL-2.0
// The page in Cockpit: the tool is run by the bridge, as root where the user has
// administrative access.
import { mount } from "./page.js";
import { ToolError, answer } from "./model.js";

const cockpit = window.cockpit;
const LIBEXEC = "@LIBEXECDIR@/vpnpass";
const admin = cockpit.permission({ admin: true });

// run(words, superuser): what the program printed; its exit code does not matter as
// long as it printed something
function run(words, superuser) {
	return new Promise((resolve, reject) => {
		cockpit.spawn(words, { superuser, err: "message" }).then(resolve, (failure, data) => {
			if (data)
				resolve(data);
			else
				reject(new ToolError({ text: failure.message || failure.problem }));
		});
	});
}

// Of a script the exit code does matter, and what it said is on standard error.
function script(words) {
	return cockpit.spawn(words, { superuser: "require", err: "out" }).then((said) => said,
		(failure, said) => {
			throw new ToolError({ text: said || failure.message || failure.problem });
		});
}

mount(document.getElementById("vpnpass"), {
	tool: (words) => run(["vpnpass", "-j", ...words], "try"),
	setMode: async (proto, mode) => {
		answer(await run([`${LIBEXEC}/persist`, proto, mode], "require"));
	},
	setSetting: async (proto, key, value) => {
		answer(await run([`${LIBEXEC}/persist`, proto, key, String(value)], "require"));
	},
	remedy: (host, command) => script([`${LIBEXEC}/remedy`, command, ...(host ? [host] : [])]),
	mayWrite: () => new Promise((resolve) => {
		if (admin.allowed !== null)
			resolve(admin.allowed);
		else
			admin.addEventListener("changed", () => resolve(admin.allowed), { once: true });
	}),
	translate: (text) => cockpit.gettext(text),
});
