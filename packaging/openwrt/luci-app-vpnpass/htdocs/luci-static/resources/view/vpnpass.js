// SPDX-License-Identifier: GPL-2.0
// Network > VPN passthrough. Switches and settings go through uci, so that they
// outlive a restart; what they have become is read back from the kernel.
'use strict';
'require view';
'require fs';
'require uci';

const TOOL = '/usr/sbin/vpnpass';
const REMEDY = '/usr/libexec/vpnpass/remedy';
const PARTS = { ipsec: [ 'ike', 'esp' ] };
const TAKEN_MS = 10000;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// What went wrong is in the JSON; without any, on standard error.
const tool = (words) => fs.exec(TOOL, [ '-j', ...words ]).then((res) => {
	if (!res.stdout)
		throw new Error(res.stderr || String(res.code));
	return res.stdout;
});

const apply = async (proto, option, value) => {
	for (const name of PARTS[proto] || [ proto ]) {
		if (!uci.get('vpnpass', name))
			uci.add('vpnpass', 'proto', name);
		uci.set('vpnpass', name, option, String(value));
	}
	await uci.save();
	await uci.apply();
};

// procd applies the file when uci has committed it, which takes a moment.
const taken = async (page, proto, get, value) => {
	const until = Date.now() + TAKEN_MS;
	let is;

	do {
		const show = page.answer(await tool([ 'show' ]));
		is = show.filter((p) => (PARTS[proto] || [ proto ]).includes(p.proto)).map(get);
		if (is.length && is.every((v) => v === value))
			return;
		await pause(500);
	} while (Date.now() < until);
	throw new Error(page.fill(_(page.texts.not_taken), proto, is.join(', ')));
};

return view.extend({
	load: function() {
		const base = L.resource('vpnpass');

		return Promise.all([
			import(base + '/page.js'), import(base + '/model.js'), import(base + '/texts.js'),
			uci.load('vpnpass')
		]);
	},

	render: function([ page, model, texts ]) {
		const root = E('div', {}, [
			E('link', { rel: 'stylesheet', href: L.resource('vpnpass/page.css') })
		]);
		const shared = { ...model, ...texts };

		page.mount(root, {
			tool: tool,
			setMode: async (proto, mode) => {
				await apply(proto, 'mode', mode);
				await taken(shared, proto, (p) => p.mode, mode);
			},
			setSetting: async (proto, key, value) => {
				await apply(proto, key, value);
				await taken(shared, proto, (p) => p.settings[key].value, value);
			},
			remedy: (host, command) =>
				fs.exec(REMEDY, host ? [ command, host ] : [ command ]).then((res) => {
					if (res.code)
						throw new Error(res.stderr || res.stdout || String(res.code));
					return res.stdout || '';
				}),
			mayWrite: async () => L.hasViewPermission(),
			translate: _
		});
		return root;
	},

	handleSave: null,
	handleSaveApply: null,
	handleReset: null
});
