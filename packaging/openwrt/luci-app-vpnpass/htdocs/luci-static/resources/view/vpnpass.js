// SPDX-License-Identifier: GPL-2.0
// Network > VPN passthrough. Switches and settings go through uci, so that they
// outlive a restart; what they have become is read back from the kernel.
'use strict';
'require view';
'require fs';
'require rpc';
'require uci';

const TOOL = '/usr/sbin/vpnpass';
const EXAMINE = '/usr/libexec/vpnpass/examine';
const REMEDY = '/usr/libexec/vpnpass/remedy';
const INIT = '/etc/init.d/vpnpass';
const PARTS = { ipsec: [ 'ike', 'esp' ] };
const TAKEN_MS = 10000;
const PERMISSION_DENIED = 6;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// What went wrong is in the JSON; without any, on standard error.
const json = (command, words) => fs.exec(command, words).then((res) => {
	if (!res.stdout)
		throw new Error(res.stderr || String(res.code));
	return res.stdout;
});

const tool = ([ word, ...words ]) => word === 'doctor' && words.length ?
	json(EXAMINE, words) : json(TOOL, [ '-j', word, ...words ]);

// Of a script the exit code matters.
const script = (command, words) => fs.exec(command, words).then((res) => {
	if (res.code)
		throw new Error(res.stderr || res.stdout || String(res.code));
	return res.stdout || '';
});

// ubus' status: older versions of LuCI reject with it, newer ones with an error that tells it.
const status = (error) => typeof error === 'number' ? error :
	Number((/ubus code (\d+)/.exec(error.message) || [])[1]);

// LuCI confirms an apply a second after it has promised to be done, and rpcd takes no
// other one before that.
const commit = async () => {
	const until = Date.now() + TAKEN_MS;

	for (;;) {
		try {
			return await uci.apply();
		} catch (error) {
			if (status(error) !== PERMISSION_DENIED || Date.now() > until)
				throw typeof error === 'number' ? new Error(rpc.getStatusText(error)) : error;
		}
		await pause(300);
	}
};

// The file may have been changed since it was loaded. What it says already is no change
// that procd would be told of, and the kernel may still be another.
const apply = async (proto, option, value) => {
	let differs = false;

	uci.unload('vpnpass');
	await uci.load('vpnpass');
	for (const name of PARTS[proto] || [ proto ]) {
		if (!uci.get('vpnpass', name))
			uci.add('vpnpass', 'proto', name);
		if (uci.get('vpnpass', name, option) !== String(value))
			differs = true;
		uci.set('vpnpass', name, option, String(value));
	}
	await uci.save();
	await commit();
	if (!differs)
		await script(INIT, [ 'reload' ]);
};

// One change after the other, whatever the one before came to.
let last = Promise.resolve();
const inTurn = (change) => (last = last.then(change, change));

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
			setMode: (proto, mode) => inTurn(async () => {
				await apply(proto, 'mode', mode);
				await taken(shared, proto, (p) => p.mode, mode);
			}),
			setSetting: (proto, key, value) => inTurn(async () => {
				await apply(proto, key, value);
				await taken(shared, proto, (p) => p.settings[key].value, value);
			}),
			remedy: (host, command) => script(REMEDY, host ? [ command, host ] : [ command ]),
			mayWrite: async () => L.hasViewPermission(),
			translate: _
		});
		return root;
	},

	handleSave: null,
	handleSaveApply: null,
	handleReset: null
});
