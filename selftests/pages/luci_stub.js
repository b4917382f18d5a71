// SPDX-License-Identifier: GPL-2.0
// LuCI's client API as its documentation has it, as far as the page may use it. A name
// that is not here is an error: the page would fail on a router, too.
"use strict";

function strict(name, api) {
	return new Proxy(api, {
		get(target, key) {
			if (typeof key === "string" && !(key in target) && key !== "then")
				throw new Error(`LuCI has no ${name}.${key}`);
			return target[key];
		},
	});
}

const session = new URLSearchParams(location.search).get("session") || "writer";

async function ubus(object, method, params) {
	const answer = await fetch("/rpc", { method: "POST",
		body: JSON.stringify({ session, object, method, params }) });

	if (answer.status === 403)
		throw new Error("Access denied");
	return answer.json();
}

// ---- E(tag, attributes, children), _(text) ----

window.E = (tag, attributes, children) => {
	const node = document.createElement(tag);

	for (const [key, value] of Object.entries(attributes || {}))
		node.setAttribute(key, value);
	for (const child of [].concat(children || []))
		node.append(child);
	return node;
};
window._ = (text) => text;

// ---- L ----

window.L = strict("L", {
	resource: (...parts) => "/luci-static/resources/" + parts.join("/"),
	hasViewPermission: () => session === "writer",
});

// ---- uci: loaded values, and changes until save() and apply() ----

const loaded = {};
let changes = {};
const uci = strict("uci", {
	load: async (name) => {
		loaded[name] = (await ubus("uci", "get", { config: name })).values;
		return [name];
	},
	get: (conf, sid, option) => {
		const section = { ...loaded[conf]?.[sid], ...changes[sid] };

		return option ? section[option] ?? null : ".type" in section ? section : null;
	},
	add: (conf, type, name) => {
		changes[name] = { ".type": type, ".name": name };
		return name;
	},
	set: (conf, sid, option, value) => {
		if (!loaded[conf]?.[sid] && !changes[sid])
			return;
		changes[sid] = { ...changes[sid], [option]: value };
	},
	save: async () => {
		await ubus("uci", "set", { config: "vpnpass", values: changes });
		changes = {};
		await uci.load("vpnpass");
	},
	apply: async () => { await ubus("uci", "apply", { timeout: 10 }); },
});

const modules = {
	view: strict("view", { extend: (members) => members }),
	fs: strict("fs", {
		exec: (command, params) => ubus("file", "exec", { command, params }),
	}),
	uci,
};

// ---- a view is the body of a function, with what it requires as arguments ----

(async () => {
	const source = await (await fetch("/luci-static/resources/view/vpnpass.js")).text();
	const names = [...source.matchAll(/^'require ([\w.]+)';$/gm)].map((m) => m[1]);
	const view = new Function(...names, source)(...names.map((n) => {
		if (!modules[n])
			throw new Error(`LuCI has no module ${n}`);
		return modules[n];
	}));
	const data = await view.load();

	document.getElementById("view").append(await view.render(data));
})().catch((error) => {
	document.getElementById("view").textContent = String(error);
});
