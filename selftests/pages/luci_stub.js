// SPDX-License-Identifier: GPL-2.0
// LuCI's client API (luci.js, rpc.js, fs.js, uci.js), as far as the page may use it, and
// as it behaves there: ubus' status codes, values that are cached until they are unloaded,
// an apply that is confirmed a second later. A name that is not here is an error: the page
// would fail on a router, too.
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

// ---- E(tag, attributes, children), _(text) ----

window.E = (tag, attributes, children) => {
	const node = document.createElement(tag);

	for (const [key, value] of Object.entries(attributes || {})) {
		if (typeof value === "function")
			node.addEventListener(key, value);
		else if (value !== null && value !== undefined)
			node.setAttribute(key, value);
	}
	for (const child of [children ?? []].flat())
		node.append(child);
	return node;
};
window._ = (text) => text;

// ---- rpc: a status where there is no answer ----

const session = new URLSearchParams(location.search).get("session") || "writer";
const statusTexts = ["Command OK", "Invalid command", "Invalid argument", "Method not found",
	"Resource not found", "No data received", "Permission denied", "Request timeout",
	"Not supported", "Unspecified error", "Connection lost"];
let id = 1;

function declare({ object, method, params = [], expect = {}, reject }) {
	return async (...args) => {
		const given = Object.fromEntries(params.map((name, i) => [name, args[i]]));
		const answer = await (await fetch("/ubus", { method: "POST", body: JSON.stringify({
			jsonrpc: "2.0", id: id++, method: "call",
			params: [session, object, method, given] }) })).json();

		if (answer.error)
			throw new Error(`RPC call to ${object}/${method} failed with error ` +
				`${answer.error.code}: ${answer.error.message}`);
		const [status, data] = answer.result;
		if (reject && status !== 0)
			throw new Error(`RPC call to ${object}/${method} failed with ubus code ` +
				`${status}: ${rpc.getStatusText(status)}`);
		const [key, otherwise] = Object.entries(expect)[0] || [];
		const value = data === undefined ? status : data;

		return key ? value[key] ?? otherwise : value;
	};
}

const rpc = strict("rpc", {
	declare,
	getStatusText: (status) => statusTexts[status] || "Unknown error code",
});

// ---- fs ----

const callExec = declare({ object: "file", method: "exec", params: ["command", "params", "env"] });
const fs = strict("fs", {
	exec: async (command, params, env) => {
		const result = await callExec(command, Array.isArray(params) ? params : null, env ?? null);

		if (typeof result === "number" && result !== 0)
			throw new Error(rpc.getStatusText(result));
		return result;
	},
});

// ---- uci ----

const callUci = (method, params, expect) =>
	declare({ object: "uci", method, params, expect, reject: !expect });
const callGet = callUci("get", ["config"], { values: {} });
const callAdd = callUci("add", ["config", "type", "name", "values"], { section: "" });
const callSet = callUci("set", ["config", "section", "values"]);
const callApply = callUci("apply", ["timeout", "rollback"]);
const callConfirm = callUci("confirm");
const values = {}, created = {}, changed = {};

const uci = strict("uci", {
	load: async (names) => {
		const wanted = [names].flat().filter((name) => !values[name]);

		for (const name of wanted)
			values[name] = await callGet(name);
		return wanted;
	},
	unload: (names) => {
		for (const name of [names].flat())
			for (const cache of [values, created, changed])
				delete cache[name];
	},
	get: (conf, sid, option) => {
		const section = created[conf]?.[sid] ?? values[conf]?.[sid];

		if (option === undefined || option === null)
			return section;
		return changed[conf]?.[sid]?.[option] ?? section?.[option];
	},
	add: (conf, type, name) => {
		created[conf] = { ...created[conf], [name]: { ".type": type, ".name": name } };
		return name;
	},
	// what is no section is left alone, as is a value that is no text
	set: (conf, sid, option, value) => {
		if (option.startsWith("."))
			return;
		if (typeof value !== "string" || value === "")
			throw new Error("the stub does not delete options");
		if (created[conf]?.[sid]) {
			created[conf][sid][option] = value;
		} else if (values[conf]?.[sid]) {
			changed[conf] ??= {};
			changed[conf][sid] = { ...changed[conf][sid], [option]: value };
		}
	},
	save: async () => {
		const own = (section) => Object.fromEntries(Object.entries(section)
			.filter(([key]) => !key.startsWith(".")));
		const confs = new Set([...Object.keys(created), ...Object.keys(changed)]);

		await Promise.all([...confs].flatMap((conf) => [
			...Object.entries(created[conf] ?? {}).map(([sid, section]) =>
				callAdd(conf, section[".type"], sid, own(section))),
			...Object.entries(changed[conf] ?? {}).map(([sid, section]) =>
				callSet(conf, sid, section)),
		]));
		uci.unload([...confs]);
		await uci.load([...confs]);
	},
	apply: async (timeout) => {
		await callApply(timeout >= 1 ? timeout : 10, true);
		setTimeout(callConfirm, 1000);
	},
});

// ---- a view is the body of a function, with what it requires as arguments ----

window.L = strict("L", {
	resource: (...parts) => "/luci-static/resources/" + parts.join("/"),
	hasViewPermission: () => session === "writer",
});

const modules = {
	view: strict("view", { extend: (members) => members }),
	fs, rpc, uci,
};

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
